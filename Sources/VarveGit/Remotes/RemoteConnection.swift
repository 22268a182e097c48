// SPDX-License-Identifier: Apache-2.0

import CGit2
import Glibc

/// An open connection to a remote, closed and freed with the value.
struct RemoteConnection: ~Copyable {
    private let pointer: OpaquePointer
    private let dialogue: RemoteDialogue

    fileprivate init(
        _ handle: borrowing RepositoryHandle, _ direction: git_direction, _ dialogue: RemoteDialogue
    ) throws(GitError) {
        let subject = "connect to '\(dialogue.address.redacted)'"
        var pointer: OpaquePointer?
        var creation = git_remote_create_options()
        git_remote_create_options_init(&creation, UInt32(GIT_REMOTE_CREATE_OPTIONS_VERSION))
        creation.repository = handle.pointer
        // The address is final; and what libgit2 1.5 does for `insteadOf` loses 20 KB an entry of the configuration.
        creation.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF.rawValue
        try check(git_remote_create_with_opts(&pointer, dialogue.address.location, &creation), subject)
        guard let pointer else { throw GitError(.unknown, subject, "no handle") }
        var options = git_remote_connect_options()
        git_remote_connect_options_init(&options, UInt32(GIT_REMOTE_CONNECT_OPTIONS_VERSION))
        dialogue.install(in: &options.callbacks)
        options.proxy_opts.type = GIT_PROXY_AUTO
        let status = git_remote_connect_ext(pointer, direction, &options)
        guard status >= 0 else {
            let error = dialogue.failure(status, subject)
            git_remote_free(pointer)
            throw error
        }
        self.pointer = pointer
        self.dialogue = dialogue
    }

    deinit {
        git_remote_disconnect(pointer)
        git_remote_free(pointer)
    }

    /// The references that the remote advertised, by name.
    func heads() throws(GitError) -> [String: RawID] {
        var list: UnsafeMutablePointer<UnsafePointer<git_remote_head>?>?
        var count = 0
        let status = git_remote_ls(&list, &count, pointer)
        guard status >= 0 else {
            throw dialogue.failure(status, "list the references of '\(dialogue.address.redacted)'")
        }
        var heads: [String: RawID] = [:]
        for index in 0..<count {
            guard let head = list?[index]?.pointee, let name = head.name else { continue }
            heads[String(cString: name)] = RawID(head.oid)
        }
        return heads
    }

    /// The branch that the remote's `HEAD` names; nil where that has no commit yet.
    func defaultBranch() -> String? {
        var buffer = git_buf()
        defer { git_buf_dispose(&buffer) }
        guard git_remote_default_branch(&buffer, pointer) >= 0, let name = buffer.ptr else { return nil }
        return String(cString: name)
    }

    /// Brings the objects that the refspecs name and, where asked to, moves the local references that they name.
    func fetch(_ refspecs: [String], movesReferences: Bool = true) throws(GitError) {
        let subject = "fetch from '\(dialogue.address.redacted)'"
        var options = git_fetch_options()
        git_fetch_options_init(&options, UInt32(GIT_FETCH_OPTIONS_VERSION))
        dialogue.install(in: &options.callbacks)
        options.proxy_opts.type = GIT_PROXY_AUTO
        options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE
        var status = withStringArray(refspecs) { git_remote_download(pointer, $0, &options) }
        guard status >= 0 else { throw dialogue.failure(status, subject) }
        if !movesReferences { return }
        status = git_remote_update_tips(pointer, &options.callbacks, 0, GIT_REMOTE_DOWNLOAD_TAGS_NONE, "varve: fetch")
        guard status >= 0 else { throw dialogue.failure(status, subject) }
    }

    /// Sends objects and asks the remote to move references from the values it advertised to others.
    ///
    /// The sources are names of local references, the only ones that libgit2 takes.
    ///
    /// - Returns: the server's answer for each reference; absent where it gave none.
    /// - Throws: only when there is no answer at all.
    func push(_ targets: [(source: String, name: String)]) throws(GitError) -> [String: RemoteDialogue.Answer] {
        var options = git_push_options()
        git_push_options_init(&options, UInt32(GIT_PUSH_OPTIONS_VERSION))
        dialogue.install(in: &options.callbacks)
        options.proxy_opts.type = GIT_PROXY_AUTO
        let status = withStringArray(targets.map { $0.source + ":" + $0.name }) {
            git_remote_upload(pointer, $0, &options)
        }
        if status < 0, dialogue.answers.isEmpty {
            throw dialogue.failure(status, "push to '\(dialogue.address.redacted)'")
        }
        return dialogue.answers
    }
}

/// Lends a `git_strarray` of some texts.
private func withStringArray(_ texts: [String], _ body: (UnsafePointer<git_strarray>) -> Int32) -> Int32 {
    var pointers: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    let count = pointers.count
    return pointers.withUnsafeMutableBufferPointer { buffer in
        var array = git_strarray(strings: buffer.baseAddress, count: count)
        return body(&array)
    }
}

extension RepositoryHandle {
    /// Connects to a remote and reads what it advertises.
    func connect(
        to address: RemoteAddress, _ direction: RemoteDirection, _ credentials: GitCredentials,
        _ cancellation: Cancellation
    ) throws(GitError) -> RemoteConnection {
        let direction = direction == .push ? GIT_DIRECTION_PUSH : GIT_DIRECTION_FETCH
        return try RemoteConnection(self, direction, RemoteDialogue(address, credentials, cancellation))
    }

    /// Brings the objects that the refspecs name, moves nothing, and returns the remote's references.
    func download(
        _ address: RemoteAddress, refspecs: [String], credentials: GitCredentials, _ cancellation: Cancellation
    ) throws(GitError) -> [String: RawID] {
        let connection = try connect(to: address, .fetch, credentials, cancellation)
        let heads = try connection.heads()
        if !heads.isEmpty { try connection.fetch(refspecs, movesReferences: false) }
        return heads
    }

    /// Brings the references that the refspecs name to the remote's values, by force.
    ///
    /// With `prunesHeads`, local branches that the remote does not have are removed first, so that a branch `a` can
    /// make way for `a/b`, and `HEAD` follows the remote's.
    func fetch(
        _ address: RemoteAddress, refspecs: [String], prunesHeads: Bool = false, credentials: GitCredentials,
        _ cancellation: Cancellation
    ) throws(GitError) {
        let connection = try connect(to: address, .fetch, credentials, cancellation)
        let heads = try connection.heads()
        if prunesHeads {
            for name in try references(matching: "refs/heads/*") where heads[name] == nil {
                _ = try moveReference(name, from: try reference(name), to: nil, message: "varve: prune")
            }
        }
        if !heads.isEmpty { try connection.fetch(refspecs) }
        if prunesHeads, let branch = connection.defaultBranch() {
            try check(git_repository_set_head(pointer, branch), "follow branch '\(branch)'")
        }
    }
}

/// What a connection is for; the server starts another program for each.
enum RemoteDirection {
    case fetch
    case push
}
