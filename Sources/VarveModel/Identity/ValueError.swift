// SPDX-License-Identifier: Apache-2.0

/// A text that is not a valid value of its type: a digest, a key, a name, a path.
public struct ValueError: Error, Hashable, Sendable {
    /// What was being read, as a person would call it: `digest`, `image name`.
    public let type: String
    /// The offending text.
    public let value: String
    /// The rule that the text breaks, worded as what was expected.
    public let rule: String

    /// Names the type, the text and the rule it breaks.
    public init(type: String, value: String, rule: String) {
        self.type = type
        self.value = value
        self.rule = rule
    }
}

extension ValueError: CustomStringConvertible {
    /// `not a valid <type> '<value>': <rule>`, with control characters made visible.
    public var description: String { "not a valid \(type) '\(singleLine(value, limit: 200))': \(rule)" }
}
