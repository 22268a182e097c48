// SPDX-License-Identifier: Apache-2.0

/// An operating system and architecture as the OCI image specification writes them: `linux/amd64`, `linux/arm/v7`.
public struct Platform: Hashable, Sendable, Comparable {
    /// The operating system; always `linux`.
    public let os: String
    /// The architecture in Go's names: `amd64`, `arm64`.
    public let architecture: String
    /// The variant, where the architecture has one.
    public let variant: String?

    /// Reads `linux/ARCHITECTURE[/VARIANT]`.
    ///
    /// - Throws: `ValueError` for any other form or operating system.
    public init(_ text: String) throws(ValueError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        func isWord(_ part: String) -> Bool {
            !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) }
        }
        guard (2...3).contains(parts.count), parts[0] == "linux", parts.allSatisfy(isWord) else {
            throw ValueError(
                type: "platform", value: text, rule: "expected linux/ARCHITECTURE, for instance linux/amd64")
        }
        os = parts[0]
        architecture = parts[1]
        variant = parts.count == 3 ? parts[2] : nil
    }

    /// Orders by the text, so that output is stable.
    public static func < (left: Platform, right: Platform) -> Bool { left.description < right.description }
}

extension Platform: TextualValue {}

extension Platform: CustomStringConvertible {
    /// The textual form.
    public var description: String { os + "/" + architecture + (variant.map { "/" + $0 } ?? "") }
}
