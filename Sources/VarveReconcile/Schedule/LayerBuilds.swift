// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Sees to it that each layer key is worked on once, whichever images of whichever repositories ask for it.
///
/// The first to claim a key works; the others wait and take the outcome, a failure too: the same key would fail again.
public actor LayerBuilds {
    /// What a claim gives.
    enum Claim {
        /// The caller works, and must call `finish`.
        case yours
        /// Somebody has failed.
        case failed(BuildFailure)
        /// Somebody is at it.
        case busy
    }

    /// A key that failed, and when.
    private struct Failed {
        var failure: BuildFailure
        var end: ContinuousClock.Instant
    }

    private var waiting: [LayerKey: [CheckedContinuation<Void, Never>]] = [:]
    private var failures: [LayerKey: Failed] = [:]
    /// So many failures are remembered at most.
    private let limit = 4_096

    /// Nobody builds anything yet.
    public init() {}

    /// Takes a key, unless somebody has it.
    ///
    /// - Parameter since: When the caller was lined up: a failure that came later is the caller's too; an earlier one is tried
    ///   again.
    func claim(_ key: LayerKey, since: ContinuousClock.Instant) -> Claim {
        if waiting[key] != nil { return .busy }
        if let failed = failures[key], failed.end >= since { return .failed(failed.failure) }
        waiting[key] = []
        return .yours
    }

    /// Waits until nobody works on a key.
    func wait(for key: LayerKey) async {
        guard waiting[key] != nil else { return }
        await withCheckedContinuation { waiting[key]?.append($0) }
    }

    /// Gives a key back.
    ///
    /// A layer that was built is found in the store. One that was cancelled has no outcome: the next to claim it works anew.
    func finish(_ key: LayerKey, _ failure: BuildFailure?) {
        failures[key] = nil
        if let failure, failure.failureClass != .cancelled {
            if failures.count >= limit { forgetOlderHalf() }
            failures[key] = Failed(failure: failure, end: ContinuousClock().now)
        }
        for continuation in waiting.removeValue(forKey: key) ?? [] { continuation.resume() }
    }

    private func forgetOlderHalf() {
        let ends = failures.values.map(\.end).sorted()
        let middle = ends[ends.count / 2]
        failures = failures.filter { $0.value.end > middle }
    }
}
