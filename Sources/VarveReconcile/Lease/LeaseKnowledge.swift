// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// What one process knows of a lease, from what it has read and written, and what that means by its own clock.
struct LeaseKnowledge: Sendable {
    /// What a value means to this process.
    enum Standing {
        /// This process wrote it; it holds until the moment given.
        case mine(Lease, until: Duration)
        /// It may be replaced now; the counter of the next lease.
        case free(next: Int)
        case held(by: String)
    }

    /// How many of its own writes a process remembers: as many as can be under way.
    private static let remembered = 16

    private let settings: LeaseSettings
    /// The lease that this process holds, as far as it knows.
    private(set) var mine: (id: String, lease: Lease)?
    /// The writes of this process, and when each began; the last is the newest.
    private var writes: [(token: String, start: Duration)] = []
    /// The value that stands in the store, and since when this process has seen it.
    private var seen: (id: String?, since: Duration)?
    /// When it was last looked at.
    private var looked: Duration?
    /// The last lease that was seen in the store: it counts for its length although somebody deletes it.
    private var last: Lease?

    init(_ settings: LeaseSettings) { self.settings = settings }

    /// Whether the process may have written what stands in the store.
    var hasWritten: Bool { !writes.isEmpty }

    /// The lease that this process wrote, and until when it believes in it.
    var held: (lease: Lease, until: Duration)? {
        guard let mine, let until = validity(of: mine.lease) else { return nil }
        return (mine.lease, until)
    }

    /// Takes what stands in the store.
    mutating func see(_ value: LeaseValue?, at now: Duration) -> Standing {
        // That there is none has no identity: between two looks far apart it may have been put back and deleted again.
        let isVague = value == nil && now > (looked ?? now) + settings.length / 4
        if seen?.id != value?.id || seen == nil || isVague { seen = (value?.id, now) }
        looked = now
        guard let lease = value == nil ? last : value?.lease else {
            let isFree = value == nil || hasStood(for: settings.length, at: now)
            return isFree ? .free(next: 1) : .held(by: "an unknown holder")
        }
        // Deleted by hand, which tells its holder nothing before its next look.
        guard let value else { return standing(of: lease, at: now) }
        last = lease
        if let until = validity(of: lease) {
            note(lease, id: value.id)
            return .mine(lease, until: until)
        }
        mine = nil
        return standing(of: lease, at: now)
    }

    /// Takes that a write begins.
    mutating func begin(_ token: String, at start: Duration) {
        writes = (writes + [(token, start)]).suffix(Self.remembered)
    }

    /// Notes a lease of this process, unless a newer one is known.
    mutating func note(_ lease: Lease, id: String) {
        guard let start = start(of: lease), start >= mine.flatMap({ self.start(of: $0.lease) }) ?? start else { return }
        mine = (id, lease)
    }

    /// Believes no longer in the lease that it held, nor, where that is asked for, in any that it wrote.
    mutating func forget(writes isAll: Bool = false) {
        mine = nil
        if isAll { writes = [] }
    }

    /// Until when this process believes in a lease that it wrote; nil for one of somebody else.
    private func validity(of lease: Lease) -> Duration? {
        guard !lease.isReleased, let start = start(of: lease) else { return nil }
        return start + .seconds(lease.length) * 2 / 3
    }

    /// When this process began to write a lease; nil for one of somebody else.
    private func start(of lease: Lease) -> Duration? { writes.last { $0.token == lease.token }?.start }

    /// What a lease means that this run of the process does not hold.
    private func standing(of lease: Lease, at now: Duration) -> Standing {
        // Only one process at a time has an identity, so this is what is left of its last run.
        if lease.isReleased || lease.identity == settings.identity { return .free(next: lease.counter + 1) }
        let length = max(Duration.seconds(lease.length), .milliseconds(1))
        return hasStood(for: length, at: now)
            ? .free(next: lease.counter + 1) : .held(by: singleLine(redacted(lease.holder), limit: 200))
    }

    private func hasStood(for length: Duration, at now: Duration) -> Bool {
        guard let seen else { return false }
        return now >= seen.since + length
    }
}
