// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

/// Does the work of one repository that may wait for a remote, and waits no longer than it should.
///
/// libgit2 1.5 has no timeouts. A call that shows no progress until the deadline, or whose task is cancelled, is left
/// behind: it ends on its own queue when its connection does, and the next call gets another handle.
final class RemoteWorker: Sendable {
    private let repository: Mutex<GitRepository>
    private let deadline: Duration

    /// Opens a handle of its own.
    init(_ repository: GitRepository, deadline: Duration) throws(GitError) {
        self.repository = Mutex(try repository.reopened())
        self.deadline = deadline
    }

    /// Runs libgit2 calls on the worker's queue.
    ///
    /// - Throws: what `body` throws; `unreachable` at the deadline, `cancelled`.
    func run<T: Sendable>(
        with remote: String,
        _ body: @escaping @Sendable (borrowing RepositoryHandle, Cancellation) throws(GitError) -> T
    ) async throws(GitError) -> T {
        let repository = repository.withLock { $0 }
        let cancellation = Cancellation()
        let answer = Answer<T>()
        let subject = "talk to remote '\(remote)'"
        let abandon: @Sendable (GitError) -> Void = { error in
            cancellation.cancel()
            if answer.give(.failure(error)) { self.replace(repository) }
        }
        let outcome: Result<T, GitError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                answer.wait(continuation)
                repository.enqueue { (handle) throws(GitError) -> T in
                    if cancellation.isCancelled { throw GitError(.cancelled, subject, "nobody waits for it") }
                    cancellation.noteProgress()
                    return try body(handle, cancellation)
                } then: { result in
                    _ = answer.give(result)
                }
                watch(cancellation, after: deadline) {
                    if !answer.isGiven {
                        abandon(GitError(.unreachable, subject, "it has not answered for \(self.deadline)"))
                    }
                }
            }
        } onCancel: {
            abandon(GitError(.cancelled, subject, "the task was cancelled"))
        }
        return try outcome.get()
    }

    /// Calls back once nothing has been heard of the work for as long as the deadline.
    private func watch(
        _ cancellation: Cancellation, after delay: Duration, _ body: @escaping @Sendable () -> Void
    ) {
        let nanoseconds = max(1, Int(min(delay / .nanoseconds(1), 1e18)))
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) {
            if cancellation.isCancelled { return }
            let rest = self.deadline - cancellation.silence
            if rest > .zero { self.watch(cancellation, after: rest, body) } else { body() }
        }
    }

    private func replace(_ abandoned: GitRepository) {
        // Without another handle the next call waits for this one, up to its own deadline.
        guard let fresh = try? abandoned.reopened() else { return }
        repository.withLock { if $0 === abandoned { $0 = fresh } }
    }
}

/// The outcome of one call, taken from whoever gives it first.
private final class Answer<T: Sendable>: Sendable {
    private struct State {
        var result: Result<T, GitError>?
        var continuation: CheckedContinuation<Result<T, GitError>, Never>?
    }

    private let state = Mutex(State())

    var isGiven: Bool { state.withLock { $0.result != nil } }

    func wait(_ continuation: CheckedContinuation<Result<T, GitError>, Never>) {
        let known = state.withLock { state in
            if state.result == nil { state.continuation = continuation }
            return state.result
        }
        if let known { continuation.resume(returning: known) }
    }

    /// Whether this was the first.
    func give(_ result: Result<T, GitError>) -> Bool {
        let (isFirst, continuation) = state.withLock { state in
            guard state.result == nil else { return (false, nil as CheckedContinuation<Result<T, GitError>, Never>?) }
            state.result = result
            defer { state.continuation = nil }
            return (true, state.continuation)
        }
        continuation?.resume(returning: result)
        return isFirst
    }
}
