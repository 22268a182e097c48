// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The references that hold records, in the order in which they are written: what a line points at comes first.
enum RecordRef: String, CaseIterable, Sendable {
    case packages = "refs/varve/packages"
    case state = "refs/notes/varve/state"
    case log = "refs/notes/varve/log"

    /// What a clone asks a remote for; the local references are moved by `follow`, not by these.
    ///
    /// The lease is not among them: its value may be gone before it is fetched, and nothing would be fetched then.
    static let refspecs = ["+refs/notes/varve/*:refs/notes/varve/*", "+\(packages.rawValue):\(packages.rawValue)"]
}

/// A commit that is ready to become the next value of a reference.
struct RecordUpdate: Sendable {
    var ref: RecordRef
    /// The value that the new commit builds on.
    var base: RawID?
    /// The new commit.
    var commit: RawID
    /// All that the commit needs beside `base`, the commit included.
    var objects: ObjectBatch
}

extension RepositoryHandle {
    /// Stores the commit that adds entries to a reference's value; nil where all is there already.
    func prepare(
        _ entries: [RecordEntry], for ref: RecordRef, on base: RawID?, author: GitSignature
    ) throws(GitError) -> RecordUpdate? {
        var objects = ObjectBatch()
        let old = try base.map { (base) throws(GitError) in try self.commit(base).tree }
        let new: RawID?
        switch ref {
        case .packages:
            new = try addDescriptions(entries.flatMap { $0.descriptions }, to: old, into: &objects)
        case .state:
            var lines: [RawID: Set<[UInt8]>] = [:]
            for entry in entries { lines[RawID(entry.tree), default: []].insert(try RecordLine.encode(entry.record)) }
            new = try addNotes(lines, to: old, into: &objects)
        case .log:
            var lines: [RawID: Set<[UInt8]>] = [:]
            for entry in entries {
                let line = Array(singleLine(redacted(entry.line), limit: 4_000).utf8)
                for commit in entry.commits where !line.isEmpty { lines[RawID(commit), default: []].insert(line) }
            }
            new = try addNotes(lines, to: old, into: &objects)
        }
        guard let new, new != old else { return nil }
        let id = try objects.addCommit(
            tree: new, parents: base.map { [$0] } ?? [], message: message(for: entries), author: author)
        try store(objects)
        return RecordUpdate(ref: ref, base: base, commit: id, objects: objects)
    }

    /// Adds the lines that are not there yet; the tree itself where all are.
    func addNotes(
        _ lines: [RawID: Set<[UInt8]>], to tree: RawID?, into batch: inout ObjectBatch
    ) throws(GitError) -> RawID? {
        var edits: [RawID: NotesTree.Edit] = [:]
        let known = try noteLines(of: Array(lines.keys), in: tree)
        for (object, lines) in lines {
            let missing = lines.subtracting(known[object] ?? [])
            if !missing.isEmpty { edits[object] = NotesTree.Edit(lines: missing) }
        }
        return edits.isEmpty ? tree : try editNotes(tree, edits, into: &batch)
    }

    private func message(for entries: [RecordEntry]) -> String {
        let names = Set(entries.map { $0.record.image }).sorted().map { $0.value }
        let more = names.count > 5 ? " and \(names.count - 5) more" : ""
        return "Notes added by varve: " + names.prefix(5).joined(separator: ", ") + more
    }
}
