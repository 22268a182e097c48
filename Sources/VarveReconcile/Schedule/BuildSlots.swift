// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Lends a bounded number of builders to the images that wait for one, of all repositories together.
///
/// The higher class goes first. Within a class, the owner who has the fewest builders now, then the one who was served the
/// longest time ago; within an owner, who came first. So one owner's thousand images do not hold up another's one.
public actor BuildSlots {
    /// One image's turn.
    struct Ticket: Hashable, Sendable {
        /// Tells images of equal names in different repositories apart.
        let repository: String
        let image: ImageName
        let owner: Owner
        let urgency: BuildClass
        /// When the image was lined up.
        let lined: ContinuousClock.Instant
    }

    private struct Waiter {
        let ticket: Ticket
        let number: UInt64
        let continuation: CheckedContinuation<Bool, Never>
    }

    private var free: Int
    private var count: UInt64 = 0
    private var waiters: [BuildClass: [Owner: [Waiter]]] = [:]
    private var running: [Owner: Int] = [:]
    private var served: [Owner: UInt64] = [:]

    /// So many builders, at least one.
    public init(_ builders: Int) { free = max(1, builders) }

    /// Waits for a builder.
    ///
    /// - Returns: Whether the caller has one, and must give it back; false where the task was cancelled while it waited.
    func take(_ ticket: Ticket) async -> Bool {
        count += 1
        let number = count
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume(returning: false)
                    return
                }
                waiters[ticket.urgency, default: [:]][ticket.owner, default: []].append(
                    Waiter(ticket: ticket, number: number, continuation: continuation))
                lend()
            }
        } onCancel: {
            Task { await self.withdraw(number, ticket) }
        }
    }

    /// Gives a builder back.
    func give(_ ticket: Ticket) {
        free += 1
        running[ticket.owner, default: 1] -= 1
        if running[ticket.owner] == 0 { running[ticket.owner] = nil }
        lend()
    }

    private func withdraw(_ number: UInt64, _ ticket: Ticket) {
        guard let index = waiters[ticket.urgency]?[ticket.owner]?.firstIndex(where: { $0.number == number }) else {
            return
        }
        remove(index, of: ticket.owner, ticket.urgency)?.continuation.resume(returning: false)
    }

    private func lend() {
        while free > 0, let urgency = BuildClass.allCases.sorted(by: >).first(where: { waiters[$0] != nil }) {
            let next = waiters[urgency]?.min { left, right in rank(left.key, left.value) < rank(right.key, right.value)
            }
            guard let owner = next?.key, let waiter = remove(0, of: owner, urgency) else { return }
            free -= 1
            running[owner, default: 0] += 1
            count += 1
            served[owner] = count
            waiter.continuation.resume(returning: true)
        }
    }

    private func rank(_ owner: Owner, _ waiters: [Waiter]) -> (Int, UInt64, UInt64) {
        (running[owner] ?? 0, served[owner] ?? 0, waiters.first?.number ?? 0)
    }

    /// Takes a waiter out; what is left empty goes with it.
    private func remove(_ index: Int, of owner: Owner, _ urgency: BuildClass) -> Waiter? {
        let waiter = waiters[urgency]?[owner]?.remove(at: index)
        if waiters[urgency]?[owner]?.isEmpty == true { waiters[urgency]?[owner] = nil }
        if waiters[urgency]?.isEmpty == true { waiters[urgency] = nil }
        return waiter
    }
}
