// SPDX-License-Identifier: Apache-2.0

import CGit2
import Dispatch
import Synchronization

/// A Git repository on this machine, bare or with a working folder.
///
/// May be used from any task: a mutex guards the one libgit2 handle. The synchronous functions block for as long as
/// disk or network take; the asynchronous ones do so on a queue of the repository's own, never on Swift's thread pool.
/// Two values for one folder do not wait for each other, so a long fetch uses another value than the readers do.
///
/// A repository that belongs to another user is refused as git refuses it, until `safe.directory` names it.
public final class GitRepository: Sendable {
    /// The folder that holds `objects` and `refs`.
    public let gitFolder: String
    /// The working folder, nil for a bare repository.
    public let workingFolder: String?
    private let opened: Mutex<Opened>
    private let queue = DispatchQueue(label: "varve.git")

    private struct Opened: ~Copyable {
        var handle: RepositoryHandle
        /// Of which packs it knows.
        var generation: Int
    }

    private init(_ handle: consuming sending RepositoryHandle) {
        gitFolder = handle.gitFolder
        workingFolder = handle.workingFolder
        opened = Mutex(Opened(handle: handle, generation: OpenPacks.generation(of: gitFolder)))
    }

    /// Opens the repository at exactly this folder.
    ///
    /// - Throws: `notFound`, `notOwned`, `unsupported` (SHA-256 or a newer format).
    public convenience init(opening path: String) throws(GitError) {
        self.init(try RepositoryHandle.open(path))
    }

    /// Opens the repository that holds this folder: the folder itself or the nearest one above it.
    ///
    /// - Throws: `notFound`, `notOwned`, `unsupported`.
    public convenience init(discovering path: String) throws(GitError) {
        try GitLibrary.start()
        var buffer = git_buf()
        defer { git_buf_dispose(&buffer) }
        try check(git_repository_discover(&buffer, path, 0, nil), "find a repository in '\(path)'")
        guard let found = buffer.ptr else { throw GitError(.notFound, "find a repository in '\(path)'", "none") }
        try self.init(opening: String(cString: found))
    }

    /// Makes a repository, its folders included, whose first branch is `main`; one that exists is opened as it is.
    ///
    /// - Throws: `fileSystem`, `notOwned`.
    public convenience init(initializing path: String, isBare: Bool = false) throws(GitError) {
        try GitLibrary.start()
        var options = git_repository_init_options()
        try check(
            git_repository_init_options_init(&options, UInt32(GIT_REPOSITORY_INIT_OPTIONS_VERSION)),
            "set up a repository")
        options.flags = GIT_REPOSITORY_INIT_MKPATH.rawValue | (isBare ? GIT_REPOSITORY_INIT_BARE.rawValue : 0)
        let subject = "make repository '\(path)'"
        var pointer: OpaquePointer?
        let status = "main".withCString { branch in
            options.initial_head = branch
            return git_repository_init_ext(&pointer, path, &options)
        }
        try check(status, subject)
        guard let pointer else { throw GitError(.unknown, subject, "no handle") }
        self.init(try RepositoryHandle(owning: pointer, path: path))
    }

    /// Another handle on the same repository, which does not wait for this one.
    func reopened() throws(GitError) -> GitRepository { try GitRepository(opening: gitFolder) }

    /// Runs libgit2 calls while no other task does on this handle.
    func withHandle<T: Sendable>(
        _ body: (borrowing RepositoryHandle) throws(GitError) -> T
    ) throws(GitError) -> T {
        try opened.withLock { (opened) throws(GitError) -> T in
            let generation = OpenPacks.generation(of: gitFolder)
            if opened.generation != generation {
                // It holds packs open that are no more.
                opened.handle = try RepositoryHandle.open(gitFolder)
                opened.generation = generation
            }
            return try body(opened.handle)
        }
    }

    /// Like `withHandle`, on the repository's queue.
    func run<T: Sendable>(
        _ body: @escaping @Sendable (borrowing RepositoryHandle) throws(GitError) -> T
    ) async throws(GitError) -> T {
        try await result(body).get()
    }

    /// What `run` returns or throws.
    func result<T: Sendable>(
        _ body: @escaping @Sendable (borrowing RepositoryHandle) throws(GitError) -> T
    ) async -> Result<T, GitError> {
        await withCheckedContinuation { continuation in
            enqueue(body) { continuation.resume(returning: $0) }
        }
    }

    /// Runs libgit2 calls on the repository's queue and hands on what they return or throw.
    func enqueue<T: Sendable>(
        _ body: @escaping @Sendable (borrowing RepositoryHandle) throws(GitError) -> T,
        then: @escaping @Sendable (Result<T, GitError>) -> Void
    ) {
        queue.async { then(Result { () throws(GitError) in try self.withHandle(body) }) }
    }
}
