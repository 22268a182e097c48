// SPDX-License-Identifier: Apache-2.0

/// A position in the UTF-8 of a short text, for hand-written parsers.
struct ByteCursor {
    let bytes: [UInt8]
    private(set) var position = 0

    init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position >= bytes.count }

    /// The byte here.
    var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// The byte some places further.
    func peek(_ offset: Int) -> UInt8? {
        position + offset < bytes.count ? bytes[position + offset] : nil
    }

    mutating func advance(by count: Int = 1) { position = min(position + count, bytes.count) }

    /// Goes to a position that was read before.
    mutating func reset(to earlier: Int) { position = min(earlier, bytes.count) }

    /// Whether a text stands here.
    func starts(with text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

    /// Goes past a text where it stands here.
    mutating func take(_ text: String) -> Bool {
        guard starts(with: text) else { return false }
        position += text.utf8.count
        return true
    }

    /// Takes the longest run of bytes that fit; nil where there is none.
    mutating func taking(while fits: (UInt8) -> Bool) -> String? {
        let start = position
        while position < bytes.count, fits(bytes[position]) { position += 1 }
        return position > start ? text(from: start) : nil
    }

    /// Goes past blanks and tells whether there were any.
    @discardableResult
    mutating func skipBlanks() -> Bool {
        let start = position
        while let byte = peek, byte == 0x20 || byte == 0x09 { position += 1 }
        return position > start
    }

    /// The text from an earlier position to here.
    func text(from start: Int) -> String { String(decoding: bytes[start..<position], as: UTF8.self) }

    /// All that is left.
    var rest: String { String(decoding: bytes[position...], as: UTF8.self) }
}
