// SPDX-License-Identifier: Apache-2.0

import CGit2

/// An open repository and its object database, freed with the value.
///
/// Everything that calls libgit2 on a repository is an extension of this type, so it runs only while the mutex of a
/// `GitRepository` is held; no pointer leaves it.
struct RepositoryHandle: ~Copyable {
    let pointer: OpaquePointer
    let odb: OpaquePointer

    /// Takes over an open `git_repository`.
    init(owning pointer: OpaquePointer, path: String) throws(GitError) {
        var odb: OpaquePointer?
        let status = git_repository_odb(&odb, pointer)
        guard status >= 0, let odb else {
            let error = GitError(status: status, "open the objects of repository '\(path)'")
            git_repository_free(pointer)
            throw error
        }
        self.pointer = pointer
        self.odb = odb
    }

    deinit {
        git_odb_free(odb)
        git_repository_free(pointer)
    }

    /// Opens the repository at exactly this path: a working folder, its `.git`, or a bare repository.
    static func open(_ path: String) throws(GitError) -> RepositoryHandle {
        try GitLibrary.start()
        var pointer: OpaquePointer?
        try check(
            git_repository_open_ext(&pointer, path, GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue, nil),
            "open repository '\(path)'")
        guard let pointer else { throw GitError(.unknown, "open repository '\(path)'", "no handle") }
        return try RepositoryHandle(owning: pointer, path: path)
    }

    /// The folder that holds `objects` and `refs`, with a trailing slash.
    var gitFolder: String { String(cString: git_repository_path(pointer)) }

    /// The working folder, nil for a bare repository.
    var workingFolder: String? { git_repository_workdir(pointer).map { String(cString: $0) } }
}

/// One object as it is stored, freed with the value.
struct RawObject: ~Copyable {
    private let pointer: OpaquePointer

    fileprivate init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { git_odb_object_free(pointer) }

    var kind: git_object_t { git_odb_object_type(pointer) }

    /// Lends the bytes; they must not outlive the closure.
    func withBytes<T, E>(_ body: (UnsafeRawBufferPointer) throws(E) -> T) throws(E) -> T {
        try body(UnsafeRawBufferPointer(start: git_odb_object_data(pointer), count: git_odb_object_size(pointer)))
    }
}

extension RepositoryHandle {
    /// Reads a whole object.
    func object(_ id: RawID) throws(GitError) -> RawObject {
        var oid = id.oid
        var pointer: OpaquePointer?
        try check(git_odb_read(&pointer, odb, &oid), "read object '\(id.hex)'")
        guard let pointer else { throw GitError(.unknown, "read object '\(id.hex)'", "no object") }
        return RawObject(owning: pointer)
    }

    /// Kind and size of an object, without its content; nil where there is no such object.
    func header(_ id: RawID) throws(GitError) -> (kind: git_object_t, size: Int)? {
        var oid = id.oid
        var size = 0
        var kind = GIT_OBJECT_ANY
        let status = git_odb_read_header(&size, &kind, odb, &oid)
        if status == GIT_ENOTFOUND.rawValue { return nil }
        try check(status, "read object '\(id.hex)'")
        return (kind, size)
    }

    func contains(_ id: RawID) -> Bool {
        var oid = id.oid
        return git_odb_exists(odb, &oid) == 1
    }

    /// Writes an object and returns its id; one that is there already is only marked as fresh.
    func write(_ bytes: UnsafeRawBufferPointer, _ kind: git_object_t) throws(GitError) -> RawID {
        var oid = git_oid()
        try check(git_odb_write(&oid, odb, bytes.baseAddress, bytes.count, kind), "write an object")
        return RawID(oid)
    }

    /// Writes an object and returns its id.
    func write(_ bytes: [UInt8], _ kind: git_object_t) throws(GitError) -> RawID {
        var result: Result<RawID, GitError> = .success(.zero)
        bytes.withUnsafeBytes { buffer in
            result = Result { () throws(GitError) in try write(buffer, kind) }
        }
        return try result.get()
    }

    /// The most bytes that a note may have.
    static let blobLimit = 64 * 1_024 * 1_024

    /// The bytes of a blob, nil where there is no such blob.
    func blob(_ id: RawID, limit: Int = blobLimit) throws(GitError) -> [UInt8]? {
        guard let header = try header(id), header.kind == GIT_OBJECT_BLOB else { return nil }
        guard header.size <= limit else {
            throw GitError(.corrupt, "read blob '\(id.hex)'", "it has \(header.size) bytes, expected at most \(limit)")
        }
        return try object(id).withBytes { Array($0) }
    }
}
