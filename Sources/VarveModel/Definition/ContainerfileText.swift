// SPDX-License-Identifier: Apache-2.0

/// A Containerfile as a list of instructions, each word with its place.
///
/// Read as buildah 1.28 reads it: `\` continues a line, comment lines and empty lines inside an instruction do not count.
/// What is rendered has one line an instruction, so buildah cannot see other instructions than were checked.
public struct ContainerfileText: Hashable, Sendable {
    /// A word of a line.
    public struct Word: Hashable, Sendable {
        /// The word.
        public var text: String
        /// The line, from 0.
        public var line: Int
        /// The byte of the line at which it begins.
        public var offset: Int
        /// The byte of the instruction at which it begins.
        var position: Int
    }

    /// An instruction with its words.
    public struct Instruction: Hashable, Sendable {
        /// The keyword in capitals.
        public var keyword: String
        /// All words, the keyword first.
        public var words: [Word]
        /// The instruction on one line.
        public var text: [UInt8]

        /// Whether it ends in the middle of a continuation.
        public var isCut: Bool { text.last == 0x5C }

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
        /// The index of the instruction.
        var instruction: Int
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
        var open = OpenInstruction()
        for (number, line) in lines.enumerated() {
            var bytes = Array(line.utf8)
            while let last = bytes.last, Self.isBlank(last) { bytes.removeLast() }
            guard let first = bytes.first(where: { !Self.isBlank($0) }), first != 0x23 else { continue }
            let continues = bytes.last == 0x5C
            if continues { bytes.removeLast() }
            open.append(bytes, line: number)
            if !continues { finish(&open) }
        }
        finish(&open)
    }

    /// Every place where an image or a stage is named.
    public var imageUses: [ImageUse] {
        var result: [ImageUse] = []
        var defaults: [String: String] = [:]
        var stages: Set<String> = []
        var count = 0
        for (index, instruction) in instructions.enumerated() {
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
                            isStage: name == "scratch" || name.map { stages.contains($0.lowercased()) } ?? false,
                            instruction: index))
                }
                stages.insert(String(count))
                count += 1
                if instruction.arguments.count == 3 { stages.insert(instruction.arguments[2].text.lowercased()) }
            case "COPY":
                for option in instruction.options where option.text.hasPrefix("--from=") {
                    let text = String(option.text.dropFirst(7))
                    let word = Word(
                        text: text, line: option.line, offset: option.offset + 7, position: option.position + 7)
                    result.append(
                        ImageUse(
                            word: word, name: text.contains("$") ? nil : text,
                            isStage: stages.contains(text.lowercased()), instruction: index))
                }
            default: break
            }
        }
        return result
    }

    /// The instructions, one a line, with other names for the images, and with variables that steps see and the image does
    /// not keep.
    public func rendered(images: [String: String], variables: [String: String]) -> String {
        var lines = instructions.map(\.text)
        for use in imageUses.reversed() {
            guard !use.isStage, let other = use.name.flatMap({ images[$0] }) else { continue }
            let end = use.word.position + use.word.text.utf8.count
            lines[use.instruction].replaceSubrange(use.word.position..<end, with: other.utf8)
        }
        let arguments = variables.sorted { $0.key < $1.key }.map { Array("ARG \($0.key)=\($0.value)".utf8) }
        for (index, instruction) in instructions.enumerated().reversed() where instruction.keyword == "FROM" {
            lines.insert(contentsOf: arguments, at: index + 1)
        }
        return lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
    }

    /// The lines of an instruction that goes on.
    private struct OpenInstruction {
        var text: [UInt8] = []
        /// Where each line begins in the text: of the bytes before `start`, the file has `line` and `offset` for it.
        var lines: [(start: Int, line: Int, offset: Int)] = []

        mutating func append(_ bytes: [UInt8], line: Int) {
            let skipped = text.isEmpty ? bytes.prefix { isBlank($0) }.count : 0
            lines.append((text.count, line, skipped))
            text += bytes[skipped...]
        }

        /// The words, each at the place of its first byte.
        var words: [Word] {
            var result: [Word] = []
            var start: Int?
            var number = 0
            for (index, byte) in (text + [0x20]).enumerated() {
                if !isBlank(byte) {
                    start = start ?? index
                } else if let begin = start {
                    while number + 1 < lines.count, lines[number + 1].start <= begin { number += 1 }
                    let place = lines[number]
                    result.append(
                        Word(
                            text: String(decoding: text[begin..<index], as: UTF8.self), line: place.line,
                            offset: begin - place.start + place.offset, position: begin))
                    start = nil
                }
            }
            return result
        }
    }

    private mutating func finish(_ open: inout OpenInstruction) {
        let words = open.words
        if let first = words.first {
            instructions.append(Instruction(keyword: first.text.uppercased(), words: words, text: open.text))
        }
        open = OpenInstruction()
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
