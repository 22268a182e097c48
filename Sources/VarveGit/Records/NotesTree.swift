// SPDX-License-Identifier: Apache-2.0

import CGit2

/// A notes tree as git's `notes.c` reads and writes it.
///
/// The note of an object is a blob whose path is the object's 40 digits, cut by `/` after any number of leading pairs.
/// Different depths may be mixed, and one object may have notes at several; all their lines count. What is no note
/// stays where it is.
enum NotesTree {
    /// What an entry of a notes tree is, `depth` folders below the root.
    enum Role: Hashable {
        /// A note, by the digits that the folders above it lack.
        case note
        case folder
        case other

        init(_ entry: TreeEntry, depth: Int) {
            let isHexadecimal = entry.name.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            if entry.isFile, entry.name.count == 40 - 2 * depth, isHexadecimal {
                self = .note
            } else if entry.isFolder, entry.name.count == 2, depth < 19, isHexadecimal {
                self = .folder
            } else {
                self = .other
            }
        }
    }

    /// What is to become of one object's note.
    struct Edit {
        /// Notes of the object that were found further up and move to where the object belongs.
        var blobs: [RawID] = []
        /// Lines to add.
        var lines: Set<[UInt8]> = []
    }

    /// git's rule (`determine_fanout`): a level is cut into folders once each of the sixteen first digits has a
    /// folder or at least two notes.
    static func fansOut(
        folders: some Sequence<UInt8>, notes: some Sequence<RawID>, depth: Int
    ) -> Bool {
        var weight = [Int](repeating: 0, count: 16)
        for byte in folders { weight[Int(byte >> 4)] += 2 }
        for object in notes where depth < 19 { weight[Int(object.bytes[depth] >> 4)] += 1 }
        return weight.allSatisfy { $0 >= 2 }
    }

    /// The lines of a note; empty ones do not count, as in git's `cat_sort_uniq`.
    static func lines(of blob: [UInt8]) -> Set<[UInt8]> {
        Set(blob.split(separator: 0x0a).map(Array.init))
    }
}

extension RepositoryHandle {
    /// Finds the notes of some objects; more than one of an object that a tree holds at several depths.
    private func findNotes(
        of objects: [RawID], in tree: RawID, depth: Int = 0, into found: inout [RawID: [RawID]]
    ) throws(GitError) {
        // Few objects are compared with each entry as bytes; each folder is read once for all that it may hold.
        let byPair = Dictionary(grouping: objects) { hexDigits([$0.bytes[depth]]) }
        let byRest = Dictionary(grouping: objects) { Array(hexDigits($0.bytes)[(2 * depth)...]) }
        var folders: [(RawID, [RawID])] = []
        try withTree(tree) { (cursor) throws(GitError) in
            while cursor.isValid {
                if cursor.isFolder, cursor.name.count == 2, depth < 19 {
                    if let inside = byPair[Array(cursor.nameBytes)] { folders.append((cursor.id, inside)) }
                } else if !cursor.isFolder, cursor.name.count == 40 - 2 * depth {
                    for object in byRest[Array(cursor.nameBytes)] ?? [] { found[object, default: []].append(cursor.id) }
                }
                try cursor.advance()
            }
        }
        for (folder, inside) in folders { try findNotes(of: inside, in: folder, depth: depth + 1, into: &found) }
    }

    /// The lines of all notes of some objects; objects without a note are absent.
    func noteLines(of objects: [RawID], in tree: RawID?) throws(GitError) -> [RawID: Set<[UInt8]>] {
        guard let tree else { return [:] }
        var found: [RawID: [RawID]] = [:]
        try findNotes(of: objects, in: tree, into: &found)
        var lines: [RawID: Set<[UInt8]>] = [:]
        for (object, ids) in found {
            for id in ids { lines[object, default: []].formUnion(NotesTree.lines(of: try blob(id) ?? [])) }
        }
        return lines
    }

    /// Calls back for each note that two trees do not share, with the blob and whether it is in the new one.
    func compareNotes(
        _ old: RawID?, _ new: RawID?, depth: Int = 0, _ body: (_ blob: RawID, _ isNew: Bool) throws(GitError) -> Void
    ) throws(GitError) {
        var folders: [(RawID?, RawID?)] = []
        try compareTrees(old, new) { (old, new) throws(GitError) in
            let oldRole = old.map { NotesTree.Role($0, depth: depth) }
            let newRole = new.map { NotesTree.Role($0, depth: depth) }
            if let old, oldRole == .note { try body(old.id, false) }
            if let new, newRole == .note { try body(new.id, true) }
            if oldRole == .folder || newRole == .folder {
                folders.append((oldRole == .folder ? old?.id : nil, newRole == .folder ? new?.id : nil))
            }
        }
        for (old, new) in folders { try compareNotes(old, new, depth: depth + 1, body) }
    }

    /// Adds lines to notes and returns the new tree.
    ///
    /// Only the folders on the way to the objects are read and written. What the new tree
    /// needs beside the old one goes into the batch.
    func editNotes(
        _ tree: RawID?, under prefix: [UInt8] = [], _ edits: [RawID: NotesTree.Edit], into batch: inout ObjectBatch
    ) throws(GitError) -> RawID? {
        var kept: [TreeEntry] = []
        var folders: [UInt8: RawID] = [:]
        var notes = edits
        for entry in try entries(ofTree: tree) {
            let role = NotesTree.Role(entry, depth: prefix.count)
            guard role != .other, let rest = bytes(hexDigits: entry.name) else {
                kept.append(entry)
                continue
            }
            if role == .folder {
                folders[rest[0]] = entry.id
            } else {
                let object = (prefix + rest).withUnsafeBytes { RawID(bytes: $0) }
                notes[object, default: NotesTree.Edit()].blobs.append(entry.id)
            }
        }
        let fansOut = NotesTree.fansOut(folders: folders.keys, notes: notes.keys, depth: prefix.count)
        var below: [UInt8: [RawID: NotesTree.Edit]] = [:]
        for (object, edit) in notes {
            let digits = object.bytes[prefix.count...]
            if let first = digits.first, digits.count > 1, fansOut || folders[first] != nil {
                below[first, default: [:]][object] = edit
            } else {
                let id = try writeNote(edit, into: &batch)
                kept.append(TreeEntry(mode: TreeEntry.fileMode, name: hexDigits(digits), id: id))
            }
        }
        for (byte, edits) in below {
            folders[byte] = try editNotes(folders[byte], under: prefix + [byte], edits, into: &batch)
        }
        for (byte, id) in folders {
            kept.append(TreeEntry(mode: TreeEntry.folderMode, name: hexDigits([byte]), id: id))
        }
        return try batch.addTree(kept)
    }

    /// Writes all lines of a note, sorted; a note that only moves keeps its blob.
    private func writeNote(_ edit: NotesTree.Edit, into batch: inout ObjectBatch) throws(GitError) -> RawID {
        if edit.lines.isEmpty, edit.blobs.count == 1 { return edit.blobs[0] }
        var lines = edit.lines
        for id in edit.blobs { lines.formUnion(NotesTree.lines(of: try blob(id) ?? [])) }
        var text: [UInt8] = []
        for line in lines.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            text += line
            text.append(0x0a)
        }
        return try batch.add(text, GIT_OBJECT_BLOB)
    }
}
