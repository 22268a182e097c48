// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Tells a libgit2 call that runs on another thread that nobody waits for it any more, and hears whether it gets on.
final class Cancellation: Sendable {
    private let flag = Atomic(false)
    private let progress = Mutex(ContinuousClock.now)

    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    func cancel() { flag.store(true, ordering: .relaxed) }

    /// The call has something to show for its time.
    func noteProgress() { progress.withLock { $0 = .now } }

    /// How long nothing has been heard.
    var silence: Duration { progress.withLock { $0.duration(to: .now) } }
}
