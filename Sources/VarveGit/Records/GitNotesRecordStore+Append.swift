// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import VarveModel

extension GitNotesRecordStore {
    /// How one attempt to write ended.
    enum Outcome: Sendable {
        case done
        /// Another writer was faster, or the remote did not take a reference without saying why it moved.
        case retry(refusal: GitError?)
    }

    /// Writes entries in one commit a reference: descriptions first, then state, then log.
    ///
    /// What is there already is not written again, so that a call that was cut short can be repeated.
    ///
    /// - Throws: `GitError.unreachable`, `.unauthorized`, `.untrustedHost`, `.notFound`, `.refused` (a hook, a protected
    ///   reference, a missing right), `.contended` after too many lost races. Local references then stand at what the
    ///   remote has accepted.
    public func append(_ entries: [RecordEntry]) async throws {
        if entries.isEmpty { return }
        var refusals = 0
        for attempt in 1...max(1, options.attempts) {
            let outcome = try await work { (handle, cancellation) throws(GitError) in
                try self.attempt(entries, handle, cancellation)
            }
            guard case .retry(let refusal) = outcome else { return }
            if refusal == nil { lost.withLock { $0 += 1 } }
            if let refusal {
                // The remote's reference did not move, so nobody was faster; a lock that was held for a moment looks
                // the same, hence not at the first time.
                refusals += 1
                if refusals >= 3 { throw refusal }
            } else {
                refusals = 0
            }
            try await Task.sleep(for: options.pause(attempt))
        }
        throw GitError(
            .contended, "write records", "other writers were faster \(options.attempts) times in a row; try again")
    }

    /// Tries once to write entries, and with them what only the local references hold.
    func attempt(
        _ entries: [RecordEntry], _ handle: borrowing RepositoryHandle, _ cancellation: Cancellation
    ) throws(GitError) -> Outcome {
        guard let remote = try address(for: handle, forPush: true) else {
            return try writeHere(entries, handle)
        }
        if let folder = remote.folder {
            return try write(entries, handle, toFolder: folder, remote, cancellation)
        }
        return try push(entries, handle, to: remote, cancellation)
    }

    /// The repository alone: its references are the record.
    private func writeHere(
        _ entries: [RecordEntry], _ handle: borrowing RepositoryHandle
    ) throws(GitError) -> Outcome {
        let author = author(handle)
        for ref in RecordRef.allCases {
            let base = try handle.reference(ref.rawValue)
            guard let update = try handle.prepare(entries, for: ref, on: base, author: author) else { continue }
            options.onBeforePush?(handle.gitFolder)
            guard
                try handle.moveReference(
                    ref.rawValue, from: base, to: update.commit, message: "varve: record", by: author)
            else { return .retry(refusal: nil) }
        }
        return .done
    }

    /// A remote that is a folder: objects are copied in, then its references are moved as local ones are.
    ///
    /// libgit2's own push to a folder is not used: it overwrites a concurrent update and reports success.
    private func write(
        _ entries: [RecordEntry], _ handle: borrowing RepositoryHandle, toFolder folder: String,
        _ remote: RemoteAddress, _ cancellation: Cancellation
    ) throws(GitError) -> Outcome {
        let author = author(handle)
        let other = try RepositoryHandle.open(folder)
        var advertised: [RecordRef: RawID] = [:]
        for ref in RecordRef.allCases { advertised[ref] = try other.reference(ref.rawValue) }
        try catchUp(with: advertised, handle, remote, cancellation)
        options.onBeforePush?(remote.redacted)
        for ref in RecordRef.allCases {
            let mirrored = try handle.reference(ref.rawValue)
            let base = mirrored ?? advertised[ref]
            let update = try handle.prepare(entries, for: ref, on: base, author: author)
            guard let target = update?.commit ?? base, target != advertised[ref] else { continue }
            if let base, base != advertised[ref] {
                try handle.copyClosure(of: base, beyond: advertised[ref], to: other)
            }
            if let update { try other.store(update.objects) }
            guard
                try other.moveReference(
                    ref.rawValue, from: advertised[ref], to: target, message: "varve: record", by: author)
            else { return .retry(refusal: nil) }
            try mirror(ref, mirrored, target, handle)
        }
        return .done
    }

    /// A remote behind http or ssh: the values it advertises are compared, and written on the same connection.
    private func push(
        _ entries: [RecordEntry], _ handle: borrowing RepositoryHandle, to remote: RemoteAddress,
        _ cancellation: Cancellation
    ) throws(GitError) -> Outcome {
        let author = author(handle)
        let connection = try handle.connect(to: remote, .push, options.credentials, cancellation)
        let heads = try connection.heads()
        var advertised: [RecordRef: RawID] = [:]
        for ref in RecordRef.allCases { advertised[ref] = heads[ref.rawValue] }
        try catchUp(with: advertised, handle, remote, cancellation)
        var targets: [(ref: RecordRef, mirrored: RawID?, target: RawID)] = []
        for ref in RecordRef.allCases {
            let mirrored = try handle.reference(ref.rawValue)
            let base = mirrored ?? advertised[ref]
            let update = try handle.prepare(entries, for: ref, on: base, author: author)
            guard let target = update?.commit ?? base, target != advertised[ref] else { continue }
            targets.append((ref, mirrored, target))
        }
        if targets.isEmpty { return .done }
        options.onBeforePush?(remote.redacted)
        let answers = try handle.withTransientReferences(to: targets.map { $0.target }) { (names) throws(GitError) in
            try connection.push(zip(names, targets).map { ($0, $1.ref.rawValue) })
        }
        var refused: (ref: RecordRef, message: String)?
        for (ref, mirrored, target) in targets {
            switch answers[ref.rawValue] {
            case .accepted: try mirror(ref, mirrored, target, handle)
            case .refused(let message): refused = refused ?? (ref, message)
            case nil: refused = refused ?? (ref, "the server did not report on it")
            }
        }
        guard let refused else { return .done }
        let now = try handle.connect(to: remote, .push, options.credentials, cancellation).heads()
        if now[refused.ref.rawValue] != advertised[refused.ref] { return .retry(refusal: nil) }
        return .retry(
            refusal: GitError(
                .refused, "push '\(refused.ref.rawValue)' to '\(remote.redacted)'",
                refused.message + "; allow refs/notes/varve/* and refs/varve/* to be written there"))
    }

    /// Fetches where the remote has a value that is not the mirror's.
    ///
    /// Afterwards each local reference holds the remote's value or one that is ahead of it.
    private func catchUp(
        with advertised: [RecordRef: RawID], _ handle: borrowing RepositoryHandle, _ remote: RemoteAddress,
        _ cancellation: Cancellation
    ) throws(GitError) {
        // The address for pushing is also fetched from: it is the one whose references are to be moved.
        for (ref, value) in advertised where try handle.reference(ref.rawValue) != value || !handle.contains(value) {
            _ = try download(remote, handle, cancellation)
            return
        }
    }

    /// Moves the mirror to what the remote accepted.
    ///
    /// Another process of this clone may have moved it meanwhile to something newer; then it is left, and the next
    /// fetch sets it right.
    private func mirror(
        _ ref: RecordRef, _ old: RawID?, _ new: RawID, _ handle: borrowing RepositoryHandle
    ) throws(GitError) {
        _ = try handle.moveReference(ref.rawValue, from: old, to: new, message: "varve: accepted by the remote")
    }
}
