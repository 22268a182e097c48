// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

/// When an image that failed is tried again.
public struct RetryPolicy: Sendable {
    /// The wait after the first failure that may pass by itself; each further one doubles it.
    public var first: Duration
    /// The longest wait.
    public var limit: Duration
    /// How often a failure of unknown cause is tried at all.
    public var unknownAttempts: Int
    /// A number from 0 to 1 that spreads the waits, so that what failed together is not tried together.
    public var jitter: @Sendable () -> Double

    /// A policy; by default 15 s, doubled up to half an hour, and two attempts where the cause is unknown.
    public init(
        first: Duration = .seconds(15), limit: Duration = .seconds(1_800), unknownAttempts: Int = 2,
        jitter: @escaping @Sendable () -> Double = { .random(in: 0...1) }
    ) {
        self.first = first
        self.limit = limit
        self.unknownAttempts = unknownAttempts
        self.jitter = jitter
    }

    /// The wait after so many failures in a row: exponential, between half of it and all of it, never above the limit.
    public func wait(after failures: Int) -> Duration {
        let factor = 1 << min(max(failures - 1, 0), 20)
        let whole = min(first * factor, limit)
        return whole / 2 + (whole / 2) * min(max(jitter(), 0), 1)
    }
}

/// Remembers which failed attempts wait for what.
///
/// A failure belongs to the layers that it was seen on: a new input has other keys, and is tried at once. What is only
/// remembered here is lost with the process, so that after a start everything but a fault of the definition is tried once.
actor RetryLedger {
    private struct Attempts {
        var keys: [LayerKey?]
        var count: Int
        /// How many of them were of unknown cause.
        var unknown: Int
        var due: ContinuousClock.Instant?
    }

    let policy: RetryPolicy
    private var attempts: [ImageName: Attempts] = [:]
    private var stopped: [ImageName: [LayerKey?]] = [:]

    init(_ policy: RetryPolicy) { self.policy = policy }

    /// Whether an image that is to be built is left alone for now: it failed on these inputs, and trying again is either
    /// useless or not due.
    func holds(_ plan: ImagePlan, now: ContinuousClock.Instant) -> Bool {
        guard plan.action == .build else { return false }
        if stopped[plan.definition.name] == Self.keys(of: plan) { return true }
        guard let error = plan.latest?.error, plan.reasons.contains(where: { $0.kind == "last-build-failed" }) else {
            return false
        }
        // Whoever stopped it waits for a change too, across restarts and whichever process leads.
        if [.definition, .cancelled].contains(error.failureClass) { return true }
        guard let known = attempts[plan.definition.name], known.keys == Self.keys(of: plan) else { return false }
        guard let due = known.due else { return true }
        return now < due
    }

    /// Leaves an image that a person took out of the queue alone until its inputs change or somebody asks for it.
    func stop(_ plan: ImagePlan) { stopped[plan.definition.name] = Self.keys(of: plan) }

    /// Forgets what held images up: somebody asks for them.
    func release(_ names: Set<ImageName>) {
        for name in names {
            attempts[name] = nil
            stopped[name] = nil
        }
    }

    /// Whether an attempt that waited has come due.
    func isDue(_ now: ContinuousClock.Instant, since last: ContinuousClock.Instant) -> Bool {
        attempts.values.contains { attempt in attempt.due.map { $0 > last && $0 <= now } ?? false }
    }

    /// Takes the outcome of an image that was built as planned.
    func note(_ record: BuildRecord, of plan: ImagePlan, now: ContinuousClock.Instant) {
        stopped[record.image] = nil
        guard record.status == .error, let error = record.error else {
            attempts[record.image] = nil
            return
        }
        let keys = Self.keys(of: plan)
        if error.failureClass == .cancelled {
            attempts[record.image] = nil
            stopped[record.image] = keys
            return
        }
        let before = attempts[record.image].flatMap { $0.keys == keys ? $0 : nil }
        let isUnknown = error.failureClass == .unknown
        let count = (before?.count ?? 0) + 1
        let unknown = (before?.unknown ?? 0) + (isUnknown ? 1 : 0)
        let isOver = isUnknown && unknown >= policy.unknownAttempts
        attempts[record.image] = Attempts(
            keys: keys, count: count, unknown: unknown, due: isOver ? nil : now + policy.wait(after: count))
    }

    /// When the next image is to be tried again; nil where none is.
    ///
    /// What was due at the last look was either tried, or is gone or waits for something else.
    func nextDue(after last: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        attempts.values.compactMap(\.due).filter { $0 > last }.min()
    }

    private static func keys(of plan: ImagePlan) -> [LayerKey?] { plan.platforms.map(\.key) }
}
