// SPDX-License-Identifier: Apache-2.0

/// A Containerfile as a list of instructions, each word with its place.
///
/// Read as buildah 1.28 reads it: `\` continues a line, comment lines and empty lines inside an instruction do not count.
public struct ContainerfileText: Hashable, Sendable {
    /// A word of a line.
    public struct Word: Hashable, Sendable {
        /// The word.
        public var text: String
        /// The line, from 0.
        public var line: Int
        /// The byte of the line at which it begins.
        public var offset: Int
    }

    /// An instruction with its words.
    public struct Instruction: Hashable, Sendable {
        /// The keyword in capitals.
        public var keyword: String
        /// All words, the keyword first.
        public var words: [Word]
        /// The line, from 0, with which it ends.
        public var lastLine: Int

        /// The options before the first other word.
        public var options: [Word] { Array(words.dropFirst().prefix { $0.text.hasPrefix("--") }) }

        /// The words after the options.
        public var arguments: [Word] { Array(words.dropFirst(1 + options.count)) }
    }

    /// A place where an image is named.
    public struct ImageUse: Hashable, Sendable {
        /// The name as it is written.
        public var word: Word
        /// The name with the defaults of `ARG` put in; nil where a variable has none.
        public var name: String?
        /// Whether it is an earlier stage or `scratch`.
        public var isStage: Bool
    }

    /// The lines without their ends.
    public var lines: [String]
    /// The comments `# name=value` before everything else, by name in lower case.
    public var directives: [(name: String, value: String, line: Int)] { findDirectives() }
    /// The instructions in order.
    public var instructions: [Instruction]

    /// Reads a text.
    public init(_ text: String) {
        lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map(String.init)
        instructions = []
        var words: [Word] = []
        for (number, line) in lines.enumerated() {
            var bytes = Array(line.utf8)
            while let last = bytes.last, Self.isBlank(last) { bytes.removeLast() }
            guard let first = bytes.first(where: { !Self.isBlank($0) }), first != 0x23 else { continue }
            let continues = bytes.last == 0x5C
            if continues { bytes.removeLast() }
            Self.append(bytes, line: number, to: &words)
            if !continues { finish(&words, lastLine: number) }
        }
        finish(&words, lastLine: max(0, lines.count - 1))
    }

    /// Every place where an image or a stage is named.
    public var imageUses: [ImageUse] {
        var result: [ImageUse] = []
        var defaults: [String: String] = [:]
        var stages: Set<String> = []
        var count = 0
        for instruction in instructions {
            switch instruction.keyword {
            case "ARG" where count == 0:
                for word in instruction.arguments {
                    let parts = word.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    guard parts.count == 2 else { continue }
                    defaults[String(parts[0])] = Self.expand(Self.unquoted(parts[1]), defaults)
                }
            case "FROM":
                if let word = instruction.arguments.first {
                    let name = Self.expand(word.text, defaults)
                    result.append(
                        ImageUse(
                            word: word, name: name,
                            isStage: name == "scratch" || name.map { stages.contains($0.lowercased()) } ?? false))
                }
                stages.insert(String(count))
                count += 1
                if instruction.arguments.count == 3 { stages.insert(instruction.arguments[2].text.lowercased()) }
            case "COPY", "ADD":
                for option in instruction.options where option.text.hasPrefix("--from=") {
                    let text = String(option.text.dropFirst(7))
                    let word = Word(text: text, line: option.line, offset: option.offset + 7)
                    result.append(
                        ImageUse(
                            word: word, name: text.contains("$") ? nil : text,
                            isStage: stages.contains(text.lowercased())))
                }
            default: break
            }
        }
        return result
    }

    /// The text with other names for the images, and with variables that steps see and the image does not keep.
    public func rendered(images: [String: String], variables: [String: String]) -> String {
        var lines = lines.map { Array($0.utf8) }
        for use in imageUses.reversed() {
            guard !use.isStage, let other = use.name.flatMap({ images[$0] }) else { continue }
            let end = use.word.offset + use.word.text.utf8.count
            lines[use.word.line].replaceSubrange(use.word.offset..<end, with: other.utf8)
        }
        let arguments = variables.sorted { $0.key < $1.key }.map { Array("ARG \($0.key)=\($0.value)".utf8) }
        for instruction in instructions.reversed() where instruction.keyword == "FROM" {
            lines.insert(contentsOf: arguments, at: instruction.lastLine + 1)
        }
        return lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
    }

    private mutating func finish(_ words: inout [Word], lastLine: Int) {
        if let first = words.first {
            instructions.append(Instruction(keyword: first.text.uppercased(), words: words, lastLine: lastLine))
        }
        words = []
    }

    private func findDirectives() -> [(name: String, value: String, line: Int)] {
        var result: [(name: String, value: String, line: Int)] = []
        for (number, line) in lines.enumerated() {
            let text = line.filter { $0 != " " && $0 != "\t" }
            guard text.hasPrefix("#"), let equals = text.firstIndex(of: "=") else { break }
            let name = text[text.index(after: text.startIndex)..<equals].lowercased()
            result.append((name, String(text[text.index(after: equals)...]), number))
        }
        return result
    }

    private static func append(_ bytes: [UInt8], line: Int, to words: inout [Word]) {
        var start: Int?
        for (index, byte) in (bytes + [0x20]).enumerated() {
            if !isBlank(byte) {
                start = start ?? index
            } else if let begin = start {
                words.append(
                    Word(text: String(decoding: bytes[begin..<index], as: UTF8.self), line: line, offset: begin))
                start = nil
            }
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    private static func unquoted(_ text: Substring) -> String {
        guard text.utf8.count >= 2, let first = text.first, first == text.last, first == "\"" || first == "'" else {
            return String(text)
        }
        return String(text.dropFirst().dropLast())
    }

    /// A text with `$NAME` and `${NAME}` put in; nil for a variable without a default and for any other form.
    private static func expand(_ text: String, _ values: [String: String]) -> String? {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            let isBraced = rest.first == "{"
            if isBraced { rest = rest.dropFirst() }
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            rest = rest.dropFirst(name.count)
            if isBraced {
                guard rest.first == "}" else { return nil }
                rest = rest.dropFirst()
            }
            guard let value = values[String(name)], result.utf8.count + value.utf8.count < 4096 else { return nil }
            result += value
        }
        return result + rest
    }
}
