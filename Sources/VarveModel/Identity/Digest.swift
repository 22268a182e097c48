// SPDX-License-Identifier: Apache-2.0

/// A content digest as the OCI image specification writes it: `sha256:` and 64 lower-case hexadecimal digits.
///
/// Only SHA-256 is accepted: it is the one algorithm that every registry and storage driver varve uses agrees on.
public struct Digest: Hashable, Sendable, Comparable {
    private let value: SHA256Value

    /// The 64 hexadecimal digits, without the algorithm.
    public var hex: String { value.hex }

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
        guard let value = SHA256Value(hex: hex) else {
            throw ValueError(type: "digest", value: hex, rule: "expected 64 lower-case hexadecimal digits")
        }
        self.value = value
    }

    /// Takes the 32 bytes that SHA-256 gives; shorter input is padded with zero bytes, longer input is cut.
    public init(bytes: [UInt8]) { value = SHA256Value(bytes: bytes) }

    /// Orders by the digits, so that output is stable.
    public static func < (left: Digest, right: Digest) -> Bool { left.value < right.value }
}

extension Digest: CustomStringConvertible {
    /// `sha256:` and the digits.
    public var description: String { "sha256:" + hex }
}

extension Digest: TextualValue {}
