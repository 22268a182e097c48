// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Removes credentials from text that leaves a build: the values of given secrets, and the forms that `redacted` knows.
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
        return redacted(text)
    }

    private static func userPart(of url: String) -> Substring? {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return authority.lastIndex(of: "@").map { authority[..<$0] }
    }
}
