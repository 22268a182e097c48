// SPDX-License-Identifier: Apache-2.0

import CGit2

/// Bringing the local references to a remote's values without losing what only they hold.
extension RepositoryHandle {
    /// Moves a local reference to the remote's value, or to that value with the local lines on top.
    ///
    /// A local value that is ahead of the remote's is left. What was written here and has not reached the remote is
    /// sent by the next write.
    func follow(_ ref: RecordRef, _ remote: RawID, author: GitSignature) throws(GitError) {
        let local = try reference(ref.rawValue)
        if local == remote { return }
        var target = remote
        if let local, try !isAncestor(local, of: remote) {
            if try isAncestor(remote, of: local) { return }
            target = try union(of: ref, remote, local, author: author)
        }
        // Where another process of this clone has moved it meanwhile, the next write looks at it again.
        _ = try moveReference(ref.rawValue, from: local, to: target, message: "varve: fetch", by: author)
    }

    /// The remote's commit, or one on top of it with what only the local commit holds.
    private func union(
        of ref: RecordRef, _ remote: RawID, _ local: RawID, author: GitSignature
    ) throws(GitError) -> RawID {
        var batch = ObjectBatch()
        let old = try commit(remote).tree
        let added = try commit(local).tree
        let new: RawID?
        switch ref {
        case .packages: new = try uniteFiles(old, added, into: &batch)
        case .state, .log:
            var notes: [RawID: Set<[UInt8]>] = [:]
            try collectLines(of: added, notIn: old, into: &notes)
            new = try addNotes(notes, to: old, into: &batch)
        }
        guard let new, new != old else { return remote }
        let id = try batch.addCommit(
            tree: new, parents: [remote], message: "Notes that were only here added by varve", author: author)
        try store(batch)
        return id
    }

    /// The lines of all notes of one tree that another does not have as they are.
    private func collectLines(
        of tree: RawID?, notIn other: RawID?, under prefix: [UInt8] = [], into lines: inout [RawID: Set<[UInt8]>]
    ) throws(GitError) {
        var folders: [(name: [UInt8], tree: RawID, other: RawID?)] = []
        var others: [[UInt8]: RawID] = [:]
        try compareTrees(other, tree) { (old, new) throws(GitError) in
            if let old, old.isFolder { others[old.name] = old.id }
            guard let new else { return }
            let role = NotesTree.Role(new, depth: prefix.count)
            guard role != .other, let rest = bytes(hexDigits: new.name) else { return }
            if role == .folder {
                folders.append((rest, new.id, nil))
            } else {
                let object = (prefix + rest).withUnsafeBytes { RawID(bytes: $0) }
                lines[object, default: []].formUnion(NotesTree.lines(of: try blob(new.id) ?? []))
            }
        }
        for folder in folders {
            let other = others[hexDigits(folder.name)]
            try collectLines(of: folder.tree, notIn: other, under: prefix + folder.name, into: &lines)
        }
    }

    /// A tree of what either holds; where both hold a file of one name, the first tree's.
    private func uniteFiles(_ tree: RawID, _ other: RawID, into batch: inout ObjectBatch) throws(GitError) -> RawID? {
        if tree == other { return tree }
        var entries: [[UInt8]: TreeEntry] = [:]
        for entry in try self.entries(ofTree: tree) { entries[entry.name] = entry }
        for entry in try self.entries(ofTree: other) {
            guard var known = entries[entry.name] else {
                entries[entry.name] = entry
                continue
            }
            guard known.isFolder, entry.isFolder, let id = try uniteFiles(known.id, entry.id, into: &batch) else {
                continue
            }
            known.id = id
            entries[entry.name] = known
        }
        return try batch.addTree(Array(entries.values))
    }
}
