// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import VarveModel

/// Reads definitions from a repository on this machine, or from a bare cache of a remote one.
public final class GitDefinitionSource: DefinitionSource {
    /// The repository that is read: the one that was given, or the cache.
    public let repository: GitRepository
    private let fetcher: RemoteWorker?
    private let remote: RemoteAddress?
    private let credentials: GitCredentials
    private let branch: String?

    /// Reads a repository on this machine; the tip is its `HEAD`, or the branch given.
    public init(repository: GitRepository, branch: String? = nil) {
        self.repository = repository
        fetcher = nil
        remote = nil
        credentials = GitCredentials()
        self.branch = branch
    }

    /// Reads a remote repository through a bare cache at a path of its own.
    ///
    /// The tip is the remote's default branch, or the branch given. The cache is made where it is missing and holds no
    /// credentials; `fetch()` fills it, and gives up when the remote shows no progress for as long as the deadline.
    ///
    /// - Throws: `invalid` for an address of no known form, `fileSystem`.
    public init(
        remote address: String, cache path: String, branch: String? = nil,
        credentials: GitCredentials = GitCredentials(), deadline: Duration = .seconds(120)
    ) throws(GitError) {
        let remote = try RemoteAddress(address, relativeTo: FileManager.default.currentDirectoryPath)
        repository = try GitRepository(initializing: path, isBare: true)
        fetcher = try RemoteWorker(repository, deadline: deadline)
        repository.removeStaleLocks()
        try repository.withHandle { (handle) throws(GitError) in
            if try handle.address(ofRemote: "origin")?.redacted == remote.redacted { return }
            try handle.setConfiguration("remote.origin.url", remote.redacted)
        }
        self.remote = remote
        self.credentials = credentials
        self.branch = branch
    }

    /// Brings the cache to the remote's branches, deletions and forced pushes included.
    ///
    /// A repository on this machine is as it is. What a process that was killed has locked is unlocked. Records are left to `GitNotesRecordStore`, which loses none that
    /// are only here.
    ///
    /// - Throws: `GitError.unreachable`, `.unauthorized`, `.untrustedHost`, `.notFound`.
    public func fetch() async throws {
        guard let remote, let fetcher else { return repository.removeStaleLocksOfRecords() }
        repository.removeStaleLocks()
        try await fetcher.run(with: remote.redacted) { (handle, cancellation) throws(GitError) in
            try handle.fetch(
                handle.address(remote.location), refspecs: ["+refs/heads/*:refs/heads/*"], prunesHeads: true,
                credentials: self.credentials, cancellation)
            // What cannot be put together now costs room and descriptors, and is tried at the next fetch.
            try? handle.compact()
        }
    }

    /// The commit to reconcile; nil where there is none yet.
    ///
    /// - Throws: `GitError.notFound` when the branch that was asked for is not there.
    public func tip() async throws -> ObjectID? {
        try repository.withHandle { (handle) throws(GitError) in
            guard let branch = self.branch else { return try handle.commit(at: "HEAD")?.objectID() }
            guard let commit = try handle.commit(at: "refs/heads/" + branch) else {
                throw GitError(.notFound, "read branch '\(branch)'", "there is no such branch")
            }
            return try commit.objectID()
        }
    }

    /// The files of a commit.
    public func tree(of commit: ObjectID) async throws -> any SourceTree {
        try repository.tree(of: commit)
    }

    /// For each set of paths, the commit that `git log -1 <commit> -- <paths>` prints; nil where there is none.
    public func lastCommits(
        touching pathSets: [[RepositoryPath]], from commit: ObjectID
    ) async throws -> [ObjectID?] {
        try await repository.run { (handle) throws(GitError) in
            try handle.lastCommits(touching: pathSets, from: RawID(commit)).map { (id) throws(GitError) in
                try id?.objectID()
            }
        }
    }

    /// Whether a commit is the tip or one of its ancestors; false where there is no such commit.
    public func contains(_ commit: ObjectID, in tip: ObjectID) async throws -> Bool {
        if commit == tip { return true }
        return try await repository.run { (handle) throws(GitError) in
            guard handle.contains(RawID(commit)) else { return false }
            return try handle.isAncestor(RawID(commit), of: RawID(tip))
        }
    }

    /// The remote's address without credentials: the one given, else that of `origin`.
    public func address() async throws -> String? {
        if let remote { return remote.redacted }
        return try repository.withHandle { (handle) throws(GitError) in
            try handle.address(ofRemote: "origin")?.redacted
        }
    }
}
