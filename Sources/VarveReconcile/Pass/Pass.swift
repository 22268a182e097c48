// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

/// One pass after its survey: what is built, in which order, and what is recorded.
///
/// A loop's pass looks again while it builds, so that a push does not wait for what was pushed before it: what waits for a
/// builder is then built as the newest commit says, and what is being built is finished.
struct Pass {
    /// An image that is being built.
    struct Running {
        let plan: ImagePlan
        /// Which look at the repository it comes from.
        let look: Int
        /// What was asked for before it began; what is asked for later is not done by it.
        let rebuild: Rebuild?
    }

    /// What a look that began before it cannot know of.
    struct Meanwhile {
        /// The records that were kept.
        var kept: [BuildRecord] = []
        /// The images that were finished, with a record or without.
        var finished: Set<ImageName> = []
    }

    /// An image that waits for a builder.
    struct Queued {
        let turn: BuilderTurn
        let since: Timestamp
        let wait: Task<Bool, Never>
    }

    var reconciler: Reconciler
    let keeper: RecordKeeper
    let names: Set<ImageName>
    /// What a loop adds; nil for a pass of its own.
    let following: Following?
    /// Whether all images are meant, and so those too that are gone or cannot be read.
    var isWhole: Bool { names.isEmpty }

    private(set) var findings: Survey.Findings
    /// How often the repository was looked at.
    private(set) var look = 0
    /// How many looks in a row have failed.
    var failedLooks = 0
    var planner: Planner
    var plans: [ImageName: ImagePlan] = [:]
    var history: History
    var commits: [ImageName: DefinitionCommits] = [:]
    private(set) var selected: Set<ImageName> = []
    var rebuilds: [ImageName: Rebuild]
    var urgencies: [ImageName: BuildClass] = [:]
    var result: PassResult

    var ready: [ImageName] = []
    var queued: [ImageName: Queued] = [:]
    var running: [ImageName: Running] = [:]
    /// What could not be kept yet.
    var unkept: [RecordEntry] = []
    /// What was done since the look that is under way began; nil where none is.
    var meanwhile: Meanwhile?
    /// Sends records while the pass goes on.
    let sending: RecordSender

    init(
        reconciler: Reconciler, findings: Survey.Findings, names: Set<ImageName>, rebuilds: [ImageName: Rebuild],
        interactive: Set<ImageName>, keeper: RecordKeeper, following: Following?
    ) {
        self.reconciler = reconciler
        self.findings = findings
        self.names = names
        self.rebuilds = rebuilds
        self.keeper = keeper
        sending = RecordSender(keeper)
        self.following = following
        planner = findings.planner
        history = findings.history
        result = PassResult(commit: findings.commit)
        for name in interactive.union(names).union(rebuilds.keys) { urgencies[name] = .interactive }
    }

    mutating func run() async throws -> PassResult {
        do {
            try await takeUp()
            try await build()
        } catch {
            putBackRebuilds()
            throw error
        }
        if Task.isCancelled { putBackRebuilds() }
        if !unkept.isEmpty { try await keep(unkept) }
        result.unsent = try await keeper.send()
        result.unchanged =
            selected.filter { plans[$0]?.action == ImagePlan.Action.none && !result.built.contains($0) }.count
        result.isCancelled = Task.isCancelled || following?.control.isDraining == true
        if !result.isCancelled { dropRebuilds() }
        return result
    }

    /// Starts from what was found now, whatever was known before; what is running goes on.
    mutating func takeUp(_ newer: Survey.Findings? = nil) async throws {
        let held = try await compare(newer)
        reconciler.events(
            .planned(
                commit: findings.commit, images: plans.count,
                toBuild: ready.count + queued.keys.filter { plans[$0]?.action == .build }.count))
        try await keep(try await passiveEntries())
        for name in held { try await keep(release(below: name).adopted) }
    }

    /// Whether the pass would build or record anything; to be asked of a copy that tells nobody.
    mutating func hasWork() async throws -> Bool {
        let held = try await compare(nil)
        if !ready.isEmpty { return true }
        for name in held where !release(below: name).adopted.isEmpty { return true }
        return try await !passiveEntries().isEmpty
    }

    /// Plans with what was found, and tells what is held.
    private mutating func compare(_ newer: Survey.Findings?) async throws -> [ImageName] {
        try await stand(on: newer ?? findings)
        for name in withAncestors(Set(urgencies.filter { $0.value == .interactive }.keys), plans) {
            urgencies[name] = .interactive
        }
        result.commit = findings.commit
        (result.failed, result.blocked, result.invalid) = ([], [], [])
        let held = await hold()
        ready = findings.plan.images.map(\.definition.name).filter {
            plans[$0]?.action == .build && selected.contains($0) && running[$0] == nil && queued[$0] == nil
        }
        return held
    }

    /// Takes what was found as what the pass goes on from; where it cannot, what was found before stays so.
    private mutating func stand(on findings: Survey.Findings) async throws {
        var history = findings.history
        for entry in unkept { history.add(entry.record) }
        let plans = Dictionary(findings.plan.images.map { ($0.definition.name, $0) }) { first, _ in first }
        let selected = withAncestors(isWhole ? Set(plans.keys) : names, plans)
        commits = try await DefinitionCommits.find(
            for: findings.plan.images.map(\.definition).filter { selected.contains($0.name) }, in: findings.commit,
            recorded: history.lastGood.mapValues(\.commit), source: reconciler.source)
        (self.findings, self.history, self.plans, self.selected) = (findings, history, plans, selected)
        planner = findings.planner
        look += 1
    }

    private func withAncestors(_ names: Set<ImageName>, _ plans: [ImageName: ImagePlan]) -> Set<ImageName> {
        var result = names
        var open = Array(names)
        while let name = open.popLast() {
            guard case .image(let parent) = plans[name]?.definition.base, result.insert(parent).inserted else {
                continue
            }
            open.append(parent)
        }
        return result
    }

    /// Takes out what failed on the very same inputs and is not to be tried now; its children are as those of one that fails.
    private mutating func hold() async -> [ImageName] {
        guard let retries = following?.retries else { return [] }
        var held: [ImageName] = []
        for plan in findings.plan.images where selected.contains(plan.definition.name) {
            let name = plan.definition.name
            guard rebuilds[name] == nil, urgencies[name] != .interactive, running[name] == nil,
                await retries.holds(plan, now: ContinuousClock().now)
            else { continue }
            plans[name]?.action = .blocked
            plans[name]?.status = .error
            result.failed.append(name)
            held.append(name)
        }
        return held
    }

    mutating func keep(_ entries: [RecordEntry]) async throws {
        try await keeper.keep(entries)
        meanwhile?.kept += entries.map(\.record)
        for entry in entries { reconciler.events(.imageFinished(entry.record)) }
    }

    /// Leaves what people asked for, and this pass has not done, to another one.
    private func putBackRebuilds() {
        following?.control.putBack(rebuilds.merging(running.compactMapValues(\.rebuild)) { newer, _ in newer })
    }

    /// Gives up what people asked for and cannot be done now, and says so: a wish that waited for an image to be resumed, or
    /// for a registry to come back, would be carried out when nobody expects it.
    private func dropRebuilds() {
        guard let control = following?.control else { return }
        for (name, rebuild) in rebuilds.sorted(by: { $0.key < $1.key }) {
            control.settle(name)
            let status = plans[name]?.status.rawValue ?? "gone"
            let user = rebuild.user.map { " that \($0) asked for" } ?? ""
            reconciler.events(.warning("\(name): the rebuild\(user) is dropped, for the image is \(status); ask again"))
        }
    }

    func parents(of name: ImageName) -> [ImageName: ImagePlan] {
        guard case .image(let parent) = plans[name]?.definition.base, let plan = plans[parent] else { return [:] }
        return [parent: plan]
    }
}

/// What a loop adds to a pass: it can be set off again while it runs, and asked for things.
struct Following: Sendable {
    let bell: Bell
    let control: LoopControl
    let retries: RetryLedger
    /// How long a pass that builds rests between two looks.
    let interval: Duration
    /// When bases are to be looked up.
    let lookups: LookupSchedule
}
