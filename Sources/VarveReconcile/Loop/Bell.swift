// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

/// Wakes whoever waits; rung while nobody waits, it is remembered once.
///
/// Rings carry nothing: whoever is woken looks at everything anew, so that any number of them is as good as one.
public final class Bell: Sendable {
    private struct State {
        var isRung = false
        /// Resumed with whether it was rung.
        var waiters: [UUID: CheckedContinuation<Bool, Never>] = [:]
    }

    private let state = Mutex(State())

    /// A bell that has not been rung.
    public init() {}

    /// Wakes the waiters, or the first that comes.
    public func ring() {
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            state.isRung = state.waiters.isEmpty
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume(returning: true) }
    }

    /// Waits for a ring, or for as long as given, or until the task is cancelled.
    ///
    /// - Returns: Whether it was rung.
    @discardableResult
    public func wait(atMost duration: Duration) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.wait() }
            group.addTask {
                try? await Task.sleep(for: duration)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            // A ring that comes at the very end of the time counts too.
            for await other in group where other { return true }
            return first
        }
    }

    /// Waits for a ring or the task's cancellation; tells whether it was rung, which a cancellation at the same time does not hide.
    private func wait() async -> Bool {
        let id = UUID()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.isRung || Task.isCancelled {
                        defer { state.isRung = false }
                        return state.isRung
                    }
                    state.waiters[id] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume(returning: false)
        }
    }
}
