// SPDX-License-Identifier: Apache-2.0

import CGit2
import Glibc

/// One entry of a Git tree.
struct TreeEntry: Hashable, Sendable {
    var mode: UInt32
    var name: [UInt8]
    var id: RawID

    static let folderMode: UInt32 = 0o040000
    static let fileMode: UInt32 = 0o100644

    var isFolder: Bool { mode & 0o170000 == Self.folderMode }
    var isFile: Bool { mode & 0o170000 == 0o100000 }

    /// Git's order of entries: by name, a folder as if its name ended in `/`.
    static func precedes(_ left: TreeEntry, _ right: TreeEntry) -> Bool {
        let common = min(left.name.count, right.name.count)
        let order = memcmp(left.name, right.name, common)
        return order == 0 ? left.byte(at: common) < right.byte(at: common) : order < 0
    }

    private func byte(at index: Int) -> UInt8 {
        index < name.count ? name[index] : (isFolder ? 0x2f : 0)
    }

    /// The bytes of a tree object.
    static func encode(_ entries: [TreeEntry]) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries.sorted(by: precedes) {
            bytes += String(entry.mode, radix: 8).utf8
            bytes.append(0x20)
            bytes += entry.name
            bytes.append(0)
            bytes += entry.id.bytes
        }
        return bytes
    }
}

/// Walks the bytes of a tree object without copying them: entries of `mode SP name NUL id`, in Git's order.
struct TreeCursor {
    private let bytes: UnsafeRawBufferPointer
    /// Where the current entry begins, and where the one after it does.
    private var start = 0
    private var next = 0
    private(set) var mode: UInt32 = 0
    private(set) var name: Range<Int> = 0..<0
    /// Whether there is a current entry.
    private(set) var isValid = false

    /// Stands on the first entry, where there is one.
    init(_ bytes: UnsafeRawBufferPointer) throws(GitError) {
        self.bytes = bytes
        try advance()
    }

    /// Steps to the next entry.
    mutating func advance() throws(GitError) {
        guard next < bytes.count, let base = bytes.baseAddress else {
            isValid = false
            return
        }
        start = next
        var position = next
        var mode: UInt32 = 0
        while position < bytes.count, case let digit = bytes[position], (0x30...0x37).contains(digit), mode < 0o1000000
        {
            mode = mode << 3 | UInt32(digit - 0x30)
            position += 1
        }
        guard position > next, position < bytes.count, bytes[position] == 0x20 else { throw Self.malformed }
        position += 1
        guard let found = memchr(base + position, 0, bytes.count - position) else { throw Self.malformed }
        let end = UnsafeRawPointer(found) - base
        guard end > position, end + 21 <= bytes.count else { throw Self.malformed }
        self.mode = mode
        name = position..<end
        next = end + 21
        isValid = true
    }

    /// Steps both cursors over all entries that they share byte by byte, as two versions of a tree mostly do.
    static func skipEqual(_ left: inout TreeCursor, _ right: inout TreeCursor) throws(GitError) {
        while left.isValid, right.isValid {
            let length = left.next - left.start
            guard length == right.next - right.start, let leftBase = left.bytes.baseAddress,
                let rightBase = right.bytes.baseAddress,
                memcmp(leftBase + left.start, rightBase + right.start, length) == 0
            else { return }
            try left.advance()
            try right.advance()
        }
    }

    private static let malformed = GitError(.corrupt, "read a tree", "an entry is not well formed")

    var id: RawID { RawID(bytes: UnsafeRawBufferPointer(rebasing: bytes[(name.upperBound + 1)..<next])) }
    var nameBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[name]) }
    var isFolder: Bool { mode & 0o170000 == TreeEntry.folderMode }
    var entry: TreeEntry { TreeEntry(mode: mode, name: Array(nameBytes), id: id) }

    /// Negative, zero or positive as this entry stands before, at or after the other in Git's order.
    func compare(_ other: TreeCursor) -> Int {
        let common = min(name.count, other.name.count)
        if let left = bytes.baseAddress, let right = other.bytes.baseAddress {
            let order = memcmp(left + name.lowerBound, right + other.name.lowerBound, common)
            if order != 0 { return Int(order) }
        }
        return Int(byte(at: common)) - Int(other.byte(at: common))
    }

    private func byte(at index: Int) -> UInt8 {
        index < name.count ? bytes[name.lowerBound + index] : (isFolder ? 0x2f : 0)
    }
}

extension RepositoryHandle {
    /// Lends a cursor over a tree; nil stands for the empty tree.
    func withTree<T>(_ id: RawID?, _ body: (inout TreeCursor) throws(GitError) -> T) throws(GitError) -> T {
        guard let id else {
            var cursor = try TreeCursor(UnsafeRawBufferPointer(start: nil, count: 0))
            return try body(&cursor)
        }
        let object = try object(id)
        guard object.kind == GIT_OBJECT_TREE else {
            throw GitError(.corrupt, "read tree '\(id.hex)'", "it is no tree")
        }
        return try object.withBytes { (bytes) throws(GitError) -> T in
            var cursor = try TreeCursor(bytes)
            return try body(&cursor)
        }
    }

    /// All entries of a tree, in Git's order; none for nil.
    func entries(ofTree id: RawID?) throws(GitError) -> [TreeEntry] {
        try withTree(id) { (cursor) throws(GitError) -> [TreeEntry] in
            var entries: [TreeEntry] = []
            while cursor.isValid {
                entries.append(cursor.entry)
                try cursor.advance()
            }
            return entries
        }
    }

    /// Calls back for each name at which two trees differ, in Git's order; a name that is a folder in one and a file
    /// in the other is reported twice, once for each.
    func compareTrees(
        _ left: RawID?, _ right: RawID?, _ body: (_ left: TreeEntry?, _ right: TreeEntry?) throws(GitError) -> Void
    ) throws(GitError) {
        if left == right { return }
        try withTree(left) { (left) throws(GitError) in
            try withTree(right) { (right) throws(GitError) in
                while true {
                    try TreeCursor.skipEqual(&left, &right)
                    guard left.isValid || right.isValid else { break }
                    let order = !left.isValid ? 1 : !right.isValid ? -1 : left.compare(right)
                    if order < 0 {
                        try body(left.entry, nil)
                        try left.advance()
                    } else if order > 0 {
                        try body(nil, right.entry)
                        try right.advance()
                    } else {
                        try body(left.entry, right.entry)
                        try left.advance()
                        try right.advance()
                    }
                }
            }
        }
    }
}
