// SPDX-License-Identifier: Apache-2.0

/// What varve asks of every URL in a definition.
enum UrlCheck {
    /// The scheme in lower case, nil where the text does not begin with one.
    static func scheme(of text: some StringProtocol) -> String? {
        guard let colon = text.utf8.firstIndex(of: 0x3A) else { return nil }
        let scheme = text[..<colon].lowercased()
        guard let first = scheme.utf8.first, isLetter(first) else { return nil }
        return scheme.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E } ? scheme : nil
    }

    /// Whether a URL holds a password or token: any user part of an http(s) URL, a password elsewhere, or conda's `/t/TOKEN/`.
    ///
    /// `git+ssh://git@host` names an account that holds no secret, so it stays allowed.
    static func hasCredentials(_ url: some StringProtocol) -> Bool {
        guard let scheme = scheme(of: url) else { return false }
        let rest = Array(url.utf8).dropFirst(scheme.utf8.count + 1)
        guard rest.starts(with: "//".utf8) else { return false }
        let authority = rest.dropFirst(2).prefix { $0 != 0x2F && $0 != 0x3F && $0 != 0x23 }
        let path = rest.dropFirst(2 + authority.count)
        if let at = authority.lastIndex(of: 0x40) {
            let user = authority[..<at]
            let isShell = scheme == "ssh" || scheme.hasSuffix("+ssh")
            if !isShell || user.contains(0x3A) { return !user.isEmpty }
        }
        return path.starts(with: "/t/".utf8) && path.dropFirst(3).prefix { $0 != 0x2F }.count >= 4
    }
}
