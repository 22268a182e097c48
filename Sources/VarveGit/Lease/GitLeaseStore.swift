// SPDX-License-Identifier: Apache-2.0

import CGit2
import FoundationEssentials
import Synchronization
public import VarveModel

/// Keeps the lease of a repository in `refs/varve/lease`: a commit without parent and files, whose message says it.
///
/// With a remote, the remote's reference is the lease, and the local repository has none. It is moved by
/// compare-and-swap, as records are.
public final class GitLeaseStore: LeaseStore {
    /// The reference.
    static let reference = "refs/varve/lease"
    /// The most bytes of a message that are read.
    private static let limit = 16_384

    private let worker: RemoteWorker
    private let options: GitNotesRecordStore.Options
    private let known = Mutex<LeaseValue?>(nil)

    /// Keeps the lease where the records go.
    ///
    /// `remote`, `credentials`, `author`, `deadline`, `pause` and `onBeforePush` of the options are used.
    ///
    /// - Throws: as opening a repository does.
    public init(repository: GitRepository, options: GitNotesRecordStore.Options) throws(GitError) {
        worker = try RemoteWorker(repository, deadline: options.deadline)
        self.options = options
    }

    /// The lease that is there now: one listing of references and, where its value is new, the fetch of one commit.
    ///
    /// - Throws: `GitError.unreachable`, `.unauthorized`, `.untrustedHost`, `.notFound`.
    public func read() async throws -> LeaseValue? {
        for attempt in 1... {
            do {
                return try await work { (handle, cancellation) throws(GitError) in
                    try self.read(handle, cancellation)
                }
            } catch {
                // A value that is replaced between listing and fetching cannot be fetched any more.
                guard attempt < 3, error.code != .cancelled, error.code != .unauthorized else { throw error }
                try await Task.sleep(for: options.pause(attempt))
            }
        }
        return nil
    }

    private func read(
        _ handle: borrowing RepositoryHandle, _ cancellation: Cancellation
    ) throws(GitError) -> LeaseValue? {
        guard let remote = try address(for: handle) else {
            return try value(of: handle.reference(Self.reference), in: handle)
        }
        if let folder = remote.folder {
            let other = try RepositoryHandle.open(folder)
            return try value(of: other.reference(Self.reference), in: other)
        }
        let connection = try handle.connect(to: remote, .fetch, options.credentials, cancellation)
        guard let id = try connection.heads()[Self.reference] else { return nil }
        if let known = known.withLock({ $0 }), known.id == id.hex { return known }
        if !handle.contains(id) {
            try connection.fetch(["+\(Self.reference):\(Self.reference)"], movesReferences: false)
        }
        return try value(of: id, in: handle)
    }

    private func value(
        of id: RawID?, in handle: borrowing RepositoryHandle
    ) throws(GitError) -> LeaseValue? {
        guard let id else { return nil }
        if let known = known.withLock({ $0 }), known.id == id.hex { return known }
        let value = LeaseValue(id: id.hex, lease: try lease(of: id, in: handle))
        known.withLock { $0 = value }
        return value
    }

    /// What a commit says; nil where it is something else.
    private func lease(of id: RawID, in handle: borrowing RepositoryHandle) throws(GitError) -> Lease? {
        guard let header = try handle.header(id), header.size <= Self.limit else { return nil }
        let text = try handle.object(id).withBytes { Array($0) }
        guard let line = text.split(separator: 0x0a).last(where: { $0.first == 0x7b }) else { return nil }
        guard let lease = try? JSONDecoder().decode(Lease.self, from: Data(line)),
            // Whoever may write there may write anything.
            (0...1 << 53).contains(lease.counter), (0...86_400).contains(lease.length)
        else { return nil }
        return lease
    }

    /// Puts a lease in the place of a value that was read.
    ///
    /// - Throws: `GitError.unreachable`, `.unauthorized`, `.untrustedHost`, `.notFound`, `.refused` (a hook, a protected
    ///   reference, a missing right).
    public func replace(_ expected: String?, with lease: Lease) async throws -> String? {
        let expected = try expected.map { (hex) throws(GitError) in try Self.id(hex) }
        for attempt in 1...5 {
            let outcome = try await work { (handle, cancellation) throws(GitError) in
                try self.replace(expected, with: lease, handle, cancellation)
            }
            switch outcome {
            case .replaced(let value):
                known.withLock { $0 = value }
                return value.id
            case .lost: return nil
            case .refused(let refusal):
                // A lock that another writer held for a moment looks like a refusal.
                guard attempt < 5 else { throw refusal }
                try await Task.sleep(for: options.pause(attempt))
            }
        }
        return nil
    }

    private enum Outcome {
        case replaced(LeaseValue)
        case lost
        case refused(GitError)
    }

    private func replace(
        _ expected: RawID?, with lease: Lease, _ handle: borrowing RepositoryHandle, _ cancellation: Cancellation
    ) throws(GitError) -> Outcome {
        let author = options.author ?? handle.configuredSignature ?? .varve
        var objects = ObjectBatch()
        let id = try Self.add(lease, by: author, to: &objects)
        let value = LeaseValue(id: id.hex, lease: lease)
        guard let remote = try address(for: handle) else {
            return try move(expected, to: id, objects, handle, by: author, address: handle.gitFolder)
                ? .replaced(value) : lost(expected, handle)
        }
        if let folder = remote.folder {
            let other = try RepositoryHandle.open(folder)
            return try move(expected, to: id, objects, other, by: author, address: remote.redacted)
                ? .replaced(value) : lost(expected, other)
        }
        let connection = try handle.connect(to: remote, .push, options.credentials, cancellation)
        guard try connection.heads()[Self.reference] == expected else { return .lost }
        try handle.store(objects)
        options.onBeforePush?(remote.redacted)
        let answers = try handle.withTransientReferences(to: [id]) { (names) throws(GitError) in
            // It descends from nothing, which git allows outside of branches; the server compares the advertised value.
            try connection.push(names.map { ("+" + $0, Self.reference) })
        }
        switch answers[Self.reference] {
        case .accepted: return .replaced(value)
        case .refused(let message): return try refused(message, expected, handle, remote, cancellation)
        case nil:
            return try refused("the server did not report on it", expected, handle, remote, cancellation)
        }
    }

    /// Moves the reference of a repository on this machine.
    private func move(
        _ expected: RawID?, to id: RawID, _ objects: ObjectBatch, _ handle: borrowing RepositoryHandle,
        by author: GitSignature, address: String
    ) throws(GitError) -> Bool {
        guard try handle.reference(Self.reference) == expected else { return false }
        try handle.store(objects)
        options.onBeforePush?(address)
        return try handle.moveReference(
            Self.reference, from: expected, to: id, message: "varve: lease", by: author)
    }

    /// Whether another value is there, or only the lock was held.
    private func lost(_ expected: RawID?, _ handle: borrowing RepositoryHandle) throws(GitError) -> Outcome {
        guard try handle.reference(Self.reference) == expected else { return .lost }
        return .refused(GitError(.contended, "move reference '\(Self.reference)'", "another writer holds its lock"))
    }

    private func refused(
        _ message: String, _ expected: RawID?, _ handle: borrowing RepositoryHandle, _ remote: RemoteAddress,
        _ cancellation: Cancellation
    ) throws(GitError) -> Outcome {
        let now = try handle.connect(to: remote, .push, options.credentials, cancellation).heads()
        if now[Self.reference] != expected { return .lost }
        return .refused(
            GitError(
                .refused, "push '\(Self.reference)' to '\(remote.redacted)'",
                message + "; allow refs/varve/* to be written there"))
    }

    /// Takes in the commit that says a lease.
    private static func add(
        _ lease: Lease, by author: GitSignature, to objects: inout ObjectBatch
    ) throws(GitError) -> RawID {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json: String
        do {
            json = String(decoding: try encoder.encode(lease), as: UTF8.self)
        } catch {
            throw GitError(.invalid, "write a lease", "\(error)")
        }
        let tree = try objects.add([], GIT_OBJECT_TREE)
        let holder = singleLine(redacted(lease.holder), limit: 100)
        let title = "varve: lease \(lease.counter) " + (lease.isReleased ? "released by \(holder)" : "of \(holder)")
        return try objects.addCommit(tree: tree, parents: [], message: "\(title)\n\n\(json)", author: author)
    }

    private static func id(_ hex: String) throws(GitError) -> RawID {
        do {
            return RawID(try ObjectID(hex: hex))
        } catch {
            throw GitError(.invalid, "read lease value '\(hex)'", error.rule)
        }
    }

    private func address(
        for handle: borrowing RepositoryHandle
    ) throws(GitError) -> RemoteAddress? {
        // The address that is written to is also read: the two may be different servers.
        try options.remote.address(for: handle, forPush: true)
    }

    private func work<T: Sendable>(
        _ body: @escaping @Sendable (borrowing RepositoryHandle, Cancellation) throws(GitError) -> T
    ) async throws(GitError) -> T {
        try await worker.run(with: options.remote.label, body)
    }
}
