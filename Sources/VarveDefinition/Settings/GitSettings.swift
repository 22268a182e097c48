// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// What a Git remote is shown, and who the commits of the notes are from.
public struct GitSettings: Hashable, Sendable {
    /// The file of a private key for ssh.
    public var sshKey: String?
    /// The file of known host keys.
    public var knownHosts: String?
    /// The file that holds a token or password for http and nothing else; read at each connection.
    public var tokenFile: String?
    /// The user that the token belongs to.
    public var username: String?
    /// The netrc file.
    public var netrc: String?
    /// The author's name.
    public var name: String?
    /// The author's mail address.
    public var email: String?

    /// Nothing is set.
    public init() {}

    /// The keys of `credentials`.
    public static let credentialKeys: [KeyDescription] = [
        KeyDescription(
            "sshKey", .text, default: "the agent, else ~/.ssh/id_ed25519 and id_ecdsa",
            "The file of a private key for ssh: ed25519 or ecdsa, without a passphrase."),
        KeyDescription(
            "knownHosts", .text, default: "~/.ssh/known_hosts, then /etc/ssh/ssh_known_hosts",
            "The file of the host keys that are trusted."),
        KeyDescription(
            "tokenFile", .text, default: "none",
            "A file with a token or password for http; read at each connection, so that it can be replaced."),
        KeyDescription("username", .text, default: "x-access-token", "The user that the token belongs to."),
        KeyDescription("netrc", .text, default: "$NETRC, else ~/.netrc", "The netrc file for http."),
    ]

    /// The keys of `identity`.
    public static let identityKeys: [KeyDescription] = [
        KeyDescription("name", .text, default: "user.name of Git, else varve", "The author of the notes' commits."),
        KeyDescription("email", .text, default: "user.email of Git, else varve@localhost", "The author's address."),
    ]

    /// What is set here, else there.
    public func merging(_ other: GitSettings) -> GitSettings {
        var result = other
        for path in [
            \GitSettings.sshKey, \.knownHosts, \.tokenFile, \.username, \.netrc, \.name, \.email,
        ] {
            result[keyPath: path] = self[keyPath: path] ?? other[keyPath: path]
        }
        return result
    }

    /// Reads `credentials` and `identity` of the document or of one repository.
    static func read(_ value: YamlValue, _ findings: Findings) -> GitSettings {
        var settings = GitSettings()
        let credentials = value["credentials"]
        for (key, path) in [
            ("sshKey", \GitSettings.sshKey), ("knownHosts", \.knownHosts), ("tokenFile", \.tokenFile),
            ("netrc", \.netrc),
        ] {
            guard let value = credentials?[key], let text = value.text else { continue }
            if text.hasPrefix("/") {
                settings[keyPath: path] = text
            } else {
                findings.report(
                    .settingValue, at: value.place, "\(quoted(text)) is not a file for '\(key)'",
                    hint: "write its absolute path; the secret itself is never in this file")
            }
        }
        settings.username = credentials?["username"]?.text
        if let username = credentials?["username"], settings.tokenFile == nil {
            findings.report(
                .settingValue, at: username.place, "'username' is given without 'tokenFile'",
                hint: "name the file of the token beside it")
        }
        let identity = value["identity"]
        for (key, path, other) in [("name", \GitSettings.name, "email"), ("email", \.email, "name")] {
            guard let value = identity?[key], let text = value.text else { continue }
            // What would end the line of the commit, or the name in it.
            if text.unicodeScalars.contains(where: { "<>\n\r\0".unicodeScalars.contains($0) })
                || identity?[other] == nil
            {
                findings.report(
                    .settingValue, at: value.place, "\(quoted(text)) is not an author's \(key)",
                    hint: "write 'name' and 'email' together, without line ends, '<' or '>'")
            } else {
                settings[keyPath: path] = text
            }
        }
        return settings
    }
}
