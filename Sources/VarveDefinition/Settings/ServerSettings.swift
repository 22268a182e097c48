// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// What the daemon answers over HTTP, as its file gives it.
public struct ServerSettings: Hashable, Sendable {
    /// Somebody who may ask.
    public struct Token: Hashable, Sendable {
        /// The user's name, as owners of images name it.
        public var user: String
        /// The name for people.
        public var name: String
        /// The address, for commits in the user's name.
        public var email: String?
        /// The groups, as owners of images name them.
        public var groups: [String]
        /// `read`, `act` or both.
        public var scopes: [String]
        /// The SHA-256 of the token: 64 lower-case hexadecimal digits.
        public var sha256: String
    }

    /// The address to listen on.
    public var host = "127.0.0.1"
    /// The port; 0 takes a free one.
    public var port = 8_080
    /// The file of the certificate and its chain, PEM; nil serves without TLS.
    public var certificate: String?
    /// The file of the certificate's private key, PEM.
    public var key: String?
    /// Whether `/metrics` answers without a token.
    public var openMetrics = false
    /// Who may ask for what.
    public var tokens: [Token] = []
}

extension DaemonKeys {
    /// The keys of `server`.
    public static let server: [KeyDescription] = [
        KeyDescription("listen", .text, default: "127.0.0.1:8080", "The address and the port: HOST:PORT."),
        KeyDescription("certificate", .text, default: "no TLS", "The file of the certificate and its chain, PEM."),
        KeyDescription("key", .text, default: "no TLS", "The file of the certificate's private key, PEM."),
        KeyDescription("openMetrics", .boolean, default: "false", "Whether /metrics answers without a token."),
        KeyDescription("tokens", .list(.record(token)), default: "empty", "Who may ask for what; see 'varve token'."),
    ]

    /// The keys of one token.
    public static let token: [KeyDescription] = [
        KeyDescription("user", .text, default: nil, "The user's name, as owners of images name it."),
        KeyDescription("name", .text, default: "the user", "The name for people."),
        KeyDescription("email", .text, default: "none", "The address, for commits in the user's name."),
        KeyDescription("groups", .list(.text), default: "empty", "The groups, as owners of images name them."),
        KeyDescription("scopes", .list(.word(["read", "act"])), default: "[read]", "What the token may do."),
        KeyDescription("sha256", .text, default: nil, "The SHA-256 of the token, as 'varve token' prints it."),
    ]
}

extension ServerSettings {
    /// Reads the value of `server`, whose shape is checked already.
    static func read(_ value: YamlValue?, _ findings: Findings) -> ServerSettings? {
        guard let value else { return nil }
        var settings = ServerSettings()
        if let listen = value["listen"], let text = listen.text {
            settings.read(listen: text, at: listen.place, findings)
        }
        settings.certificate = value["certificate"]?.text
        settings.key = value["key"]?.text
        if (settings.certificate == nil) != (settings.key == nil) {
            let given = settings.key == nil ? "certificate" : "key"
            findings.report(
                .settingValue, at: value[given]?.place ?? value.place,
                "'\(given)' is given without '\(given == "key" ? "certificate" : "key")'; TLS needs both")
        }
        settings.openMetrics = value["openMetrics"]?.text?.lowercased() == "true"
        for item in value["tokens"]?.items ?? [] {
            guard let token = Token(item, findings) else { continue }
            if settings.tokens.contains(where: { $0.sha256 == token.sha256 }) {
                findings.report(
                    .settingValue, at: item["sha256"]?.place ?? item.place, "two entries have the same token",
                    hint: "make one token for each user with 'varve token'")
            }
            settings.tokens.append(token)
        }
        return settings
    }

    private mutating func read(listen text: String, at place: Place, _ findings: Findings) {
        if let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        {
            var host = text[..<colon]
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
            let isAddress = text.hasPrefix("[") || !host.contains(":")
            if !host.isEmpty, isAddress, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x2f }) {
                self.host = String(host)
                self.port = port
                return
            }
        }
        findings.report(
            .settingValue, at: place, "\(quoted(text)) is not an address to listen on; expected HOST:PORT",
            hint: "write '127.0.0.1:8080' for this machine alone, '0.0.0.0:8080' or '[::]:8080' for all")
    }
}

extension ServerSettings.Token {
    /// Reads one entry; nil where a part is missing, which the check of the shape has told.
    fileprivate init?(_ item: YamlValue, _ findings: Findings) {
        guard let user = item["user"]?.text, let sha256 = item["sha256"]?.text else { return nil }
        self.user = user
        name = item["name"]?.text ?? user
        email = item["email"]?.text
        groups = item["groups"]?.items?.compactMap(\.text) ?? []
        scopes = item["scopes"]?.items?.compactMap(\.text) ?? ["read"]
        self.sha256 = sha256
        if sha256.utf8.count != 64 || !sha256.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) {
            // Not quoted: somebody may have put the token itself here.
            findings.report(
                .settingValue, at: item["sha256"]?.place ?? item.place,
                "'sha256' is not a SHA-256; expected 64 lower-case hexadecimal digits",
                hint: "'varve token' prints the entry; the token itself belongs to its user, not into this file")
        }
        for (key, text) in [("user", user), ("name", item["name"]?.text ?? "-"), ("email", email ?? "-")] {
            // They go into the head of a commit, where these would end the name.
            if text.isEmpty
                || text.unicodeScalars.contains(where: { $0.value < 0x20 || "<>\u{7f}".unicodeScalars.contains($0) })
            {
                findings.report(
                    .settingValue, at: item[key]?.place ?? item.place,
                    "\(quoted(text)) cannot be the '\(key)' of a user: it is empty or has <, > or a control character")
            }
        }
    }
}
