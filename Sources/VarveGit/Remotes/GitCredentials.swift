// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc

/// What varve may show a remote to be let in, each once a connection.
///
/// For ssh: the key files in order, else the agent of `SSH_AUTH_SOCK`, else `~/.ssh/id_ed25519` and `id_ecdsa`.
/// For http: the user and password here, else those in the address, else those of the netrc file.
public struct GitCredentials: Sendable {
    /// Private keys for ssh, ed25519 or ecdsa; the public key stands beside each as `.pub`.
    ///
    /// Where there are none, the user's own are taken.
    public var keyFiles: [String]
    /// What unlocks the private keys.
    public var passphrase: String?
    /// Whether the agent of `SSH_AUTH_SOCK` is asked when no key file is given.
    public var usesAgent: Bool
    /// The file of known host keys; nil: `~/.ssh/known_hosts`, then `/etc/ssh/ssh_known_hosts`.
    public var knownHosts: String?
    /// The user for http.
    public var user: String?
    /// The password or token for http.
    public var password: String?
    /// The file of the password or token for http, read at each connection; used where `password` is nil.
    public var passwordFile: String?
    /// The netrc file; nil: that of `NETRC`, else `~/.netrc`.
    public var netrc: String?

    /// The home folder of the user whose keys, known hosts and netrc are taken where nothing else is named.
    public var home: String

    /// The keys, agent, known hosts and netrc of a user; nil: of the user of `HOME`.
    public init(home: String? = nil) {
        keyFiles = []
        usesAgent = true
        self.home = home ?? GitLibrary.environment("HOME") ?? "/root"
    }

    /// A token for http, offered with a user name that every host ignores.
    public init(token: String, user: String = "x-access-token") {
        self.init()
        self.user = user
        password = token
    }
}

/// One thing to offer.
enum CredentialOffer: Equatable {
    case key(file: String, passphrase: String?)
    case agent
    case password(user: String, password: String)
}

extension GitCredentials {
    /// What to offer over ssh, in order, and why RSA keys are not among it where there are any.
    func sshOffers() -> (offers: [CredentialOffer], refusedRSA: String?) {
        var offers: [CredentialOffer] = []
        var refused: String?
        var files = keyFiles
        if files.isEmpty {
            if usesAgent, GitLibrary.environment("SSH_AUTH_SOCK") != nil { offers.append(.agent) }
            files = ["id_ed25519", "id_ecdsa", "id_rsa"].map { home + "/.ssh/" + $0 }.filter {
                access($0, F_OK) == 0
            }
        }
        for file in files {
            if Self.isRSA(file) { refused = file } else { offers.append(.key(file: file, passphrase: passphrase)) }
        }
        return (offers, refused)
    }

    /// What to offer to the host over http, in order.
    func httpOffers(host: String, address: String) -> [CredentialOffer] {
        if let password = password ?? filedPassword() {
            return [.password(user: user ?? "x-access-token", password: password)]
        }
        if let inAddress = Self.userInfo(of: address) { return [inAddress] }
        let path = netrc ?? GitLibrary.environment("NETRC") ?? home + "/.netrc"
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return Self.netrcEntry(for: host, in: String(decoding: data, as: UTF8.self)).map { [$0] } ?? []
    }

    /// The password of the file: its first line; nil where there is none.
    private func filedPassword() -> String? {
        guard let passwordFile, let data = FileManager.default.contents(atPath: passwordFile), data.count <= 1 << 16
        else { return nil }
        let line = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).first ?? ""
        let word = line.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
        return word.isEmpty ? nil : word
    }

    /// libssh2 1.10 signs RSA only with SHA-1, which current servers refuse.
    private static func isRSA(_ file: String) -> Bool {
        if let data = FileManager.default.contents(atPath: file + ".pub") {
            return data.starts(with: Array("ssh-rsa ".utf8))
        }
        guard let data = FileManager.default.contents(atPath: file) else { return false }
        return data.starts(with: Array("-----BEGIN RSA".utf8))
    }

    private static func userInfo(of address: String) -> CredentialOffer? {
        guard let scheme = address.firstRange(of: "://") else { return nil }
        let authority = address[scheme.upperBound...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return nil }
        let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let decoded = parts.map { percentDecoded($0) ?? String($0) }
        return .password(user: decoded[0], password: decoded.count > 1 ? decoded[1] : "")
    }

    /// The entry of a netrc text for a host, else its `default`; `macdef` ends the reading.
    static func netrcEntry(for host: String, in text: String) -> CredentialOffer? {
        var words = text.split { $0.isWhitespace }[...]
        var applies = false
        var user: String?
        while let word = words.popFirst(), word != "macdef" {
            switch word {
            case "machine": applies = words.popFirst().map { $0 == host } ?? false
            case "default": applies = true
            case "login":
                let value = words.popFirst()
                if applies { user = value.map(String.init) }
            case "password":
                let value = words.popFirst()
                if applies, let value { return .password(user: user ?? "", password: String(value)) }
            default: break
            }
        }
        return nil
    }
}
