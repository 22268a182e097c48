// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import Testing

/// Lets only a few of the tests that carry it run at the same time: real builds want a processor each.
public struct SlotTrait: TestTrait, SuiteTrait, TestScoping {
    private static let slots = Slots(count: 3)

    /// A suite hands the trait on to each of its tests.
    public var isRecursive: Bool { true }

    /// Runs one test when a slot is free.
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await Self.slots.take()
        defer { Self.slots.give() }
        try await function()
    }
}

extension Trait where Self == SlotTrait {
    /// Waits for one of a few slots, so that tests with real builds do not slow each other down.
    public static var limitedParallelism: Self { Self() }
}

/// A counting semaphore for tasks.
private final class Slots: Sendable {
    private struct State {
        var free: Int
        var waiters: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Mutex<State>

    init(count: Int) { state = Mutex(State(free: count)) }

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func give() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiters.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        next?.resume()
    }
}
