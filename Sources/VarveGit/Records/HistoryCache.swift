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
        if let lines = newLines(in: newTree, handle) {
            for line in lines {
                if let record = RecordLine.decode(line) { history.add(record) } else { history.unreadable += 1 }
            }
        } else {
            // Somebody has taken records away, which cannot be undone in what they came to; or it cannot be told.
            var whole = History()
            try handle.eachNote(in: newTree) { (note) throws(GitError) in
                for record in note.records { whole.add(record) }
                whole.unreadable += note.unreadable
            }
            history = whole
        }
        self.tip = tip
        tree = newTree
    }

    /// The lines that a tree has beside those that were read before; nil where it has not all of those, or where what was
    /// read before is gone from the repository, say by `git gc`.
    private func newLines(in newTree: RawID?, _ handle: borrowing RepositoryHandle) -> Set<[UInt8]>? {
        guard let tree else { return nil }
        var added: Set<RawID> = []
        var removed: Set<RawID> = []
        let compared: Void? = try? handle.compareNotes(tree, newTree) { (blob, isNew) throws(GitError) in
            if isNew { added.insert(blob) } else { removed.insert(blob) }
        }
        guard compared != nil else { return nil }
        // A note that only lies in another folder, as all do when there come to be many.
        let moved = added.intersection(removed)
        guard let new = lines(of: added.subtracting(moved), handle),
            let old = lines(of: removed.subtracting(moved), handle), new.isSuperset(of: old)
        else { return nil }
        return new.subtracting(old)
    }

    private func lines(of notes: Set<RawID>, _ handle: borrowing RepositoryHandle) -> Set<[UInt8]>? {
        var lines: Set<[UInt8]> = []
        for note in notes {
            guard let blob = try? handle.blob(note) else { return nil }
            lines.formUnion(NotesTree.lines(of: blob))
        }
        return lines
    }
}

/// What one note says.
struct NoteRecords {
    var records: [BuildRecord] = []
    /// How many lines could not be read.
    var unreadable = 0
}

extension RepositoryHandle {
    /// Reads all notes of a tree, one at a time.
    ///
    /// - Parameter text: Lines without it are passed over unread, and not counted.
    /// - Throws: `GitError.notFound` where a note is missing: it may hold any record.
    func eachNote(
        in tree: RawID?, with text: String? = nil, _ body: (NoteRecords) throws(GitError) -> Void
    ) throws(GitError) {
        var notes: Set<RawID> = []
        try compareNotes(nil, tree) { (blob, _) throws(GitError) in notes.insert(blob) }
        for note in notes { try body(try records(ofNote: note, with: text.map { Array($0.utf8) })) }
    }

    /// Reads a note; one that is too large, or no note at all, counts as one line that cannot be read, lest it hide all
    /// others.
    private func records(ofNote id: RawID, with text: [UInt8]?) throws(GitError) -> NoteRecords {
        var note = NoteRecords()
        guard let header = try header(id) else { throw GitError(.notFound, "read note '\(id.hex)'", "it is missing") }
        guard header.size <= RepositoryHandle.blobLimit, let blob = try blob(id) else {
            note.unreadable = 1
            return note
        }
        if let text, !blob.holds(text) { return note }
        for line in NotesTree.lines(of: blob) {
            if let text, !line.holds(text) { continue }
            if let record = RecordLine.decode(line) { note.records.append(record) } else { note.unreadable += 1 }
        }
        return note
    }
}

extension [UInt8] {
    /// Whether some bytes stand in these; the standard library's search takes longer than to read what is found.
    fileprivate func holds(_ text: [UInt8]) -> Bool {
        guard let first = text.first else { return true }
        return withUnsafeBufferPointer { bytes in
            text.withUnsafeBufferPointer { text in
                var start = 0
                while start <= bytes.count - text.count {
                    if bytes[start] == first {
                        var length = 1
                        while length < text.count, bytes[start + length] == text[length] { length += 1 }
                        if length == text.count { return true }
                    }
                    start += 1
                }
                return false
            }
        }
    }
}
