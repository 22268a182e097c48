// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import VarveModel

/// Keeps records in Git: `refs/notes/varve/log` for people, `refs/notes/varve/state` for machines, and
/// `refs/varve/packages` for what is too long for a line.
///
/// With a remote, the local references are a mirror of its references: they move to what it has accepted, with what was
/// recorded only here, say before there was a remote, on top. Every reference is moved by compare-and-swap and never by
/// force; who loses a race replays the entries on the winner's value. What the remote lacks is written there with the
/// next write.
public final class GitNotesRecordStore: RecordStore {
    /// Where the records go.
    public enum Remote: Hashable, Sendable {
        /// The configured remote of this name; the repository alone where it has no such remote.
        case named(String)
        /// This address, which may hold credentials; they are kept in memory only.
        case address(String)
        /// The repository alone.
        case none
    }

    /// How records are written.
    public struct Options: Sendable {
        /// Where the records go.
        public var remote: Remote = .named("origin")
        /// What is shown to the remote.
        public var credentials = GitCredentials()
        /// The author of the commits; nil: `user.name` and `user.email` of the configuration, else `varve`.
        public var author: GitSignature?
        /// How often a write is tried before it fails as `contended`.
        public var attempts = 24
        /// The pause after a lost race, by the number of the attempt, from 1.
        public var pause: @Sendable (Int) -> Duration = { attempt in
            .milliseconds(Int.random(in: 5...(50 * min(attempt, 20))))
        }
        /// How long a remote may show no progress before it counts as unreachable.
        public var deadline: Duration = .seconds(120)
        /// Called with the remote's address between the reading of its references and their writing.
        ///
        /// It runs on a queue of the store and may block: tests hold writers here.
        public var onBeforePush: (@Sendable (String) -> Void)?

        /// To and from `origin`, with the user's own credentials.
        public init() {}
    }

    let reader: GitRepository
    /// Reads what people ask for, which takes longer, so that no pass waits for it.
    private let archive: GitRepository
    private let writer: RemoteWorker
    let options: Options
    private let cache = Mutex(HistoryCache())
    let lost = Mutex(0)

    /// How often a write had to begin anew because another writer was faster.
    public var lostRaces: Int { lost.withLock { $0 } }

    /// Keeps records in a repository.
    ///
    /// Opens handles of its own, so that a slow remote holds up nobody else.
    ///
    /// - Throws: as opening a repository does.
    public init(repository: GitRepository, options: Options = Options()) throws(GitError) {
        reader = try repository.reopened()
        archive = try repository.reopened()
        writer = try RemoteWorker(repository, deadline: options.deadline)
        self.options = options
    }

    /// What all state records of the local references come to.
    ///
    /// Costs next to nothing while the state reference does not move, and reads only changed notes when it does.
    ///
    /// - Throws: `GitError.corrupt`, `.notFound` when an object is damaged or missing.
    public func history() async throws -> History {
        try await reader.run { (handle) throws(GitError) in
            let tip = try handle.reference(RecordRef.state.rawValue)
            return try self.cache.withLock { (cache) throws(GitError) in
                try cache.update(to: tip, from: handle)
                return cache.history
            }
        }
    }

    /// The value of the local state reference.
    ///
    /// - Throws: `GitError` when it cannot be read.
    public func revision() async throws -> String? {
        try await reader.run { (handle) throws(GitError) in try handle.reference(RecordRef.state.rawValue)?.hex }
    }

    /// The state records of the local references; reads all notes, and keeps none of them in memory.
    ///
    /// - Throws: `GitError.corrupt`, `.notFound` when an object is damaged or missing.
    public func records(_ filter: RecordFilter) async throws -> RecordSet {
        try await archive.run { (handle) throws(GitError) in
            guard let tip = try handle.reference(RecordRef.state.rawValue) else { return RecordSet(records: []) }
            var records: [String: BuildRecord] = [:]
            var unreadable = 0
            try handle.eachNote(in: handle.commit(tip).tree, with: filter.text) { note in
                // One event may stand on several trees.
                for record in note.records where filter.matches(record) && record.supersedes(records[record.id]) {
                    records[record.id] = record
                }
                unreadable += note.unreadable
            }
            return RecordSet(records: Array(records.values), unreadable: unreadable)
        }
    }

    /// The kept descriptions of layers; keys without one are absent.
    public func descriptions(of keys: [LayerKey]) async throws -> [LayerKey: LayerDescription] {
        if keys.isEmpty { return [:] }
        return try await reader.run { (handle) throws(GitError) in
            guard let tip = try handle.reference(RecordRef.packages.rawValue) else { return [:] }
            return try handle.descriptions(of: keys, in: handle.commit(tip).tree)
        }
    }

    /// The log lines on a commit, sorted; they begin with their time.
    public func logLines(of commit: ObjectID) async throws -> [String] {
        try await reader.run { (handle) throws(GitError) in
            guard let tip = try handle.reference(RecordRef.log.rawValue) else { return [] }
            let lines = try handle.noteLines(of: [RawID(commit)], in: handle.commit(tip).tree)
            return lines.values.joined().map { String(decoding: $0, as: UTF8.self) }.sorted()
        }
    }

    /// Brings the local references to the remote's values; does nothing without a remote.
    ///
    /// Lines that are only here stay and are sent. Where the remote does not take them now, the next write sends them.
    ///
    /// - Throws: `GitError.unreachable`, `.unauthorized`, `.untrustedHost`, `.notFound`.
    public func fetch() async throws {
        try await work { (handle, cancellation) throws(GitError) in
            guard let remote = try self.address(for: handle, forPush: false) else { return }
            let heads = try self.download(remote, handle, cancellation)
            for ref in RecordRef.allCases {
                guard let local = try handle.reference(ref.rawValue), local != heads[ref.rawValue] else { continue }
                // What can be read now is read, whether or not the remote may be written.
                _ = try? self.attempt([], handle, cancellation)
                return
            }
        }
    }

    /// Runs what may wait for the remote.
    func work<T: Sendable>(
        _ body: @escaping @Sendable (borrowing RepositoryHandle, Cancellation) throws(GitError) -> T
    ) async throws(GitError) -> T {
        try await writer.run(with: options.remote.label, body)
    }

    /// Brings what the remote has and lets the local references follow; returns the remote's references.
    func download(
        _ remote: RemoteAddress, _ handle: borrowing RepositoryHandle, _ cancellation: Cancellation
    ) throws(GitError) -> [String: RawID] {
        let heads = try handle.download(
            remote, refspecs: RecordRef.refspecs, credentials: options.credentials, cancellation)
        for ref in RecordRef.allCases {
            if let value = heads[ref.rawValue] { try handle.follow(ref, value, author: author(handle)) }
        }
        return heads
    }

    func author(_ handle: borrowing RepositoryHandle) -> GitSignature {
        options.author ?? handle.configuredSignature ?? .varve
    }

    /// The remote's address, nil where the repository stands alone.
    func address(for handle: borrowing RepositoryHandle, forPush: Bool) throws(GitError) -> RemoteAddress? {
        try options.remote.address(for: handle, forPush: forPush)
    }
}

extension GitNotesRecordStore.Remote {
    /// What it is called in errors.
    var label: String {
        switch self {
        case .named(let name): name
        case .address(let text): text
        case .none: ""
        }
    }

    /// The address, nil where the repository stands alone.
    func address(for handle: borrowing RepositoryHandle, forPush: Bool) throws(GitError) -> RemoteAddress? {
        switch self {
        case .none: nil
        case .named(let name): try handle.address(ofRemote: name, forPush: forPush)
        case .address(let text): try handle.address(text, forPush: forPush)
        }
    }
}
