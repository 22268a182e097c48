// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// A lease in memory, and what a network does to those who want it.
public actor MemoryLeaseStore: LeaseStore {
    /// What becomes of one call.
    public enum Fate: Sendable {
        /// It works.
        case works
        /// It never arrives.
        case isLost
        /// It arrives, and its answer does not.
        case answerIsLost
    }

    /// How a call failed that was made to.
    public struct Unreachable: Error {
        /// A failure.
        public init() {}
    }

    /// The value that is there.
    public private(set) var value: LeaseValue?
    /// Every lease that was written, in order.
    public private(set) var written: [Lease] = []
    private var count = 0
    private var gate: @Sendable (_ isWrite: Bool) async -> (before: Fate, after: @Sendable () async -> Void)

    /// A store without a lease.
    public init() { gate = { _ in (.works, {}) } }

    /// Takes what becomes of each call: what it returns is done to the call, and `after` is waited for before the answer.
    public func onCall(
        _ gate: @escaping @Sendable (_ isWrite: Bool) async -> (before: Fate, after: @Sendable () async -> Void)
    ) { self.gate = gate }

    /// Puts a value that nobody here has written.
    public func put(_ value: LeaseValue?) { self.value = value }

    /// The value that is there.
    public func read() async throws -> LeaseValue? {
        let (fate, after) = await gate(false)
        let found = value
        await after()
        if case .works = fate { return found }
        throw Unreachable()
    }

    /// Compares and replaces.
    public func replace(_ expected: String?, with lease: Lease) async throws -> String? {
        let (fate, after) = await gate(true)
        var result: String?
        if case .isLost = fate {
        } else if value?.id == expected {
            count += 1
            result = "value \(count)"
            value = LeaseValue(id: "value \(count)", lease: lease)
            written.append(lease)
        }
        await after()
        if case .works = fate { return result }
        throw Unreachable()
    }
}
