// SPDX-License-Identifier: Apache-2.0

/// Compares a document with the descriptions of its keys and reports every key and type that does not fit.
///
/// A key without a value (`pip:`) counts as not given, as most people mean it.
struct ShapeCheck {
    let findings: Findings
    /// Whether the document is one of the repository, which has no say in what the operator sets.
    var isOfRepository = true
    /// The keys that `varve.yaml` gives where the document does not.
    var defaulted: Set<String> = []

    /// Checks the entries of a mapping.
    func check(_ entries: [YamlValue.Entry], at place: Place, against keys: [KeyDescription]) {
        for entry in entries where !findings.isFull {
            guard let key = keys.first(where: { $0.name == entry.key }) else {
                if isOfRepository, let place = OperatorSettings.place(of: entry.key) {
                    findings.report(
                        .operatorSetting, at: entry.place,
                        "\(quoted(entry.key)) is for whoever runs varve to set, and is not read from the repository",
                        hint: "it is given by \(place)")
                    continue
                }
                findings.report(
                    .unknownKey, at: entry.place,
                    "unknown key \(quoted(entry.key)); expected one of "
                        + keys.filter(\.isSupported).map(\.name).joined(separator: ", "),
                    hint: suggestion(for: entry.key, among: keys.map(\.name)) ?? Self.nested(entry.key, below: keys)
                )
                continue
            }
            guard key.isSupported else {
                findings.report(.notSupported, at: entry.place, "the key '\(key.name)' is not supported yet")
                continue
            }
            if entry.value.isNull { continue }
            check(entry.value, name: key.name, against: key.type)
        }
        for key in keys where key.defaultText == nil && !defaulted.contains(key.name) {
            if entries.contains(where: { $0.key == key.name && !$0.value.isNull }) { continue }
            // The base can come from the image that is copied; an image built elsewhere has none.
            if entries.contains(where: { ["copyFrom", "external"].contains($0.key) && !$0.value.isNull }) { continue }
            findings.report(
                .missingKey, at: place, "the key '\(key.name)' is missing; expected \(key.type.expectation)")
        }
    }

    /// The key of a mapping below that has nearly this name, as for `pip` in place of `build.pip`.
    private static func nested(_ name: String, below keys: [KeyDescription]) -> String? {
        for key in keys {
            guard case .record(let inner) = key.type else { continue }
            let names = inner.map(\.name)
            let found = names.first { $0.lowercased() == name.lowercased() } ?? nearestWord(to: name, among: names)
            if let found { return "did you mean '\(key.name).\(found)'?" }
        }
        return nil
    }

    private func check(_ value: YamlValue, name: String, against type: ValueType) {
        switch (type, value.content) {
        case (.text, .scalar(let text, _)), (.textOrRecord, .scalar(let text, _)), (.lines, .scalar(let text, _)):
            if value.isNull { return mismatch(value, name, type) }
            // NUL cannot stand in any file or variable that is made from a definition.
            if text.utf8.contains(0) {
                findings.report(.controlCharacter, at: value.place, "'\(name)' holds a NUL character")
            }
        case (.boolean, .scalar(let text, let style)):
            checkBoolean(text, style, value, name)
        case (.word(let words), .scalar(let text, _)):
            if words.contains(text) { return }
            findings.report(
                .unknownWord, at: value.place,
                "unknown value \(quoted(text)) for '\(name)'; expected \(type.expectation)",
                hint: suggestion(for: text, among: words)
            )
        case (.list(let element), .list(let items)):
            for item in items where !findings.isFull { check(item, name: name, against: element) }
        case (.lines, .list(let items)):
            for item in items where !findings.isFull { check(item, name: name, against: .text) }
        case (.texts, .mapping(let entries)):
            for entry in entries where !findings.isFull {
                if entry.value.isNull {
                    findings.report(
                        .wrongType, at: entry.value.place, "\(quoted(entry.key)) has no value; expected a text",
                        hint: "write '' for an empty one"
                    )
                } else {
                    check(entry.value, name: entry.key, against: .text)
                }
            }
        case (.lists, .mapping(let entries)):
            // A name without a value is an empty list: a group that nobody is in yet.
            for entry in entries where !entry.value.isNull && !findings.isFull {
                check(entry.value, name: entry.key, against: .list(.text))
            }
        case (.record(let keys), .mapping(let entries)), (.textOrRecord(let keys), .mapping(let entries)):
            check(entries, at: value.place, against: keys)
        case (.dependencies, .list):
            break  // the environment reader checks each item, for files too
        default:
            mismatch(value, name, type)
        }
    }

    private func checkBoolean(_ text: String, _ style: YamlValue.Style, _ value: YamlValue, _ name: String) {
        if style == .plain, ["true", "True", "TRUE", "false", "False", "FALSE"].contains(text) { return }
        let hint: String? =
            switch text.lowercased() {
            case "yes", "on", "y", "true", "1": "write true"
            case "no", "off", "n", "false", "0": "write false"
            default: nil
            }
        findings.report(
            .wrongType, at: value.place, "expected true or false for '\(name)', found \(quoted(text))", hint: hint
        )
    }

    private func mismatch(_ value: YamlValue, _ name: String, _ type: ValueType) {
        findings.report(
            .wrongType, at: value.place, "expected \(type.expectation) for '\(name)', found \(value.kindName)")
    }
}
