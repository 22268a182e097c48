// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The state records of the tree that was read last, so that only notes that changed since are read again.
struct RecordCache {
    private struct Note {
        var uses: Int
        var records: [BuildRecord]
        var unreadable: Int
    }

    private var tip: RawID?
    private var tree: RawID?
    private var notes: [RawID: Note] = [:]
    private(set) var records = RecordSet(records: [])

    /// Brings the cache to the tree of a commit; does nothing where the commit is the one that was read last.
    mutating func update(to tip: RawID?, from handle: borrowing RepositoryHandle) throws(GitError) {
        if tip == self.tip { return }
        var newTree: RawID?
        if let tip { newTree = try handle.commit(tip).tree }
        // On a copy, so that an object that cannot be read leaves the cache as it was.
        var notes = notes
        try handle.compareNotes(tree, newTree) { (blob, isNew) throws(GitError) in
            if isNew, notes[blob] == nil { notes[blob] = try Self.note(blob, handle) }
            notes[blob]?.uses += isNew ? 1 : -1
        }
        self.notes = notes.filter { $0.value.uses > 0 }
        self.tip = tip
        tree = newTree
        var seen: Set<String> = []
        var all: [BuildRecord] = []
        // One event may stand on several trees, or twice with different care: the longest telling wins nothing, so
        // any one of equal id is as good; taking them in order of blob id keeps the choice stable.
        for (_, note) in self.notes.sorted(by: { $0.key < $1.key }) {
            all += note.records.filter { seen.insert($0.id).inserted }
        }
        records = RecordSet(records: all, unreadable: self.notes.values.reduce(0) { $0 + $1.unreadable })
    }

    /// Reads a note; one that is too large counts as one line that cannot be read, lest it hide all others.
    private static func note(_ id: RawID, _ handle: borrowing RepositoryHandle) throws(GitError) -> Note {
        var note = Note(uses: 0, records: [], unreadable: 0)
        if let header = try handle.header(id), header.size > RepositoryHandle.blobLimit {
            note.unreadable = 1
            return note
        }
        for line in NotesTree.lines(of: try handle.blob(id) ?? []).sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            if let record = RecordLine.decode(line) { note.records.append(record) } else { note.unreadable += 1 }
        }
        return note
    }
}
