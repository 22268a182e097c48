// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The encoding of paths and queries (RFC 3986, section 2.1).
enum PercentCoding {
    /// The text that an encoded one stands for; nil where a `%` encodes nothing, or the bytes are no UTF-8.
    static func decoded(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == 0x25 {
                guard let high = digit(rest.popFirst()), let low = digit(rest.popFirst()) else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == 0x2b ? 0x20 : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The parameters of a query.
    ///
    /// - Throws: `APIError` where it is not encoded well.
    static func parameters(_ query: Substring) throws(APIError) -> [APIRequest.Parameter] {
        var result: [APIRequest.Parameter] = []
        for part in query.split(separator: "&") {
            let pieces = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(pieces[0], plusIsSpace: true),
                let value = decoded(pieces.count > 1 ? pieces[1] : "", plusIsSpace: true)
            else { throw APIError(400, "invalid-query", "the query has a '%' that encodes nothing") }
            result.append(APIRequest.Parameter(name: name, value: value))
        }
        return result
    }

    private static func digit(_ byte: UInt8?) -> UInt8? {
        guard let byte else { return nil }
        return Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}

/// Text of a request in a message.
enum Quoted {
    /// The text between quotation marks, on one line and bounded.
    static func text(_ text: String) -> String { "'\(singleLine(text, limit: 80))'" }
}
