// SPDX-License-Identifier: Apache-2.0

import CGit2
public import VarveModel

/// How much `readAllBlobs(of:)` read.
public struct BlobTotals: Hashable, Sendable {
    /// The number of files.
    public var count: Int
    /// The bytes of all files.
    public var bytes: Int
}

extension GitRepository {
    /// Reads every file of a commit with libgit2's own tree walk and nothing else: the yardstick for what reading a
    /// fleet of definitions costs at least.
    ///
    /// - Throws: `notFound`, `corrupt`.
    public func readAllBlobs(of commit: ObjectID) throws(GitError) -> BlobTotals {
        try withHandle { (handle) throws(GitError) in
            var totals = BlobTotals(count: 0, bytes: 0)
            try handle.readAllBlobs(ofTree: handle.commit(RawID(commit)).tree, into: &totals)
            return totals
        }
    }
}

extension RepositoryHandle {
    fileprivate func readAllBlobs(ofTree id: RawID, into totals: inout BlobTotals) throws(GitError) {
        var oid = id.oid
        var tree: OpaquePointer?
        try check(git_tree_lookup(&tree, pointer, &oid), "read tree '\(id.hex)'")
        defer { git_tree_free(tree) }
        for index in 0..<git_tree_entrycount(tree) {
            guard let entry = git_tree_entry_byindex(tree, index), let found = git_tree_entry_id(entry) else {
                continue
            }
            switch git_tree_entry_type(entry) {
            case GIT_OBJECT_TREE: try readAllBlobs(ofTree: RawID(found), into: &totals)
            case GIT_OBJECT_BLOB:
                var blob: OpaquePointer?
                try check(git_blob_lookup(&blob, pointer, found), "read blob '\(RawID(found).hex)'")
                totals.count += 1
                totals.bytes += Int(git_blob_rawsize(blob))
                git_blob_free(blob)
            default: break
            }
        }
    }
}
