// SPDX-License-Identifier: Apache-2.0

import CGit2
import FoundationEssentials
import Glibc
import Synchronization

/// The packs of a repository that varve alone writes to.
///
/// Each fetch that brings something leaves a pack. libgit2 never puts packs together, and keeps each one open that it has
/// read from: a daemon would run out of descriptors after a thousand pushes.
extension RepositoryHandle {
    /// How many small packs there may be.
    static let packLimit = 32
    /// In bytes; larger packs, such as that of the first fetch, are left as they are, lest a large history be written anew
    /// every now and then.
    private static let smallPack = 4 << 20

    /// Puts the small packs into one where there are many of them; what nobody refers to any more is kept too, for a build
    /// may still read a commit that was pushed over.
    ///
    /// - Throws: when it cannot be done; all objects are where they were then.
    func compact() throws(GitError) {
        let folder = gitFolder + "objects/pack"
        let before = packs(in: folder)
        let small = before.filter { pack in
            var status = stat()
            return stat("\(folder)/\(pack).pack", &status) == 0 && status.st_size < Self.smallPack
        }
        guard small.count > Self.packLimit else { return }
        let subject = "put packs together in '\(folder)'"
        var builder: OpaquePointer?
        try check(git_packbuilder_new(&builder, pointer), subject)
        defer { git_packbuilder_free(builder) }
        for pack in small { try insert("\(folder)/\(pack).idx", into: builder, subject) }
        try check(git_packbuilder_write(builder, folder, 0, nil, nil), subject)
        // Without a new pack it was one of these that holds everything.
        guard !packs(in: folder).subtracting(before).isEmpty else { return }
        for pack in small {
            for file in [".idx", ".rev", ".pack"] { unlink("\(folder)/\(pack)\(file)") }
        }
        OpenPacks.noteChange(in: gitFolder)
    }

    /// The names of the packs, without their endings.
    private func packs(in folder: String) -> Set<String> {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return Set(files.filter { $0.hasPrefix("pack-") && $0.hasSuffix(".idx") }.map { String($0.dropLast(4)) })
    }

    /// Has a pack hold all objects that an index names.
    private func insert(_ index: String, into builder: OpaquePointer?, _ subject: String) throws(GitError) {
        var objects: OpaquePointer?
        var backend: OpaquePointer?
        try check(git_odb_new(&objects), subject)
        defer { git_odb_free(objects) }
        try check(git_odb_backend_one_pack(&backend, index), subject)
        try check(git_odb_add_backend(objects, backend, 1), subject)
        let add: git_odb_foreach_cb = { id, builder in
            guard let builder else { return -1 }
            return git_packbuilder_insert(OpaquePointer(builder), id, nil)
        }
        try check(git_odb_foreach(objects, add, builder.map(UnsafeMutableRawPointer.init)), subject)
    }
}

/// Which packs of a repository handles may still have open: each opens it anew after its packs were put together.
enum OpenPacks {
    private static let changes = Mutex<[String: Int]>([:])

    static func noteChange(in gitFolder: String) { changes.withLock { $0[gitFolder, default: 0] += 1 } }

    /// How often the packs of a repository were put together by this process.
    static func generation(of gitFolder: String) -> Int { changes.withLock { $0[gitFolder] ?? 0 } }
}
