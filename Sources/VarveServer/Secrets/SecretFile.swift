// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials

/// A secret that cannot be read.
public struct SecretFileError: Error, Hashable, Sendable {
    /// The file.
    public var path: String
    /// What is wrong with it; never what it holds.
    public var cause: String
}

extension SecretFileError: CustomStringConvertible {
    /// What could not be done, to what, and why.
    public var description: String { "failed to read secret file '\(path)': \(cause)" }
}

/// A shared secret or a token, which prints as stars.
public struct Secret: Sendable {
    let bytes: [UInt8]

    /// A secret that is known already.
    public init(_ text: String) { bytes = Array(text.utf8) }

    /// Reads a file; a line end at its end does not count.
    ///
    /// - Throws: `SecretFileError` where it cannot be read, is empty or is too large for a secret.
    public init(file path: String) throws(SecretFileError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw SecretFileError(path: path, cause: "it is not there or cannot be read")
        }
        var bytes = Array(data)
        if bytes.last == 0x0a { bytes.removeLast() }
        if bytes.last == 0x0d { bytes.removeLast() }
        guard !bytes.isEmpty else { throw SecretFileError(path: path, cause: "it is empty") }
        guard bytes.count <= 16_384 else { throw SecretFileError(path: path, cause: "it has more than 16 KiB") }
        self.bytes = bytes
    }

    /// The text, for a header.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The HMAC-SHA256 of a body, in hexadecimal digits.
    func signature(of body: some DataProtocol) -> String {
        HMAC<SHA256>.authenticationCode(for: body, using: SymmetricKey(data: bytes))
            .map { byte in
                let digits = String(byte, radix: 16)
                return byte < 16 ? "0" + digits : digits
            }.joined()
    }

    /// Whether a signature, in hexadecimal digits, is that of a body; takes as long whichever digit is wrong.
    func signs(_ body: [UInt8], as signature: some StringProtocol) -> Bool {
        guard let code = Self.bytes(ofHexadecimal: signature), code.count == SHA256.byteCount else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: body, using: SymmetricKey(data: bytes))
    }

    /// Whether a token is this one; takes as long whichever byte of it is wrong, and whatever its length.
    func equals(_ token: some StringProtocol) -> Bool {
        // Codes under a key that nobody knows have one length, and say nothing of what they were made from.
        let key = SymmetricKey(size: .bits256)
        let expected = HMAC<SHA256>.authenticationCode(for: bytes, using: key)
        return HMAC<SHA256>.isValidAuthenticationCode(expected, authenticating: Array(token.utf8), using: key)
    }

    private static func bytes(ofHexadecimal text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == SHA256.byteCount * 2 else { return nil }
        var result: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            result.append(high << 4 | low)
        }
        return result
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x37
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Stars.
    public var description: String { "***" }
    /// Stars.
    public var debugDescription: String { "***" }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
