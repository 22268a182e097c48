// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// When what lies outside the repository is to be looked at.
final class LookupSchedule: Sendable {
    private let interval: @Sendable () -> Duration
    private let moment = Mutex(ContinuousClock().now)

    /// Due at once, and from then on after each interval.
    init(interval: @escaping @Sendable () -> Duration) { self.interval = interval }

    /// When it is due.
    var next: ContinuousClock.Instant { moment.withLock { $0 } }

    func isDue(_ now: ContinuousClock.Instant) -> Bool { now >= next }

    /// Takes that everything was looked at.
    func done(_ now: ContinuousClock.Instant) {
        let next = now + interval()
        moment.withLock { $0 = next }
    }
}
