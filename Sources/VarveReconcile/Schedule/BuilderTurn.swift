// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// One image's claim on a builder: it can be put down while the image waits for others, and taken up again.
final class BuilderTurn: Sendable {
    let ticket: BuildSlots.Ticket
    private let slots: BuildSlots
    private let isHeld = Mutex(false)

    init(_ ticket: BuildSlots.Ticket, of slots: BuildSlots) {
        self.ticket = ticket
        self.slots = slots
    }

    /// Waits for a builder; false where the task was cancelled first.
    func take() async -> Bool {
        guard await slots.take(ticket) else { return false }
        isHeld.withLock { $0 = true }
        return true
    }

    /// Gives the builder back, where there is one.
    func give() async {
        let wasHeld = isHeld.withLock { isHeld in
            defer { isHeld = false }
            return isHeld
        }
        if wasHeld { await slots.give(ticket) }
    }
}
