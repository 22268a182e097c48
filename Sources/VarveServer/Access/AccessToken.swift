// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials
import VarveModel

/// A secret that its user sends with each request; what is kept of it is its SHA-256.
///
/// It is 256 random bits, so no salt and no slow hash is needed: there is nothing to guess.
public struct AccessToken: Sendable {
    /// The text that the user keeps: `varve_` and 43 characters.
    public let text: String

    /// Makes a new token from the system's random numbers.
    public init() {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let base64 = Data(bytes).base64EncodedString()
        text = "varve_" + base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// The SHA-256 of the text, in lower-case hexadecimal digits: what the configuration holds.
    public var sha256: String { hexadecimal(Self.digest(of: text)) }

    /// The SHA-256 of a token's text.
    static func digest(of text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }
}

/// Who may ask: the users of all tokens.
public struct TokenTable: Sendable {
    private var entries: [(digest: [UInt8], principal: Principal)] = []

    /// A table without users.
    public init() {}

    /// Adds the user of a token by the token's SHA-256.
    ///
    /// - Returns: Whether the digest has 64 hexadecimal digits; nothing is added where it has not.
    public mutating func add(sha256: String, _ principal: Principal) -> Bool {
        let digits = sha256.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard digits.count == 64, sha256.utf8.count == 64 else { return false }
        let bytes = stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
        entries.append((bytes, principal))
        return true
    }

    /// The user of an `Authorization: Bearer` header; nil for any other header and any other token.
    ///
    /// Takes as long for every token: each digest is compared to its end, and all of them are.
    public func principal(authorization: String?) -> Principal? {
        guard let authorization, authorization.utf8.count <= 1_024 else { return nil }
        let parts = authorization.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        let presented = AccessToken.digest(of: parts[1].filter { $0 != " " })
        var found = -1
        for (index, entry) in entries.enumerated() {
            var difference: UInt8 = 0
            for (left, right) in zip(entry.digest, presented) { difference |= left ^ right }
            if difference == 0 { found = index }
        }
        return found < 0 ? nil : entries[found].principal
    }
}
