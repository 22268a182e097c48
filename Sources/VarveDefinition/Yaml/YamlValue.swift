// SPDX-License-Identifier: Apache-2.0

/// A value of a YAML document with the place where it stands; scalars are kept as the text that was written.
struct YamlValue: Sendable {
    enum Content: Sendable {
        case scalar(String, style: Style)
        case list([YamlValue])
        case mapping([Entry])
    }

    /// How a scalar was written.
    enum Style: Sendable {
        case plain
        case quoted
        case block
    }

    /// One key of a mapping with its value.
    struct Entry: Sendable {
        var key: String
        var place: Place
        var value: YamlValue
    }

    var content: Content
    var place: Place

    /// Whether nothing was written: an empty plain scalar, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let text, .plain) = content else { return false }
        return text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL"
    }

    /// The text of a scalar that is not null.
    var text: String? {
        guard case .scalar(let text, _) = content, !isNull else { return nil }
        return text
    }

    /// The items of a list.
    var items: [YamlValue]? {
        guard case .list(let items) = content else { return nil }
        return items
    }

    /// The entries of a mapping.
    var entries: [Entry]? {
        guard case .mapping(let entries) = content else { return nil }
        return entries
    }

    /// The value of a key that is given and not null.
    subscript(key: String) -> YamlValue? {
        guard let value = entries?.first(where: { $0.key == key })?.value, !value.isNull else { return nil }
        return value
    }

    /// What the value is, as a person would call it.
    var kindName: String {
        switch content {
        case .scalar: isNull ? "nothing" : "a text"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }
}
