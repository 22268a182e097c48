// SPDX-License-Identifier: Apache-2.0

/// The identity of one layer: a SHA-256 over everything that decides what the layer holds.
///
/// Two layers of equal key are interchangeable, whichever image or commit asked for them.
public struct LayerKey: Hashable, Sendable, Comparable {
    private let value: SHA256Value

    /// 64 lower-case hexadecimal digits.
    public var hex: String { value.hex }

    /// Takes the hexadecimal form.
    ///
    /// - Throws: `ValueError` when there are not exactly 64 lower-case hexadecimal digits.
    public init(hex: String) throws(ValueError) {
        guard let value = SHA256Value(hex: hex) else {
            throw ValueError(type: "layer key", value: hex, rule: "expected 64 lower-case hexadecimal digits")
        }
        self.value = value
    }

    /// The first twelve digits, for people.
    public var short: String { String(hex.prefix(12)) }

    /// Takes the 32 bytes that SHA-256 gives; shorter input is padded with zero bytes, longer input is cut.
    public init(bytes: [UInt8]) { value = SHA256Value(bytes: bytes) }

    /// Orders by the digits, so that output is stable.
    public static func < (left: LayerKey, right: LayerKey) -> Bool { left.value < right.value }
}

extension LayerKey: CustomStringConvertible {
    /// The hexadecimal digits.
    public var description: String { hex }
}

extension LayerKey: TextualValue {
    /// Reads the hexadecimal form.
    ///
    /// - Throws: as `init(hex:)`.
    public init(_ text: String) throws(ValueError) { try self.init(hex: text) }
}
