// SPDX-License-Identifier: Apache-2.0

import CGit2

/// What libgit2's callbacks of one connection ask and tell.
///
/// Lives as long as the connection and stays on its thread.
final class RemoteDialogue {
    /// How the server answered for one reference.
    enum Answer: Equatable {
        case accepted
        case refused(String)
    }

    let address: RemoteAddress
    let cancellation: Cancellation
    private let credentials: GitCredentials
    private var offers: [CredentialOffer]?
    private(set) var answers: [String: Answer] = [:]
    /// The error that made a callback stop the call; it says more than libgit2 does.
    private(set) var error: GitError?

    init(_ address: RemoteAddress, _ credentials: GitCredentials, _ cancellation: Cancellation) {
        self.address = address
        self.credentials = credentials
        self.cancellation = cancellation
    }

    /// Fills in callbacks that know this dialogue, which must outlive their use.
    func install(in callbacks: inout git_remote_callbacks) {
        callbacks.payload = Unmanaged.passUnretained(self).toOpaque()
        callbacks.credentials = { out, url, user, allowed, payload in
            RemoteDialogue.of(payload)?.offer(
                out, url: url.map { String(cString: $0) } ?? "", user: user.map { String(cString: $0) }, allowed) ?? -1
        }
        callbacks.certificate_check = { certificate, valid, host, payload in
            guard let dialogue = RemoteDialogue.of(payload), let certificate, let host else { return -1 }
            return dialogue.judge(certificate, isValid: valid != 0, host: String(cString: host))
        }
        callbacks.push_update_reference = { name, status, payload in
            guard let dialogue = RemoteDialogue.of(payload), let name else { return -1 }
            dialogue.answers[String(cString: name)] = status.map { .refused(String(cString: $0)) } ?? .accepted
            return 0
        }
        callbacks.sideband_progress = { _, _, payload in RemoteDialogue.of(payload)?.goOn() ?? -1 }
        callbacks.transfer_progress = { _, payload in RemoteDialogue.of(payload)?.goOn() ?? -1 }
        callbacks.push_transfer_progress = { _, _, _, payload in RemoteDialogue.of(payload)?.goOn() ?? -1 }
    }

    private static func of(_ payload: UnsafeMutableRawPointer?) -> RemoteDialogue? {
        payload.map { Unmanaged<RemoteDialogue>.fromOpaque($0).takeUnretainedValue() }
    }

    private func goOn() -> Int32 {
        cancellation.noteProgress()
        if !cancellation.isCancelled { return 0 }
        return stop(GitError(.cancelled, "talk to '\(address.redacted)'", "the task was cancelled"))
    }

    private func stop(_ error: GitError) -> Int32 {
        self.error = self.error ?? error
        return GIT_EUSER.rawValue
    }

    /// The error of a failed call: the callback's own, else libgit2's.
    func failure(_ status: Int32, _ subject: String) -> GitError {
        let reported = GitError(status: status, subject)
        if let error { return GitError(error.code, subject, error.cause) }
        // libgit2 takes an address that it finds no repository at for one with a protocol that it does not know.
        if let folder = address.folder, !Self.isRepository(folder) {
            return GitError(.unreachable, subject, "there is no repository in that folder; is it mounted?")
        }
        // libgit2 files a refused or broken connection under the operating system's errors.
        return reported.code == .fileSystem && address.folder == nil
            ? GitError(.unreachable, subject, reported.cause) : reported
    }

    /// Whether a repository is in a folder, were it one that may not be opened.
    private static func isRepository(_ folder: String) -> Bool {
        var repository: OpaquePointer?
        let status = git_repository_open(&repository, folder)
        git_repository_free(repository)
        return status != GIT_ENOTFOUND.rawValue
    }

    // MARK: - Credentials

    private func offer(
        _ out: UnsafeMutablePointer<UnsafeMutablePointer<git_credential>?>?, url: String, user: String?,
        _ allowed: UInt32
    ) -> Int32 {
        if goOn() != 0 { return GIT_EUSER.rawValue }
        let name = user ?? "git"
        if allowed & GIT_CREDENTIAL_SSH_KEY.rawValue == 0, allowed & GIT_CREDENTIAL_USERNAME.rawValue != 0 {
            return git_credential_username_new(out, name)
        }
        let isSSH = allowed & GIT_CREDENTIAL_SSH_KEY.rawValue != 0
        var advice = "check the user and password, the token or the netrc file"
        if isSSH {
            let found = credentials.sshOffers()
            offers = offers ?? found.offers
            advice =
                found.refusedRSA.map {
                    "the RSA key '\($0)' cannot be used, since its SHA-1 signatures are refused by current servers"
                        + "; make another with: ssh-keygen -t ed25519"
                } ?? "give an ed25519 or ecdsa key that the server knows"
        } else if allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT.rawValue != 0 {
            offers = offers ?? credentials.httpOffers(host: Self.host(of: url), address: address.location)
        }
        // Each is offered once: libgit2 asks again and again while the server says no.
        guard let next = offers?.first else {
            return stop(
                GitError(.unauthorized, "log in to '\(address.redacted)'", "no credentials were accepted; \(advice)"))
        }
        offers?.removeFirst()
        switch next {
        case .agent: return git_credential_ssh_key_from_agent(out, name)
        case .key(let file, let passphrase):
            return git_credential_ssh_key_new(out, name, nil, file, passphrase)
        case .password(let user, let password): return git_credential_userpass_plaintext_new(out, user, password)
        }
    }

    private static func host(of url: String) -> String {
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        let authority = rest.prefix { $0 != "/" }
        return String((authority.split(separator: "@").last ?? "").prefix { $0 != ":" })
    }

    // MARK: - Host keys

    /// For ssh known_hosts decides and libgit2's own opinion is not asked; for https it is the one that counts.
    private func judge(_ certificate: UnsafeMutablePointer<git_cert>, isValid: Bool, host: String) -> Int32 {
        guard certificate.pointee.cert_type == GIT_CERT_HOSTKEY_LIBSSH2 else {
            if isValid { return 0 }
            return stop(
                GitError(
                    .untrustedHost, "trust '\(host)'",
                    "its certificate is not valid; name the authority that signed it with SSL_CERT_FILE"))
        }
        return certificate.withMemoryRebound(to: git_cert_hostkey.self, capacity: 1) { certificate in
            let cert = certificate.pointee
            guard cert.type.rawValue & GIT_CERT_SSH_RAW.rawValue != 0, let start = cert.hostkey else {
                return stop(GitError(.untrustedHost, "trust '\(host)'", "it showed no host key"))
            }
            let key = UnsafeRawBufferPointer(start: start, count: cert.hostkey_len)
            let known = KnownHosts(file: credentials.knownHosts, home: credentials.home)
            return known.judge(host: host, port: address.port, key: Array(key)).map { stop($0) } ?? 0
        }
    }
}
