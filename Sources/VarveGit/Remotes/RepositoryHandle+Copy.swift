// SPDX-License-Identifier: Apache-2.0

import CGit2

extension RepositoryHandle {
    /// Copies one object to another repository.
    func copy(_ id: RawID, to other: borrowing RepositoryHandle) throws(GitError) {
        let object = try object(id)
        let kind = object.kind
        _ = try object.withBytes { (bytes) throws(GitError) in try other.write(bytes, kind) }
    }

    /// Copies a commit with all that it leads to, but no commit at or before `known`, which is there already; what is
    /// needed comes before what needs it.
    func copyClosure(
        of tip: RawID, beyond known: RawID? = nil, to other: borrowing RepositoryHandle
    ) throws(GitError) {
        var order: [RawID] = []
        var seen: Set<RawID> = [tip]
        if let known { seen.insert(known) }
        var commits = [tip]
        while let id = commits.popLast() {
            order.append(id)
            for parent in try commit(id).parents where seen.insert(parent).inserted { commits.append(parent) }
        }
        for id in order.reversed() {
            try copyTree(try commit(id).tree, to: other, seen: &seen)
            try copy(id, to: other)
        }
    }

    private func copyTree(
        _ id: RawID, to other: borrowing RepositoryHandle, seen: inout Set<RawID>
    ) throws(GitError) {
        guard seen.insert(id).inserted else { return }
        for entry in try entries(ofTree: id) {
            if entry.isFolder {
                try copyTree(entry.id, to: other, seen: &seen)
            } else if entry.mode & 0o170000 != 0o160000, seen.insert(entry.id).inserted {
                try copy(entry.id, to: other)
            }
        }
        try copy(id, to: other)
    }
}
