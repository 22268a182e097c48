// SPDX-License-Identifier: Apache-2.0

/// The id of a Git object: a commit, a tree or a blob, as 40 lower-case hexadecimal digits (SHA-1).
public struct ObjectID: Hashable, Sendable, Comparable {
    private let value: SHA1Value

    /// 40 lower-case hexadecimal digits.
    public var hex: String { value.hex }

    /// Takes the hexadecimal form.
    ///
    /// - Throws: `ValueError` when there are not exactly 40 lower-case hexadecimal digits.
    public init(hex: String) throws(ValueError) {
        guard let value = SHA1Value(hex: hex) else {
            throw ValueError(type: "Git object id", value: hex, rule: "expected 40 lower-case hexadecimal digits")
        }
        self.value = value
    }

    /// The first ten digits, for people.
    public var short: String { String(hex.prefix(10)) }

    /// Orders by the digits, so that output is stable.
    public static func < (left: ObjectID, right: ObjectID) -> Bool { left.value < right.value }
}

extension ObjectID: CustomStringConvertible {
    /// The hexadecimal digits.
    public var description: String { hex }
}

extension ObjectID: TextualValue {
    /// Reads the hexadecimal form.
    ///
    /// - Throws: as `init(hex:)`.
    public init(_ text: String) throws(ValueError) { try self.init(hex: text) }
}
