// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

/// The looks of a pass at what moved while it builds.
///
/// A look goes on beside the builds: a remote that does not answer keeps no builder idle and no record waiting.
extension Pass {
    /// One look at the repository.
    struct Look: Sendable {
        /// What was asked for before it.
        var requests: LoopControl.Requests
        /// What it found; nil where nothing has moved.
        var found: Result<Survey.Findings?, any Error>
        /// When it began, where registries were asked too.
        var outside: ContinuousClock.Instant?
    }

    func watch(_ following: Following, _ group: inout Steps) async {
        let now = ContinuousClock().now
        var rest = following.interval
        if failedLooks > 0 {
            // What came due meanwhile needs a look that succeeds.
            rest = min(rest, following.retries.policy.wait(after: failedLooks))
        } else if let due = await following.retries.nextDue(after: findings.moment) {
            rest = min(rest, due - now)
        }
        rest = max(rest, .milliseconds(100))
        group.addTask { [rest] in .look(wasRung: await following.bell.wait(atMost: rest)) }
    }

    /// Takes what people asked for, and begins to read the repository anew.
    mutating func beginLook(_ following: Following, _ group: inout Steps) async {
        let requests = following.control.takeRequests()
        await following.retries.release(requests.interactive)
        await takeOut(requests.stopped, following)
        rebuilds.merge(requests.rebuilds) { $1 }
        for name in requests.interactive { urgencies[name] = .interactive }
        meanwhile = Meanwhile()
        let (reconciler, last, forced) = (reconciler, findings, forced)
        group.addTask {
            await reconciler.lookAgain(after: last, rebuilds: forced, requests: requests, following: following)
        }
    }

    /// Goes on from what a look found; what could not be read is read at the next one.
    mutating func endLook(_ look: Look, _ following: Following) async {
        defer { meanwhile = nil }
        do {
            if var found = try look.found.get() {
                catchUp(&found)
                try await takeUp(found)
                lineUpAnew(look.requests.interactive)
            }
            if let moment = look.outside {
                following.lookups.done(moment)
                following.control.noteLookup()
            }
            failedLooks = 0
        } catch {
            failedLooks += 1
            giveBack(look.requests)
            if Task.isCancelled { return }
            reconciler.events(.warning("the repository cannot be looked at now: \(redacted("\(error)"))"))
        }
    }

    /// Images that are to be built although they are as defined, or are being built for that.
    private var forced: Set<ImageName> {
        Set(rebuilds.keys).union(running.filter { $0.value.rebuild != nil }.keys)
    }

    /// Adds to what a look found what this pass has done since it began.
    private func catchUp(_ found: inout Survey.Findings) {
        let records = (meanwhile?.kept ?? []) + unkept.map(\.record)
        guard !records.isEmpty || found.planner.forced != forced else { return }
        found.planner.forced = forced
        for record in records {
            found.history.add(record)
            if record.status != .adopted { found.planner.missing[record.image] = nil }
        }
        found.plan = found.planner.plan(found.history)
    }

    /// Leaves what was asked for, and is not begun, to a later look.
    mutating func giveBack(_ requests: LoopControl.Requests) {
        var requests = requests
        // These are out of the queue.
        requests.stopped = [:]
        requests.rebuilds = requests.rebuilds.filter { rebuilds[$0.key] == $0.value }
        requests.interactive.subtract(meanwhile?.finished ?? [])
        for name in requests.rebuilds.keys { rebuilds[name] = nil }
        following?.control.putBack(requests)
    }

    /// Takes images out of the queue that somebody has stopped.
    private mutating func takeOut(_ stopped: [ImageName: String], _ following: Following) async {
        for (name, user) in stopped.sorted(by: { $0.key < $1.key }) {
            guard let waiting = queued.removeValue(forKey: name) else { continue }
            waiting.wait.cancel()
            rebuilds[name] = nil
            urgencies[name] = nil
            if let plan = plans[name] { await following.retries.stop(plan) }
            reconciler.events(
                .imageSkipped(name: name.value, status: .pending, cause: "stopped by \(user) before it began"))
        }
    }

    /// Takes images that somebody has come to wait for out of the queue, so that they are lined up in their new class.
    private mutating func lineUpAnew(_ names: Set<ImageName>) {
        for name in names.sorted() {
            guard let waiting = queued[name], waiting.turn.ticket.urgency != .interactive else { continue }
            waiting.wait.cancel()
            queued[name] = nil
            ready.append(name)
        }
    }
}
