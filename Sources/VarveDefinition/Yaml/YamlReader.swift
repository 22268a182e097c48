// SPDX-License-Identifier: Apache-2.0

import VarveModel
import Yams

/// Reads one YAML document from hostile text.
///
/// Aliases are refused, so that a document cannot grow when it is read; libyaml refuses more than 1,000 levels of nesting.
/// No scalar is resolved: what a value means is decided by the key it belongs to.
struct YamlReader {
    let file: RepositoryPath
    let findings: Findings

    /// The document's root, nil where there is none or the text is not YAML (which is then reported).
    func read(_ text: String) -> YamlValue? {
        guard !text.isEmpty else { return nil }
        var text = text
        text.makeContiguousUTF8()
        do {
            // Composing expands aliases inside mapping keys, so their absence is established first, without anchors.
            if let withoutAnchors = Self.replacingAnchors(in: text) { _ = try compose(withoutAnchors) }
            guard let root = try compose(text) else { return nil }
            return value(of: root, text: text)
        } catch let error as YamlError {
            report(error, in: text)
        } catch {
            findings.report(.yamlSyntax, at: Place(file: file), "the file is not YAML")
        }
        return nil
    }

    private func compose(_ text: String) throws -> Node? {
        try Parser(yaml: text, resolver: .basic, constructor: .default, encoding: .utf8).singleRoot()
    }

    // MARK: - From nodes to values

    private func value(of node: Node, text: String) -> YamlValue {
        let place = Place(file: file, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0)
        switch node {
        case .scalar(let scalar):
            checkTag(scalar.tag, at: place)
            let style: YamlValue.Style =
                switch scalar.style {
                case .literal, .folded: .block
                case .singleQuoted, .doubleQuoted: .quoted
                case .plain, .any: .plain
                }
            return YamlValue(content: .scalar(scalar.string, style: style), place: place)
        case .sequence(let sequence):
            checkTag(sequence.tag, at: place)
            return YamlValue(content: .list(sequence.map { value(of: $0, text: text) }), place: place)
        case .mapping(let mapping):
            checkTag(mapping.tag, at: place)
            var entries: [YamlValue.Entry] = []
            for (key, entry) in mapping {
                let keyPlace = Place(file: file, line: key.mark?.line ?? 0, column: key.mark?.column ?? 0)
                guard let scalar = key.scalar else {
                    findings.report(.yamlFeature, at: keyPlace, "expected a plain text as key")
                    continue
                }
                if scalar.string == "<<", scalar.style == .plain {
                    findings.report(
                        .yamlFeature, at: keyPlace, "merge keys ('<<') are not supported", hint: "write the keys out")
                    continue
                }
                entries.append(.init(key: scalar.string, place: keyPlace, value: value(of: entry, text: text)))
            }
            return YamlValue(content: .mapping(entries), place: place)
        case .alias:
            findings.report(.yamlFeature, at: place, "aliases are not supported", hint: "write the value out")
            return YamlValue(content: .scalar("", style: .plain), place: place)
        }
    }

    private static let allowedTags: Set<String> = [
        "", "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map",
    ]

    private func checkTag(_ tag: Tag, at place: Place) {
        guard !Self.allowedTags.contains(tag.description) else { return }
        findings.report(
            .yamlFeature, at: place, "the tag \(quoted(tag.description)) is not supported",
            hint: "write the value without a tag"
        )
    }

    // MARK: - Errors

    private func report(_ error: YamlError, in text: String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _):
            findings.report(
                .yamlSyntax, at: place(mark), "not well-formed YAML: \(singleLine(problem))", hint: hint(mark, text))
        case .composer(_, let problem, let mark, _):
            if problem.contains("alias") {
                findings.report(
                    .yamlFeature, at: place(mark), "aliases ('*name') are not supported", hint: "write the value out"
                )
            } else {
                findings.report(.severalDocuments, at: place(mark), "expected one YAML document, found another")
            }
        case .duplicatedKeysInMapping(let keys, let context):
            let key = keys.first ?? ""
            let first = context.mark
            findings.report(
                .duplicateKey, at: Self.second(key, after: place(first), in: text) ?? place(first),
                "the key \(quoted(key)) is given twice, first in line \(first.line)"
            )
        case .reader(let problem, let offset, _, _):
            // Unlike all others, this error tells the offset in place of a line.
            let position = SourceText.position(after: Array(text.utf8).prefix(offset ?? 0))
            findings.report(
                .controlCharacter, at: Place(file: file, line: position.line, column: position.column),
                "a character that YAML does not allow: \(singleLine(problem))"
            )
        default:
            findings.report(.yamlSyntax, at: Place(file: file), "the file is not well-formed YAML")
        }
    }

    private func place(_ mark: Mark) -> Place { Place(file: file, line: mark.line, column: mark.column) }

    private func hint(_ mark: Mark, _ text: String) -> String? {
        let lines = text.utf8.split(separator: 0x0A, maxSplits: mark.line, omittingEmptySubsequences: false)
        guard lines.indices.contains(mark.line - 1) else { return nil }
        let indentation = lines[mark.line - 1].prefix { $0 == 0x20 || $0 == 0x09 }
        return indentation.contains(0x09) ? "YAML is indented by spaces, not by tabs" : nil
    }

    /// Where the same key stands again in the same block mapping; the parser names only the first.
    private static func second(_ key: String, after first: Place, in text: String) -> Place? {
        let indentation = first.column - 1
        var line = 0
        for bytes in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
            line += 1
            guard line > first.line else { continue }
            let spaces = bytes.prefix { $0 == 0x20 }.count
            let rest = bytes.dropFirst(spaces)
            guard let character = rest.first, character != 0x23, character != 0x0D, spaces <= indentation else {
                continue
            }
            if spaces < indentation { return nil }
            var name = rest
            if character == 0x22 || character == 0x27 { name = name.dropFirst() }
            guard name.starts(with: key.utf8) else { continue }
            let after = name.dropFirst(key.utf8.count).first { $0 != 0x22 && $0 != 0x27 && $0 != 0x20 }
            if after == 0x3A { return Place(file: first.file, line: line, column: first.column) }
        }
        return nil
    }

    /// The text with the mark of every anchor (`&name`) turned into that of a tag (`!`); nil where there is none.
    ///
    /// Tags stand where anchors stand, so the parse is the same, except that every alias is now undefined and found
    /// before anything is expanded. The name becomes blanks, because a tag could swallow what ends an anchor.
    private static func replacingAnchors(in text: String) -> String? {
        var bytes = Array(text.utf8)
        var changed = false
        for index in bytes.indices where bytes[index] == 0x26 {
            if index > 0, isAlphanumeric(bytes[index - 1]) { continue }
            var end = index + 1
            while end < bytes.count, isAlphanumeric(bytes[end]) || bytes[end] == 0x5F || bytes[end] == 0x2D { end += 1 }
            guard end > index + 1 else { continue }
            changed = true
            for position in index..<end { bytes[position] = 0x20 }
            bytes[index] = 0x21
        }
        return changed ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
