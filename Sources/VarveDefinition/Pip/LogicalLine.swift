// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// A line of a requirements file after continuations are joined and comments dropped, as pip's `preprocess` does.
struct LogicalLine {
    /// The text, without blanks at its ends.
    private(set) var text: String
    /// The physical lines with the byte of the joined text at which each begins.
    private var pieces: [(start: Int, line: SourceLine, dropped: Int)]

    /// The place of the character that begins at a byte of the text.
    func place(atByte offset: Int) -> Place {
        guard let piece = pieces.last(where: { $0.start <= offset }) ?? pieces.first else {
            return Place(file: .root)
        }
        return piece.line.place(atByte: max(0, offset - piece.start) + piece.dropped)
    }

    /// Joins lines that end in a backslash, then drops comments and empty lines.
    static func join(_ lines: [SourceLine]) -> [LogicalLine] {
        var result: [LogicalLine] = []
        var bytes: [UInt8] = []
        var pieces: [(start: Int, line: SourceLine, dropped: Int)] = []
        func finish() {
            if let line = make(bytes, pieces) { result.append(line) }
            bytes = []
            pieces = []
        }
        for line in lines {
            let isComment = isCommentLine(line.text)
            pieces.append((bytes.count + (isComment ? 1 : 0), line, 0))
            if isComment {
                // A blank keeps the comment apart from a line that was continued.
                bytes.append(0x20)
                bytes += line.text.utf8
                finish()
            } else if line.text.utf8.last == 0x5C {
                var body = line.text.utf8[...]
                while body.last == 0x5C { body = body.dropLast() }
                let leading = body.prefix { $0 == 0x5C }.count
                pieces[pieces.count - 1].dropped = leading
                bytes += body.dropFirst(leading)
            } else {
                bytes += line.text.utf8
                finish()
            }
        }
        if !bytes.isEmpty { finish() }
        return result
    }

    private static func make(
        _ bytes: [UInt8], _ pieces: [(start: Int, line: SourceLine, dropped: Int)]
    ) -> LogicalLine? {
        var end = bytes.count
        for index in bytes.indices where bytes[index] == 0x23 && (index == 0 || isBlank(bytes[index - 1])) {
            end = index
            break
        }
        let body = String(decoding: bytes[..<end], as: UTF8.self)
        let text = body.trimmed
        guard !text.isEmpty else { return nil }
        let leading = body.utf8.count - body.drop { $0.isWhitespace }.utf8.count
        return LogicalLine(text: text, pieces: pieces.map { ($0.start - leading, $0.line, $0.dropped) })
    }

    private static func isCommentLine(_ text: String) -> Bool {
        text.utf8.first { !isBlank($0) } == 0x23
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// The byte at which the options begin: pip splits at blanks and takes the first word with a dash.
    static func startOfOptions(_ bytes: [UInt8]) -> Int {
        for index in bytes.indices where bytes[index] == 0x2D && (index == 0 || bytes[index - 1] == 0x20) {
            return index
        }
        return bytes.count
    }

    /// The first `${NAME}` that pip would replace, with the byte where it begins.
    var variable: (text: String, offset: Int)? {
        let bytes = Array(text.utf8)
        for index in bytes.indices where bytes[index] == 0x24 && index + 1 < bytes.count && bytes[index + 1] == 0x7B {
            let name = bytes[(index + 2)...].prefix { isDigit($0) || (0x41...0x5A).contains($0) || $0 == 0x5F }
            if !name.isEmpty, index + 2 + name.count < bytes.count, bytes[index + 2 + name.count] == 0x7D {
                return (String(decoding: name, as: UTF8.self), index)
            }
        }
        return nil
    }
}
