// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

/// One pass after its survey: what is built, in which order, and what is recorded.
struct Pass {
    let reconciler: Reconciler
    let findings: Survey.Findings
    let keeper: RecordKeeper
    let retries: RetryLedger?
    let selected: Set<ImageName>
    /// Whether all images are meant, and so those too that are gone or cannot be read.
    let isWhole: Bool

    private var planner: Planner
    private var plans: [ImageName: ImagePlan] = [:]
    private var history: History
    private var commits: [ImageName: DefinitionCommits] = [:]
    private var result: PassResult

    init(
        reconciler: Reconciler, findings: Survey.Findings, selected names: Set<ImageName>, keeper: RecordKeeper,
        retries: RetryLedger?
    ) {
        self.reconciler = reconciler
        self.findings = findings
        self.keeper = keeper
        self.retries = retries
        planner = findings.planner
        history = findings.history
        isWhole = names.isEmpty
        result = PassResult(commit: findings.commit)
        for plan in findings.plan.images { plans[plan.definition.name] = plan }
        selected = Self.withAncestors(names.isEmpty ? Set(plans.keys) : names, plans: plans)
    }

    private static func withAncestors(_ names: Set<ImageName>, plans: [ImageName: ImagePlan]) -> Set<ImageName> {
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

    /// Whether the pass would build or record anything; to be asked of a copy.
    mutating func hasWork() async throws -> Bool {
        let images = findings.plan.images.map(\.definition).filter { selected.contains($0.name) }
        commits = try await DefinitionCommits.find(for: images, in: findings.commit, source: reconciler.source)
        for name in await hold() where !release(below: name).adopted.isEmpty { return true }
        if plans.contains(where: { $1.action == .build && selected.contains($0) }) { return true }
        return try await !passiveEntries().isEmpty
    }

    mutating func run() async throws -> PassResult {
        let images = findings.plan.images.map(\.definition).filter { selected.contains($0.name) }
        commits = try await DefinitionCommits.find(for: images, in: findings.commit, source: reconciler.source)
        let held = await hold()
        let toBuild = findings.plan.images.filter {
            plans[$0.definition.name]?.action == .build && selected.contains($0.definition.name)
        }
        reconciler.events(.planned(commit: findings.commit, images: plans.count, toBuild: toBuild.count))
        try await keep(try await passiveEntries())
        for name in held { try await keep(release(below: name).adopted) }
        try await build(toBuild.map(\.definition.name))
        result.unsent = try await keeper.send()
        result.unchanged =
            selected.filter { plans[$0]?.action == ImagePlan.Action.none && !result.built.contains($0) }.count
        result.isCancelled = Task.isCancelled
        return result
    }

    /// Takes out what failed on the very same inputs and is not to be tried now; its children are as those of one that fails.
    private mutating func hold() async -> [ImageName] {
        guard let retries else { return [] }
        var held: [ImageName] = []
        for plan in findings.plan.images where selected.contains(plan.definition.name) {
            let name = plan.definition.name
            guard !planner.forced.contains(name), await retries.holds(plan, now: ContinuousClock().now) else {
                continue
            }
            plans[name]?.action = .blocked
            plans[name]?.status = .error
            result.failed.append(name)
            held.append(name)
        }
        return held
    }

    private func keep(_ entries: [RecordEntry]) async throws {
        try await keeper.keep(entries)
        for entry in entries { reconciler.events(.imageFinished(entry.record)) }
    }

    // MARK: What is recorded without building

    private mutating func passiveEntries() async throws -> [RecordEntry] {
        var entries: [RecordEntry] = []
        for definition in isWhole ? findings.plan.invalid : [] {
            reconciler.events(.invalid(definition))
            result.invalid.append(definition.name)
            if let entry = try await invalidEntry(definition) { entries.append(entry) }
        }
        for plan in findings.plan.images where selected.contains(plan.definition.name) {
            if plan.action == .blocked { skip(plan) }
            if let entry = adoptedEntry(plan) { entries.append(entry) }
        }
        for record in isWhole ? findings.plan.retired : [] { entries.append(try await retiredEntry(record)) }
        return entries
    }

    private mutating func skip(_ plan: ImagePlan) {
        result.blocked.append(plan.definition.name)
        reconciler.events(
            .imageSkipped(name: plan.definition.name.value, status: .blocked, cause: plan.cause ?? "its base is broken")
        )
    }

    /// One line on the commit that a definition of unchanged meaning moved to.
    private func adoptedEntry(_ plan: ImagePlan) -> RecordEntry? {
        guard plan.action == .none, plan.status == .built, let last = plan.lastGood,
            let commits = commits[plan.definition.name],
            last.commit != commits.newest || last.tree != plan.definition.tree
        else { return nil }
        var record = makeRecord(last.image, .adopted, commit: commits.newest)
        record.folder = plan.definition.folder
        record.tree = plan.definition.tree
        record.layers = last.layers.map { $0.adopted }
        record.reference = last.reference
        record.manifestDigest = last.manifestDigest
        record.configDigest = last.configDigest
        record.tags = last.tags
        record.base = last.base
        record.platform = last.platform
        record.platforms = last.platforms
        record.verify = last.verify
        return entry(record, commits: commits.noted, tree: plan.definition.tree)
    }

    /// Said once for each state of the folder.
    private func invalidEntry(_ definition: InvalidDefinition) async throws -> RecordEntry? {
        guard let name = try? ImageName(definition.name), !history.knowsAsInvalid(definition) else { return nil }
        let commit = try await lastCommit(of: definition.folder)
        var record = makeRecord(name, .invalid, commit: commit)
        record.folder = definition.folder
        record.tree = definition.tree
        let message = definition.diagnostics.map(\.description).joined(separator: "; ")
        record.error = FailureRecord(
            failureClass: .definition, layer: nil, message: singleLine(redacted(message), limit: 1_000), tail: "")
        return entry(record, commits: [commit], tree: definition.tree)
    }

    private func retiredEntry(_ last: BuildRecord) async throws -> RecordEntry {
        let commit = try await lastCommit(of: last.folder)
        var record = makeRecord(last.image, .retired, commit: commit)
        record.folder = last.folder
        record.tree = last.tree
        record.reference = last.reference
        return entry(record, commits: [commit], tree: last.tree ?? commit)
    }

    private func lastCommit(of folder: RepositoryPath) async throws -> ObjectID {
        let found = try await reconciler.source.lastCommits(touching: [[folder]], from: findings.commit)
        return found.first.flatMap { $0 } ?? findings.commit
    }

    private func makeRecord(_ image: ImageName, _ status: ImageStatus, commit: ObjectID) -> BuildRecord {
        let settings = reconciler.settings
        return BuildRecord(
            id: settings.makeID(), image: image, commit: commit, trigger: settings.trigger, status: status, reasons: [],
            layers: [], start: settings.moment(after: history.latest[image]), seconds: 0, engine: "",
            host: settings.host)
    }

    private func entry(
        _ record: BuildRecord, commits: [ObjectID], tree: ObjectID, descriptions: [LayerDescription] = []
    ) -> RecordEntry {
        RecordEntry(commits: commits, line: record.logLine, tree: tree, record: record, descriptions: descriptions)
    }

    // MARK: Building

    /// Builds what is ready, a bounded number at a time, and plans the children of each image that is finished.
    private mutating func build(_ names: [ImageName]) async throws {
        var ready = names[...]
        guard !ready.isEmpty else { return }
        let address = try await reconciler.source.address()
        let builds = LayerBuilds()
        var unkept: [RecordEntry] = []
        let (reconciler, findings) = (reconciler, findings)
        try await withThrowingTaskGroup(of: (ImageName, RecordEntry?).self) { group in
            var running = 0
            while running > 0 || (!ready.isEmpty && !Task.isCancelled) {
                while running < reconciler.settings.builders, !Task.isCancelled, let name = ready.popFirst() {
                    guard let plan = plans[name], let commits = commits[name] else { continue }
                    group.addTask {
                        let build = ImageBuild(
                            plan: plan, commit: commits.newest, address: address, sources: findings.tree,
                            engine: reconciler.engine, registry: reconciler.registry, builds: builds,
                            settings: reconciler.settings, state: reconciler.state, events: reconciler.events)
                        guard let (record, descriptions) = await build.run() else { return (name, nil) }
                        return (
                            name,
                            RecordEntry(
                                commits: commits.noted, line: record.logLine, tree: plan.definition.tree,
                                record: record, descriptions: descriptions)
                        )
                    }
                    running += 1
                }
                guard let (name, entry) = try await group.next() else { break }
                running -= 1
                guard let entry else { continue }
                if history.latest[name]?.isSameFailure(as: entry.record) == true {
                    reconciler.events(.imageFinished(entry.record))
                } else {
                    // The others go on building; what could not be kept is tried once more at the end.
                    do { try await keep([entry]) } catch { unkept.append(entry) }
                    _ = try await keeper.send()
                }
                if let plan = plans[name] { await retries?.note(entry.record, of: plan, now: ContinuousClock().now) }
                history.add(entry.record)
                settle(name, entry.record)
                let (released, adopted) = release(below: name)
                try await keep(adopted)
                ready += released
            }
        }
        if !unkept.isEmpty { try await keep(unkept) }
    }

    /// Takes an image's outcome.
    ///
    /// What was missing or asked for is done with, whatever comes next.
    private mutating func settle(_ name: ImageName, _ record: BuildRecord) {
        planner.missing[name] = nil
        planner.forced.remove(name)
        plans[name] = planner.plan(name, history: history, parents: parents(of: name))
        if record.status == .built {
            result.built.append(name)
        } else {
            result.failed.append(name)
            plans[name]?.action = .blocked
            plans[name]?.status = .error
        }
    }

    /// Plans anew what waited for an image, and what waited for that in turn where it needs nothing or cannot be built.
    ///
    /// An image whose base came out with the same content needs nothing, but may stand on a new commit.
    private mutating func release(below name: ImageName) -> (ready: [ImageName], adopted: [RecordEntry]) {
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

    private func parents(of name: ImageName) -> [ImageName: ImagePlan] {
        guard case .image(let parent) = plans[name]?.definition.base, let plan = plans[parent] else { return [:] }
        return [parent: plan]
    }
}

extension LayerRecord {
    /// The layer in the record of a definition that moved to another commit.
    fileprivate var adopted: LayerRecord {
        var layer = LayerRecord(kind: kind, key: key, action: .reused, digest: digest)
        layer.platform = platform
        return layer
    }
}

extension BuildRecord {
    /// Whether another attempt at the same definition failed in the same way, which is not worth a second record.
    fileprivate func isSameFailure(as other: BuildRecord) -> Bool {
        guard status == .error, other.status == .error, let error, let otherError = other.error else { return false }
        return commit == other.commit && error.failureClass == otherError.failureClass
            && error.layer == otherError.layer && error.message == otherError.message && verify == other.verify
            && layers.map(\.key) == other.layers.map(\.key)
    }
}
