// SPDX-License-Identifier: Apache-2.0

/// A value whose one written form is `description`; encoded as that text, and checked when it is decoded.
public protocol TextualValue: Codable, CustomStringConvertible {
    /// Reads the written form.
    ///
    /// - Throws: `ValueError` when the text is none.
    init(_ text: String) throws(ValueError)
}

extension TextualValue {
    /// Decodes the written form.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        try self.init(container.decode(String.self))
    }

    /// Encodes the written form.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
