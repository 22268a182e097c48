// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

/// The builds of a pass.
extension Pass {
    /// What happens while images are built.
    enum Step: Sendable {
        /// An image's turn has come, or was given up.
        case turn(ImageName, BuilderTurn, isHeld: Bool)
        /// An image is done with; without an entry it was stopped.
        case finished(ImageName, RecordEntry?)
        /// It is time to look again, or, where it was not rung, to see whether it is.
        case look(wasRung: Bool)
        /// A look is over.
        case looked(Look)
    }

    typealias Steps = ThrowingTaskGroup<Step, any Error>

    /// Builds what is ready, as builders come free, and plans the children of each image that is finished.
    mutating func build() async throws {
        guard !ready.isEmpty else { return }
        let address = try await reconciler.source.address()
        try await withThrowingTaskGroup(of: Step.self) { group in
            if let following { await watch(following, &group) }
            lineUp(&group)
            while !running.isEmpty || !queued.isEmpty {
                guard let step = try await group.next() else { break }
                switch step {
                case .turn(let name, let turn, let isHeld): await begin(name, turn, isHeld, address, &group)
                case .finished(let name, let entry): await finish(name, entry)
                case .look:
                    guard let following else { break }
                    if following.control.isDraining || Task.isCancelled {
                        abandonQueue()
                    } else {
                        await beginLook(following, &group)
                    }
                case .looked(let look):
                    guard let following else { break }
                    await endLook(look, following)
                    await watch(following, &group)
                }
                lineUp(&group)
            }
            group.cancelAll()
            for try await step in group {
                switch step {
                case .turn(_, let turn, _): await turn.give()
                // What was rung or seen at the very end is for the next pass.
                case .look(wasRung: true): following?.bell.ring()
                case .looked(let look):
                    giveBack(look.requests)
                    following?.bell.ring()
                case .look, .finished: break
                }
            }
        }
        following?.control.setQueue([])
        await sending.finish()
    }

    private mutating func abandonQueue() {
        for waiting in queued.values { waiting.wait.cancel() }
        queued = [:]
        ready = []
    }

    // MARK: Queue

    /// Has everything that is ready wait for a builder.
    private mutating func lineUp(_ group: inout Steps) {
        let moment = reconciler.settings.now()
        for name in ready where !Task.isCancelled {
            guard let plan = plans[name], plan.action == .build, queued[name] == nil, running[name] == nil else {
                continue
            }
            let ticket = BuildSlots.Ticket(
                repository: reconciler.state.repositoryKey, image: name, owner: plan.definition.owner,
                urgency: urgency(of: plan), lined: ContinuousClock().now)
            let turn = BuilderTurn(ticket, of: reconciler.slots)
            let wait = Task { await turn.take() }
            queued[name] = Queued(turn: turn, since: moment, wait: wait)
            group.addTask {
                let isHeld = await withTaskCancellationHandler {
                    await wait.value
                } onCancel: {
                    wait.cancel()
                }
                return .turn(name, turn, isHeld: isHeld)
            }
        }
        ready = []
        tellQueue()
    }

    private func tellQueue() {
        guard let control = following?.control else { return }
        control.setQueue(
            queued.filter { plans[$0.key]?.action == .build }.map { name, waiting in
                let ticket = waiting.turn.ticket
                return LoopSnapshot.Queued(
                    image: name, owner: ticket.owner.text, urgency: ticket.urgency, since: waiting.since)
            })
    }

    /// Asked for by somebody; else by a commit, unless only the world outside has moved.
    private func urgency(of plan: ImagePlan) -> BuildClass {
        if let known = urgencies[plan.definition.name] { return known }
        let outside: Set = ["base-changed", "artefact-missing", "last-build-failed"]
        return plan.reasons.allSatisfy { outside.contains($0.kind) } ? .base : .commit
    }

    // MARK: One image

    private mutating func begin(
        _ name: ImageName, _ turn: BuilderTurn, _ isHeld: Bool, _ address: String?, _ group: inout Steps
    ) async {
        // Another turn may have been asked for in this one's place.
        if queued[name]?.turn === turn { queued[name] = nil }
        guard isHeld, !Task.isCancelled, following?.control.isDraining != true, running[name] == nil,
            let plan = plans[name], plan.action == .build, let commits = commits[name]
        else {
            await turn.give()
            return
        }
        let rebuild = rebuilds.removeValue(forKey: name)
        running[name] = Running(plan: plan, look: look, rebuild: rebuild)
        urgencies[name] = turn.ticket.urgency
        let control = following?.control
        let build = ImageBuild(
            plan: plan, commit: commits.newest, address: address, sources: findings.tree, engine: reconciler.engine,
            registry: reconciler.registry, builds: reconciler.builds, turn: turn, rebuild: rebuild,
            isDraining: { control?.isDraining ?? false }, stopper: { control?.stopper(of: name) },
            settings: reconciler.settings, state: reconciler.state,
            events: reconciler.events)
        let task = Task { await build.run() }
        control?.setStop(name) { task.cancel() }
        group.addTask {
            let outcome = await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }
            await turn.give()
            guard let (record, descriptions) = outcome else { return .finished(name, nil) }
            return .finished(
                name,
                RecordEntry(
                    commits: commits.noted, line: record.logLine, tree: plan.definition.tree, record: record,
                    descriptions: descriptions))
        }
    }

    private mutating func finish(_ name: ImageName, _ entry: RecordEntry?) async {
        guard let begun = running.removeValue(forKey: name) else { return }
        following?.control.setStop(name, nil)
        guard let entry else {
            // What was asked for is not done.
            if rebuilds[name] == nil { rebuilds[name] = begun.rebuild }
            if !Task.isCancelled, following?.control.isDraining != true { await stopped(begun.plan) }
            return
        }
        meanwhile?.finished.insert(name)
        if history.latest[name]?.isSameFailure(as: entry.record) == true {
            reconciler.events(.imageFinished(entry.record))
        } else {
            await keepIfPossible([entry])
            await sending.ring()
        }
        await following?.retries.note(entry.record, of: begun.plan, now: ContinuousClock().now)
        history.add(entry.record)
        // Whoever stops an image means all that was asked for.
        if entry.record.error?.failureClass == .cancelled { rebuilds[name] = nil }
        // What was missing or asked for when it began is done with, whatever comes next.
        let isWanted = rebuilds[name] != nil
        if !isWanted { following?.control.settle(name) }
        planner.missing[name] = nil
        if !isWanted { planner.forced.remove(name) }
        let urgency = isWanted ? urgencies[name] : urgencies.removeValue(forKey: name)
        plans[name] = planner.plan(name, history: history, parents: parents(of: name))
        if entry.record.status == .built {
            if !result.built.contains(name) { result.built.append(name) }
        }
        if begun.look != look, let plan = plans[name], plan.action == .build {
            let isHeld = await following?.retries.holds(plan, now: ContinuousClock().now) ?? true
            if isWanted || !isHeld {
                // Its definition moved while it was built, or somebody asked for another build.
                ready.append(name)
                return
            }
        }
        if entry.record.status != .built {
            // The watch does not know yet when this one is due again.
            if !running.isEmpty || !queued.isEmpty { following?.bell.ring() }
            result.failed.append(name)
            // An image that is as defined stays so where a rebuild of it was stopped.
            if plans[name]?.action != ImagePlan.Action.none {
                plans[name]?.action = .blocked
                plans[name]?.status = .error
            }
        }
        let (released, adopted) = release(below: name)
        await keepIfPossible(adopted)
        for child in released where urgencies[child] == nil { urgencies[child] = urgency }
        ready += released
    }

    /// The build ended without an outcome and by nobody's wish, as one does whose lease is lost: the next pass looks at it.
    private mutating func stopped(_ plan: ImagePlan) async {
        let name = plan.definition.name
        if let rebuild = rebuilds.removeValue(forKey: name) { following?.control.putBack([name: rebuild]) }
        planner.forced.remove(name)
        urgencies[name] = nil
        result.failed.append(name)
        plans[name]?.action = .blocked
        plans[name]?.status = .pending
        reconciler.events(.imageSkipped(name: name.value, status: .pending, cause: "stopped"))
        await keepIfPossible(release(below: name).adopted)
    }

    /// Keeps entries where that can be done now; the others go on building, and it is tried once more at the end.
    private mutating func keepIfPossible(_ entries: [RecordEntry]) async {
        do { try await keep(entries) } catch { unkept += entries }
    }

    /// Plans anew what waited for an image, and what waited for that in turn where it needs nothing or cannot be built.
    ///
    /// An image whose base came out with the same content needs nothing, but may stand on a new commit.
    mutating func release(below name: ImageName) -> (ready: [ImageName], adopted: [RecordEntry]) {
        var ready: [ImageName] = []
        var adopted: [RecordEntry] = []
        var open = [name]
        while let parent = open.popLast() {
            for child in planner.graph.children[parent] ?? [] where plans[child]?.action == .wait {
                guard selected.contains(child),
                    let plan = planner.plan(child, history: history, parents: parents(of: child))
                else { continue }
                plans[child] = plan
                switch plan.action {
                case .build: ready.append(child)
                case .wait: break
                case .blocked:
                    skip(plan)
                    open.append(child)
                case .none:
                    if let entry = adoptedEntry(plan) { adopted.append(entry) }
                    open.append(child)
                }
            }
        }
        return (ready, adopted)
    }
}

extension BuildRecord {
    /// Whether another attempt at the same definition failed in the same way, which is not worth a second record.
    fileprivate func isSameFailure(as other: BuildRecord) -> Bool {
        guard status == .error, other.status == .error, let error, let otherError = other.error,
            error.failureClass != .cancelled
        else { return false }
        return commit == other.commit && error.failureClass == otherError.failureClass
            && error.layer == otherError.layer && error.message == otherError.message && verify == other.verify
            && layers.map(\.key) == other.layers.map(\.key)
    }
}
