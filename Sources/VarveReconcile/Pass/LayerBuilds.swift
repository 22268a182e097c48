// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Sees to it that each layer key is worked on once in a pass, whichever images ask for it.
///
/// The first to claim a key works; the others wait and take the outcome, a failure too: the same key would fail again.
actor LayerBuilds {
    /// What a claim gives.
    enum Claim {
        /// The caller works, and must call `finish`.
        case yours
        /// Somebody has worked.
        case done(Result<BuiltLayer, BuildFailure>)
    }

    private var waiting: [LayerKey: [CheckedContinuation<Void, Never>]] = [:]
    private var finished: [LayerKey: Result<BuiltLayer, BuildFailure>] = [:]

    /// Takes a key, or waits for whoever has it.
    func claim(_ key: LayerKey) async -> Claim {
        while waiting[key] != nil {
            await withCheckedContinuation { waiting[key]?.append($0) }
        }
        if let result = finished[key] { return .done(result) }
        waiting[key] = []
        return .yours
    }

    /// Gives a key back with its outcome.
    ///
    /// A cancelled layer has none: the next to claim it works anew.
    func finish(_ key: LayerKey, _ result: Result<BuiltLayer, BuildFailure>) {
        if case .failure(let failure) = result, failure.failureClass == .cancelled {
            finished[key] = nil
        } else {
            finished[key] = result
        }
        for continuation in waiting.removeValue(forKey: key) ?? [] { continuation.resume() }
    }
}
