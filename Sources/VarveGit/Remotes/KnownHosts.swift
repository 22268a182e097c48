// SPDX-License-Identifier: Apache-2.0

import Crypto
import FoundationEssentials

/// The host keys that a user trusts, as OpenSSH's `known_hosts` keeps them (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
///
/// Plain, pattern and hashed names, `[host]:port` and `@revoked` count; `@cert-authority` lines do not.
struct KnownHosts {
    private struct Line {
        var isRevoked: Bool
        var names: [Substring]
        var type: Substring
        var key: [UInt8]
    }

    private let file: String
    private let lines: [Line]

    /// Reads one file, or the user's and then the system's where none is named; one that is not there is empty.
    init(file: String?, home: String) {
        let files = file.map { [$0] } ?? [home + "/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"]
        self.file = files[0]
        let text = files.compactMap { FileManager.default.contents(atPath: $0) }
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
        lines = text.split(whereSeparator: \.isNewline).compactMap(Self.line)
    }

    private static func line(_ text: Substring) -> Line? {
        var fields = text.split { $0 == " " || $0 == "\t" }[...]
        guard let first = fields.first, !first.hasPrefix("#") else { return nil }
        let isRevoked = first == "@revoked"
        if first.hasPrefix("@") {
            guard isRevoked else { return nil }
            fields = fields.dropFirst()
        }
        guard fields.count >= 3, let names = fields.popFirst(), let type = fields.popFirst(),
            let text = fields.popFirst(),
            let key = Data(base64Encoded: String(text))
        else { return nil }
        return Line(isRevoked: isRevoked, names: names.split(separator: ","), type: type, key: Array(key))
    }

    /// Whether a host may be talked to: nil when it shows a key that is known for it, else why not and what to do.
    func judge(host: String, port: UInt16?, key: [UInt8]) -> GitError? {
        let name = port.map { $0 == 22 ? host : "[\(host)]:\($0)" } ?? host
        let type = Self.type(of: key)
        let subject = "trust host '\(name)'"
        let matching = lines.filter { Self.matches($0.names, name.lowercased()) }
        if lines.contains(where: { $0.isRevoked && $0.key == key && Self.matches($0.names, name.lowercased()) }) {
            return GitError(.untrustedHost, subject, "its \(type) key is revoked in '\(file)'")
        }
        let trusted = matching.filter { !$0.isRevoked }
        if trusted.contains(where: { $0.key == key }) { return nil }
        let scan = "ssh-keyscan" + (port.map { " -p \($0)" } ?? "") + " -t \(Self.scanType(type)) \(host) >> '\(file)'"
        if trusted.contains(where: { $0.type == type }) {
            return GitError(
                .untrustedHost, subject,
                "its \(type) key is not the one in '\(file)'; someone may be in between. If the host was set up anew, run: "
                    + "ssh-keygen -R '\(name)', check the new key's fingerprint, then run: \(scan)")
        }
        return GitError(
            .untrustedHost, subject,
            "its \(type) key is not in '\(file)'; check its fingerprint, then run: \(scan)")
    }

    /// The type of a key in wire form: a length of four bytes and a name (RFC 4253, section 6.6).
    private static func type(of key: [UInt8]) -> String {
        guard key.count > 4 else { return "unknown" }
        let length = key[..<4].reduce(0) { $0 << 8 | Int($1) }
        return singleWord(key.dropFirst(4).prefix(min(length, 64)))
    }

    private static func singleWord(_ bytes: ArraySlice<UInt8>) -> String {
        let isPlain = bytes.allSatisfy { (0x21...0x7e).contains($0) }
        return isPlain ? String(decoding: bytes, as: UTF8.self) : "unknown"
    }

    private static func scanType(_ type: String) -> String {
        type.contains("ed25519") ? "ed25519" : type.contains("ecdsa") ? "ecdsa" : "rsa"
    }

    private static func matches(_ patterns: [Substring], _ name: String) -> Bool {
        var isMatch = false
        for pattern in patterns {
            if pattern.hasPrefix("|1|") {
                if isHash(pattern, of: name) { isMatch = true }
            } else if pattern.hasPrefix("!") {
                if glob(Array(pattern.dropFirst().lowercased()), Array(name)) { return false }
            } else if glob(Array(pattern.lowercased()), Array(name)) {
                isMatch = true
            }
        }
        return isMatch
    }

    /// `|1|salt|hash` with hash = HMAC-SHA1(salt, name).
    private static func isHash(_ text: Substring, of name: String) -> Bool {
        let parts = text.split(separator: "|")
        guard parts.count == 3, let salt = Data(base64Encoded: String(parts[1])),
            let hash = Data(base64Encoded: String(parts[2]))
        else { return false }
        // SHA-1 hides the name and nothing more; nothing is trusted because of it.
        let key = SymmetricKey(data: salt)
        return HMAC<Insecure.SHA1>.isValidAuthenticationCode(hash, authenticating: Data(name.utf8), using: key)
    }

    /// `*` stands for any text, `?` for one character; brackets are plain, since they enclose hosts with ports.
    private static func glob(_ pattern: [Character], _ text: [Character]) -> Bool {
        var patternIndex = 0
        var textIndex = 0
        var star: (pattern: Int, text: Int)?
        while textIndex < text.count {
            if patternIndex < pattern.count, pattern[patternIndex] == "*" {
                star = (patternIndex, textIndex)
                patternIndex += 1
            } else if patternIndex < pattern.count,
                pattern[patternIndex] == "?" || pattern[patternIndex] == text[textIndex]
            {
                patternIndex += 1
                textIndex += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                patternIndex = last.pattern + 1
                textIndex = last.text + 1
            } else {
                return false
            }
        }
        return pattern[patternIndex...].allSatisfy { $0 == "*" }
    }
}
