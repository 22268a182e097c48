// SPDX-License-Identifier: Apache-2.0

import CGit2

/// Objects that are ready to be stored, in the order in which they were made: what is needed before what needs it.
struct ObjectBatch: Sendable {
    fileprivate struct Object: Sendable {
        var id: RawID
        var kind: git_object_t
        var bytes: [UInt8]
    }

    fileprivate private(set) var objects: [Object] = []
    private var ids: Set<RawID> = []

    /// Takes an object in and returns its id.
    mutating func add(_ bytes: [UInt8], _ kind: git_object_t) throws(GitError) -> RawID {
        var oid = git_oid()
        try check(git_odb_hash(&oid, bytes, bytes.count, kind), "compute an object id")
        let id = RawID(oid)
        if ids.insert(id).inserted { objects.append(Object(id: id, kind: kind, bytes: bytes)) }
        return id
    }

    /// Takes in a tree of these entries; nil where there are none.
    mutating func addTree(_ entries: [TreeEntry]) throws(GitError) -> RawID? {
        if entries.isEmpty { return nil }
        return try add(TreeEntry.encode(entries), GIT_OBJECT_TREE)
    }
}

extension RepositoryHandle {
    /// Up to so many objects are stored as files of their own; more of them as one pack, since each file costs a wait
    /// for the disk.
    private static let looseLimit = 48

    /// Stores all objects of a batch durably.
    func store(_ batch: ObjectBatch) throws(GitError) {
        if batch.objects.count <= Self.looseLimit {
            for object in batch.objects { _ = try write(object.bytes, object.kind) }
        } else {
            try storePack(batch)
        }
    }

    private func storePack(_ batch: ObjectBatch) throws(GitError) {
        let subject = "write a pack"
        var memory: OpaquePointer?
        try check(git_odb_new(&memory), subject)
        defer { git_odb_free(memory) }
        var backend: OpaquePointer?
        try check(git_mempack_new(&backend), subject)
        // The database frees the backend.
        try check(git_odb_add_backend(memory, backend, 1), subject)
        var repository: OpaquePointer?
        try check(git_repository_wrap_odb(&repository, memory), subject)
        defer { git_repository_free(repository) }
        var builder: OpaquePointer?
        try check(git_packbuilder_new(&builder, repository), subject)
        defer { git_packbuilder_free(builder) }
        for object in batch.objects {
            var oid = git_oid()
            try check(git_odb_write(&oid, memory, object.bytes, object.bytes.count, object.kind), subject)
            try check(git_packbuilder_insert(builder, &oid, nil), subject)
        }
        var folder = git_buf()
        defer { git_buf_dispose(&folder) }
        try check(git_repository_item_path(&folder, pointer, GIT_REPOSITORY_ITEM_OBJECTS), subject)
        let path = folder.ptr.map { String(cString: $0) } ?? gitFolder + "objects/"
        try check(git_packbuilder_write(builder, path + "pack", 0, nil, nil), subject)
        try check(git_odb_refresh(odb), subject)
    }
}
