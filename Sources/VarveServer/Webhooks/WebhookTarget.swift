// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import VarveModel
import VarvePlan
public import VarveReconcile

/// A loop that webhooks can ring.
///
/// The first ring goes through at once. Those that follow within the pause are one ring at its end: the pass that the
/// first set off may have read the repository before the last push.
public final class WebhookTarget: Sendable {
    private struct State {
        var quietUntil: ContinuousClock.Instant?
        /// What the ring at the end of the pause is to look at; nil where none is due.
        var due: Bool?
        /// The repositories of registries that it publishes to.
        var published: Set<Substring> = []
    }

    let address: String
    let branch: String?
    private let pause: Duration
    private let ring: @Sendable (_ looksOutside: Bool) -> Void
    private let state = Mutex(State())

    /// A repository by the address and the branch that the configuration gives; a nil branch follows `HEAD`.
    public convenience init(address: String, branch: String?, control: LoopControl) {
        self.init(address: address, branch: branch) { control.reconcile(looksOutside: $0) }
    }

    init(
        address: String, branch: String?, pause: Duration = .milliseconds(200),
        ring: @escaping @Sendable (_ looksOutside: Bool) -> Void
    ) {
        self.address = address
        self.branch = branch.map { $0.hasPrefix("refs/heads/") ? String($0.dropFirst(11)) : $0 }
        self.pause = pause
        self.ring = ring
    }

    /// Whether a push may concern it.
    func follows(_ branch: String?) -> Bool {
        guard let branch, let own = self.branch else { return true }
        return branch == own
    }

    /// Takes what is known to be published: the registry tells of these pushes too.
    public func learn(_ records: [BuildRecord]) {
        let locations = records.compactMap { record in
            record.isExternal ? nil : record.location.map { $0.drop { $0 != "/" }.dropFirst() }
        }
        state.withLock { $0.published = Set(locations) }
    }

    /// Whether a push to repositories of a registry may concern it.
    ///
    /// One to what it publishes itself, and nothing else, does not: each of its own would have all bases looked up.
    func mayStand(on repositories: Set<String>) -> Bool {
        state.withLock { state in
            repositories.isEmpty || repositories.contains { !state.published.contains(Substring($0)) }
        }
    }

    /// Rings now, or is part of one ring at the end of the pause, which the first that finds none due waits for.
    func note(looksOutside: Bool) async {
        let clock = ContinuousClock()
        let end: ContinuousClock.Instant? = state.withLock { state in
            let now = clock.now
            guard let quietUntil = state.quietUntil, now < quietUntil else {
                state.quietUntil = now + pause
                return nil
            }
            defer { state.due = (state.due ?? false) || looksOutside }
            return state.due == nil ? quietUntil : now
        }
        guard let end else { return ring(looksOutside) }
        guard end > clock.now else { return }
        // A sender that goes away, or a server that stops, ends the wait early; the ring is not lost.
        try? await clock.sleep(until: end)
        let due = state.withLock { state in
            defer {
                state.due = nil
                state.quietUntil = clock.now + pause
            }
            return state.due
        }
        if let due { ring(due) }
    }
}
