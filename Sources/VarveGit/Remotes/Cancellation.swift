// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Tells a libgit2 call that runs on another thread that its task was cancelled.
final class Cancellation: Sendable {
    private let flag = Atomic(false)

    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    func cancel() { flag.store(true, ordering: .relaxed) }
}

extension GitRepository {
    /// Like `run`, for work on the network: libgit2 stops at its next progress report when the task is cancelled.
    func runCancellable<T: Sendable>(
        _ body: @escaping @Sendable (borrowing RepositoryHandle, Cancellation) throws(GitError) -> T
    ) async throws(GitError) -> T {
        let cancellation = Cancellation()
        let outcome: Result<T, GitError> = await withTaskCancellationHandler {
            await self.result { (handle) throws(GitError) -> T in try body(handle, cancellation) }
        } onCancel: {
            cancellation.cancel()
        }
        return try outcome.get()
    }
}
