// SPDX-License-Identifier: Apache-2.0

/// How a process holds the lease of a repository.
public struct LeaseSettings: Sendable {
    /// This process's name, for people.
    public var holder: String
    /// Tells holders apart; the same after a restart of the process that holds the same state directory.
    public var identity: String
    /// How long others must see one value before they take the lease; the holder renews it after a third of that.
    public var length: Duration
    /// The time since a moment of its own; it goes on while the process or the machine is stopped.
    public var now: @Sendable () -> Duration
    /// Waits by the same clock.
    public var sleep: @Sendable (Duration) async throws -> Void
    /// A word that no other write has.
    public var makeToken: @Sendable () -> String

    /// Settings over the machine's own clock.
    ///
    /// `ContinuousClock` is `CLOCK_BOOTTIME` on Linux: it counts what SIGSTOP or a suspended machine takes.
    public init(holder: String, identity: String, length: Duration = .seconds(60)) {
        self.holder = holder
        self.identity = identity
        self.length = length
        let start = ContinuousClock.now
        now = { start.duration(to: .now) }
        sleep = { try await Task.sleep(for: $0, clock: .continuous) }
        makeToken = { "\(UInt64.random(in: .min ... .max))-\(UInt64.random(in: .min ... .max))" }
    }
}
