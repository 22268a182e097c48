// SPDX-License-Identifier: Apache-2.0

/// The name of an image of this repository: one path component of the OCI distribution specification,
/// `[a-z0-9]+([._-][a-z0-9]+)*`, at most 128 characters.
///
/// A run of several separators is refused, although distribution allows `__` and `--`: two names that a person can
/// hardly tell apart would be two images.
public struct ImageName: Hashable, Sendable, Comparable {
    /// The name.
    public let value: String

    /// Reads a name.
    ///
    /// - Throws: `ValueError` when it is not of the form above.
    public init(_ value: String) throws(ValueError) {
        func isWord(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) }
        func isSeparator(_ byte: UInt8) -> Bool { byte == 0x2e || byte == 0x5f || byte == 0x2d }
        var previousIsWord = false
        var valid = (1...128).contains(value.utf8.count)
        for byte in value.utf8 {
            if isWord(byte) {
                previousIsWord = true
            } else if isSeparator(byte), previousIsWord {
                previousIsWord = false
            } else {
                valid = false
                break
            }
        }
        guard valid, previousIsWord else {
            throw ValueError(
                type: "image name",
                value: value,
                rule: "expected lower-case letters and digits, with single '.', '_' or '-' between them, at most 128"
            )
        }
        self.value = value
    }

    /// Orders by the text, so that output is stable.
    public static func < (left: ImageName, right: ImageName) -> Bool { left.value < right.value }
}

extension ImageName: CustomStringConvertible {
    /// The name.
    public var description: String { value }
}

extension ImageName: TextualValue {}
