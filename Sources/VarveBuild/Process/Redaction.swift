// SPDX-License-Identifier: Apache-2.0

/// Removes credentials from text that leaves a build: what stands before `@` in a URL, authorization headers, and the
/// values of given secrets.
struct Redaction: Sendable {
    private let secrets: [String]

    /// What stands in the place of a secret.
    static let mark = "***"

    /// A redaction of the general forms and of the given values; values too short to be a secret are left out, because
    /// they would blot out ordinary text.
    init(secrets: some Sequence<String> = []) {
        self.secrets = Set(secrets).filter { $0.utf8.count >= 6 }.sorted { $0.utf8.count > $1.utf8.count }
    }

    /// A redaction that also knows the secrets of an environment: values of variables whose name says so, and the user
    /// part of its URLs (proxies).
    init(environment: [String: String]) {
        let words = ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "APIKEY", "API_KEY", "CREDENTIAL", "PRIVATE_KEY"]
        var secrets: [String] = []
        for (name, value) in environment {
            let upper = name.uppercased()
            if words.contains(where: upper.contains) { secrets.append(value) }
            if let user = Self.userPart(of: value) {
                secrets.append(String(user))
                secrets += user.split(separator: ":", maxSplits: 1).dropFirst().map(String.init)
            }
        }
        self.init(secrets: secrets)
    }

    /// The text without credentials.
    func apply(to text: String) -> String {
        var text = text
        for secret in secrets where text.contains(secret) {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: Self.mark)
        }
        if text.contains("://") { text = Self.withoutUserParts(text) }
        let lower = text.lowercased()
        for scheme in ["bearer ", "basic "] where lower.contains(scheme) {
            text = Self.withoutWord(after: scheme, in: text)
        }
        for header in ["authorization:", "authorization="] where lower.contains(header) {
            text = Self.withoutRest(after: header, in: text)
        }
        return text
    }

    private static func userPart(of url: String) -> Substring? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return authority.lastIndex(of: "@").map { authority[..<$0] }
    }

    private static func withoutUserParts(_ text: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let scheme = rest.firstRange(of: "://") {
            result += rest[..<scheme.upperBound]
            rest = rest[scheme.upperBound...]
            let authority = rest.prefix { !$0.isWhitespace && !"/?#\"'<>,;)".contains($0) }
            if let at = authority.lastIndex(of: "@") {
                result += mark
                rest = rest[at...]
            }
        }
        return result + rest
    }

    private static func withoutWord(after marker: String, in text: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let range = rest.range(ofCaseless: marker) {
            result += rest[..<range.upperBound]
            rest = rest[range.upperBound...]
            let word = rest.prefix { !$0.isWhitespace && !"\"',;".contains($0) }
            // "basic auth" and the like are words of a sentence, not credentials.
            if word.utf8.count >= 8 {
                result += mark
                rest = rest[word.endIndex...]
            }
        }
        return result + rest
    }

    private static func withoutRest(after marker: String, in text: String) -> String {
        guard let range = Substring(text).range(ofCaseless: marker) else { return text }
        return text[..<range.upperBound] + " " + mark
    }
}

extension Substring {
    /// The first place of an ASCII lower-case marker, in any case.
    fileprivate func range(ofCaseless marker: String) -> Range<Index>? {
        let marker = Array(marker.utf8)
        var start = startIndex
        while start < endIndex {
            var index = start
            var count = 0
            while count < marker.count, index < endIndex, lowered(utf8[index]) == marker[count] {
                index = utf8.index(after: index)
                count += 1
            }
            if count == marker.count { return start..<index }
            start = utf8.index(after: start)
        }
        return nil
    }
}

/// An ASCII letter in lower case; any other byte as it is.
private func lowered(_ byte: UInt8) -> UInt8 {
    (0x41...0x5a).contains(byte) ? byte + 0x20 : byte
}
