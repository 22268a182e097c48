// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// What the state records come to, brought up to date by reading only the notes that changed.
///
/// The records themselves are not kept: a daemon writes them for months.
struct HistoryCache {
    private var tip: RawID?
    private var tree: RawID?
    private(set) var history = History()

    /// Brings the cache to the tree of a commit; does nothing where the commit is the one that was read last.
    mutating func update(to tip: RawID?, from handle: borrowing RepositoryHandle) throws(GitError) {
        if tip == self.tip { return }
        var newTree: RawID?
        if let tip { newTree = try handle.commit(tip).tree }
        var added: Set<RawID> = []
        var removed: Set<RawID> = []
        try handle.compareNotes(tree, newTree) { (blob, isNew) throws(GitError) in
            if isNew { added.insert(blob) } else { removed.insert(blob) }
        }
        if holds(added, allOf: removed, handle) {
            // Where an object cannot be read, what was taken before it is taken again the next time.
            for blob in added {
                for record in try handle.records(ofNote: blob).records { history.add(record) }
            }
        } else {
            // Somebody has taken records away, which cannot be undone in what they came to.
            var whole = History()
            try handle.eachNote(in: newTree) { (note) throws(GitError) in
                for record in note.records { whole.add(record) }
            }
            history = whole
        }
        self.tip = tip
        tree = newTree
    }

    /// Whether every record of the old notes is in the new ones, as it is where notes only grow.
    private func holds(
        _ added: Set<RawID>, allOf removed: Set<RawID>, _ handle: borrowing RepositoryHandle
    ) -> Bool {
        if removed.isEmpty { return true }
        var lines: Set<[UInt8]> = []
        for blob in added { lines.formUnion(NotesTree.lines(of: (try? handle.blob(blob)) ?? [])) }
        for blob in removed {
            // Gone from the repository, say by `git gc`, or too large to be read: then it cannot be told.
            guard let old = try? handle.blob(blob), lines.isSuperset(of: NotesTree.lines(of: old)) else { return false }
        }
        return true
    }
}

/// What one note says.
struct NoteRecords {
    var records: [BuildRecord] = []
    /// How many lines could not be read.
    var unreadable = 0
}

extension RepositoryHandle {
    /// Reads a note; one that is too large counts as one line that cannot be read, lest it hide all others.
    ///
    /// - Parameter text: Lines without it are passed over unread, and not counted.
    func records(ofNote id: RawID, with text: String? = nil) throws(GitError) -> NoteRecords {
        var note = NoteRecords()
        let text = text.map { Array($0.utf8) }
        if let header = try header(id), header.size > RepositoryHandle.blobLimit {
            note.unreadable = 1
            return note
        }
        for line in NotesTree.lines(of: try blob(id) ?? []) {
            if let text, !line.contains(text) { continue }
            if let record = RecordLine.decode(line) { note.records.append(record) } else { note.unreadable += 1 }
        }
        return note
    }

    /// Reads all notes of a tree, one at a time.
    func eachNote(
        in tree: RawID?, with text: String? = nil, _ body: (NoteRecords) throws(GitError) -> Void
    ) throws(GitError) {
        try compareNotes(nil, tree) { (blob, _) throws(GitError) in
            try body(try records(ofNote: blob, with: text))
        }
    }
}
