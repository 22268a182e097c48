// SPDX-License-Identifier: Apache-2.0

/// Turns the bytes of a file into text: UTF-8 with or without a byte-order mark, or UTF-16 with one.
enum SourceText {
    /// Why bytes are not text.
    struct Failure: Error {
        var message: String
        /// How many bytes were good, where that is known.
        var offset: Int?
    }

    /// The text without its byte-order mark.
    static func decode(_ bytes: [UInt8]) throws(Failure) -> String {
        if bytes.starts(with: [0xFF, 0xFE]) { return try utf16(bytes, low: 0, high: 1) }
        if bytes.starts(with: [0xFE, 0xFF]) { return try utf16(bytes, low: 1, high: 0) }
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        guard let text = String(validating: body, as: UTF8.self) else {
            throw Failure(message: "the file is not valid UTF-8", offset: validPrefix(body))
        }
        return text
    }

    private static func utf16(_ bytes: [UInt8], low: Int, high: Int) throws(Failure) -> String {
        guard bytes.count.isMultiple(of: 2) else {
            throw Failure(message: "the file begins as UTF-16 and has an odd number of bytes")
        }
        let units = stride(from: 2, to: bytes.count, by: 2)
            .map { UInt16(bytes[$0 + low]) | UInt16(bytes[$0 + high]) << 8 }
        guard let text = String(validating: units, as: UTF16.self) else {
            throw Failure(message: "the file begins as UTF-16 and is not valid UTF-16")
        }
        return text
    }

    /// How many bytes come before the first that is not UTF-8.
    private static func validPrefix(_ bytes: ArraySlice<UInt8>) -> Int {
        var low = 0
        var high = bytes.count
        // The longest prefix that decodes, give or take the up to three bytes of a cut character at its end.
        while low < high {
            let middle = (low + high + 1) / 2
            let prefix = bytes.prefix(middle)
            let whole = (0...3).contains { String(validating: prefix.dropLast($0), as: UTF8.self) != nil }
            if whole { low = middle } else { high = middle - 1 }
        }
        while low > 0, String(validating: bytes.prefix(low), as: UTF8.self) == nil { low -= 1 }
        return low
    }

    /// The line and column, from 1, of the byte after a valid prefix.
    static func position(after prefix: ArraySlice<UInt8>) -> (line: Int, column: Int) {
        let lines = prefix.split(separator: 0x0A, omittingEmptySubsequences: false)
        let last = lines.last.map { String(decoding: $0, as: UTF8.self).unicodeScalars.count } ?? 0
        return (lines.count, last + 1)
    }
}

/// One line of a file, or of a text inside `image.yaml`, that knows where it stands.
struct SourceLine {
    /// The line without its end.
    var text: String
    /// Where the line's first character stands.
    var place: Place
    /// Whether every character is one byte.
    private var isASCII = true

    /// How many bytes a line of a list can have; some of its readers take more time for a long line than for many short.
    static let limit = 1 << 16

    /// The place of the character that begins at a byte of the line.
    func place(atByte offset: Int) -> Place {
        // All bytes but the first of a character are 10xxxxxx.
        place.advanced(by: isASCII ? offset : text.utf8.prefix(offset).count { $0 & 0xC0 != 0x80 })
    }

    /// Splits a text at LF, CRLF and CR.
    static func lines(of text: String, from start: Place) -> [SourceLine] {
        var result: [SourceLine] = []
        var line = start.line
        var current: [UInt8] = []
        var previous: UInt8 = 0
        var isASCII = true
        func finish() {
            result.append(
                SourceLine(
                    text: String(decoding: current, as: UTF8.self),
                    place: Place(file: start.file, line: line, column: start.column),
                    isASCII: isASCII
                )
            )
            current.removeAll(keepingCapacity: true)
            isASCII = true
            line += 1
        }
        for byte in text.utf8 {
            switch byte {
            case 0x0A: if previous != 0x0D { finish() }
            case 0x0D: finish()
            default:
                current.append(byte)
                if byte >= 0x80 { isASCII = false }
            }
            previous = byte
        }
        if !current.isEmpty { finish() }
        return result
    }
}

extension StringProtocol {
    /// Without spaces, tabs and other blanks at both ends.
    var trimmed: String {
        let plain: ClosedRange<UInt8> = 0x21...0x7E
        let text = Substring(self)
        if let first = text.utf8.first, let last = text.utf8.last, plain.contains(first), plain.contains(last) {
            return String(text)
        }
        var view = text.unicodeScalars
        while let first = view.first, first.properties.isWhitespace { view.removeFirst() }
        while let last = view.last, last.properties.isWhitespace { view.removeLast() }
        return String(view)
    }

    /// Whether the text holds a control character other than a tab, or a line separator.
    var holdsControlCharacter: Bool {
        if utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) { return false }
        return unicodeScalars.contains { scalar in
            (scalar.value < 0x20 && scalar != "\t") || (0x7F..<0xA0).contains(scalar.value)
                || scalar.value == 0x2028 || scalar.value == 0x2029
        }
    }
}

/// Whether a byte is an ASCII letter or digit.
func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

/// Whether a byte is an ASCII digit.
func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

/// Whether a byte is an ASCII letter.
func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }
