// SPDX-License-Identifier: Apache-2.0

/// The options that pip takes in a requirements file.
struct PipOption: Sendable {
    /// What an option's value is.
    enum Value: Sendable {
        case none
        case url
        case urlOrFolder
        case text
    }

    /// What an option does.
    enum Role: Sendable {
        /// Stands on a line of its own and is passed to pip.
        case global
        /// Stands after a requirement.
        case perRequirement
        case requirement
        case constraint
        case editable
    }

    var name: String
    var short: Character?
    var value: Value
    var role: Role

    static let all: [PipOption] = [
        PipOption(name: "--index-url", short: "i", value: .url, role: .global),
        PipOption(name: "--pypi-url", short: nil, value: .url, role: .global),
        PipOption(name: "--extra-index-url", short: nil, value: .url, role: .global),
        PipOption(name: "--no-index", short: nil, value: .none, role: .global),
        PipOption(name: "--find-links", short: "f", value: .urlOrFolder, role: .global),
        PipOption(name: "--no-binary", short: nil, value: .text, role: .global),
        PipOption(name: "--only-binary", short: nil, value: .text, role: .global),
        PipOption(name: "--prefer-binary", short: nil, value: .none, role: .global),
        PipOption(name: "--require-hashes", short: nil, value: .none, role: .global),
        PipOption(name: "--pre", short: nil, value: .none, role: .global),
        PipOption(name: "--all-releases", short: nil, value: .text, role: .global),
        PipOption(name: "--only-final", short: nil, value: .text, role: .global),
        PipOption(name: "--trusted-host", short: nil, value: .text, role: .global),
        PipOption(name: "--use-feature", short: nil, value: .text, role: .global),
        PipOption(name: "--hash", short: nil, value: .text, role: .perRequirement),
        PipOption(name: "--global-option", short: nil, value: .text, role: .perRequirement),
        PipOption(name: "--config-settings", short: "C", value: .text, role: .perRequirement),
        PipOption(name: "--config-setting", short: nil, value: .text, role: .perRequirement),
        PipOption(name: "--requirement", short: "r", value: .text, role: .requirement),
        PipOption(name: "--constraint", short: "c", value: .text, role: .constraint),
        PipOption(name: "--editable", short: "e", value: .text, role: .editable),
    ]

    /// The option that a word names: in full, by a prefix that is not ambiguous, as optparse allows, or by its letter.
    static func find(_ word: String) -> PipOption? {
        if word.hasPrefix("--") {
            if let exact = all.first(where: { $0.name == word }) { return exact }
            let matches = all.filter { $0.name.hasPrefix(word) && word.utf8.count > 2 }
            return matches.count == 1 ? matches.first : nil
        }
        guard let letter = word.dropFirst().first else { return nil }
        return all.first { $0.short == letter }
    }

    /// The name under which equal options are one.
    var canonicalName: String {
        switch name {
        case "--pypi-url": "--index-url"
        case "--config-setting": "--config-settings"
        default: name
        }
    }
}

/// Splits the options of a line as Python's `shlex.split` does.
enum ShellWords {
    struct Word {
        var text: String
        /// The byte where the word begins.
        var offset: Int
    }

    /// The words; nil where a quote is not closed.
    static func split(_ bytes: ArraySlice<UInt8>) -> [Word]? {
        var words: [Word] = []
        var current: [UInt8] = []
        var start: Int?
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            switch byte {
            case 0x20, 0x09:
                if let begin = start {
                    words.append(Word(text: String(decoding: current, as: UTF8.self), offset: begin))
                }
                start = nil
                current = []
            case 0x22, 0x27:
                start = start ?? index
                index += 1
                while index < bytes.endIndex, bytes[index] != byte {
                    if byte == 0x22, bytes[index] == 0x5C, index + 1 < bytes.endIndex,
                        bytes[index + 1] == 0x22 || bytes[index + 1] == 0x5C
                    {
                        index += 1
                    }
                    current.append(bytes[index])
                    index += 1
                }
                guard index < bytes.endIndex else { return nil }
            case 0x5C:
                start = start ?? index
                index += 1
                guard index < bytes.endIndex else { return nil }
                current.append(bytes[index])
            default:
                start = start ?? index
                current.append(byte)
            }
            index += 1
        }
        if let begin = start { words.append(Word(text: String(decoding: current, as: UTF8.self), offset: begin)) }
        return words
    }

    /// A word that `split` reads back as one.
    static func quote(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                isAlphanumeric(byte) || "@%_-+=:,./".utf8.contains(byte)
            }
        if isPlain { return word }
        return "\"" + word.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
