// SPDX-License-Identifier: Apache-2.0

/// A content digest as the OCI image specification writes it: `sha256:` and 64 lower-case hexadecimal digits.
///
/// Only SHA-256 is accepted: it is the one algorithm that every registry and storage driver varve uses agrees on.
public struct Digest: Hashable, Sendable, Comparable {
    /// The 64 hexadecimal digits, without the algorithm.
    public let hex: String

    /// Reads `sha256:<64 lower-case hexadecimal digits>`.
    ///
    /// - Throws: `ValueError` when the text is anything else.
    public init(_ text: String) throws(ValueError) {
        guard text.hasPrefix("sha256:") else {
            throw ValueError(type: "digest", value: text, rule: "expected sha256:<64 hexadecimal digits>")
        }
        try self.init(hex: String(text.dropFirst(7)))
    }

    /// Takes the 64 hexadecimal digits alone.
    ///
    /// - Throws: `ValueError` when there are not exactly 64 lower-case hexadecimal digits.
    public init(hex: String) throws(ValueError) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy(isLowerHexDigit) else {
            throw ValueError(type: "digest", value: hex, rule: "expected 64 lower-case hexadecimal digits")
        }
        self.hex = hex
    }

    /// Takes the 32 bytes that SHA-256 gives; shorter input is padded with zero bytes, longer input is cut.
    public init(bytes: [UInt8]) {
        hex = hexadecimal(Array((bytes + [UInt8](repeating: 0, count: 32)).prefix(32)))
    }

    /// Orders by the digits, so that output is stable.
    public static func < (left: Digest, right: Digest) -> Bool { left.hex < right.hex }
}

extension Digest: CustomStringConvertible {
    /// `sha256:` and the digits.
    public var description: String { "sha256:" + hex }
}

extension Digest: TextualValue {}

/// Whether a byte is one of `0-9a-f`.
func isLowerHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
}
