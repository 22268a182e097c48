// SPDX-License-Identifier: Apache-2.0

public import VarveModel
import VarvePlan

/// Makes the registry equal to the definitions, one pass at a time.
///
/// A pass reads everything anew and compares; it asks no ancestry of the repository's history, so amended, rebased and
/// force-pushed commits are commits like any other. Whatever a pass was doing when it was killed, the next one finds
/// finished layers in the store under their keys and unsent records in the journal.
public struct Reconciler: Sendable {
    let source: any DefinitionSource
    let records: any RecordStore
    let engine: any LayerEngine
    let registry: any ImageRegistry
    let journal: Journal
    let state: StateDirectory
    let settings: PassSettings
    let slots: BuildSlots
    let builds: LayerBuilds
    var events: @Sendable (PassEvent) -> Void
    let memory = PassMemory()

    /// A reconciler over the given parts.
    ///
    /// - Parameters:
    ///   - slots: The builders; by default as many as the settings say, for this repository alone.
    ///   - builds: The layers that are being built in the engine's store, by whomever.
    public init(
        source: any DefinitionSource, records: any RecordStore, engine: any LayerEngine, registry: any ImageRegistry,
        journal: Journal, state: StateDirectory, settings: PassSettings, slots: BuildSlots? = nil,
        builds: LayerBuilds = LayerBuilds(), events: @escaping @Sendable (PassEvent) -> Void
    ) {
        self.source = source
        self.records = records
        self.engine = engine
        self.registry = registry
        self.journal = journal
        self.state = state
        self.settings = settings
        self.slots = slots ?? BuildSlots(settings.builders)
        self.builds = builds
        self.events = events
    }

    /// Makes the engine's store ready; to be called once, before the first pass.
    ///
    /// - Throws: `BuildFailure` when the engine cannot work on this machine.
    public func prepare() async throws { try await engine.prepare() }

    /// Runs one pass over all images, or over the named ones and those they stand on.
    ///
    /// - Parameters:
    ///   - names: the images; all where there is none.
    ///   - rebuilds: images to build although they are as defined.
    ///   - looksOutside: whether registry bases are looked up and published digests are checked. Without it, a pass
    ///     after one that left everything as defined costs nothing while neither the commit nor the records move.
    /// - Throws: when the repository cannot be read, the state directory cannot be written, or an image is unknown. An
    ///   image that cannot be built does not throw; it is in the result.
    public func reconcile(
        _ names: [ImageName] = [], rebuilds: [ImageName: Rebuild] = [:], looksOutside: Bool = true
    ) async throws -> PassResult {
        var requests = LoopControl.Requests()
        requests.rebuilds = rebuilds
        return try await reconcile(names, requests: requests, looksOutside: looksOutside, following: nil)
    }

    /// One pass of a loop, or one of its own.
    func reconcile(
        _ names: [ImageName] = [], requests: LoopControl.Requests, looksOutside: Bool, following: Following?
    ) async throws -> PassResult {
        events(.began)
        let request = PassRequest(names: names, asked: requests, looksOutside: looksOutside, following: following)
        guard let leadership = settings.leadership else { return try await finish(prepare(request)) }
        return try await reconcile(request, leadership: leadership)
    }

    /// What one pass is to do.
    struct PassRequest: Sendable {
        var names: [ImageName]
        /// What people asked for.
        var asked: LoopControl.Requests
        var looksOutside: Bool
        var following: Following?
    }

    /// A pass that has read everything and changed nothing.
    enum Prepared {
        /// There is nothing to do, or nothing to do it on.
        case settled(PassResult)
        case ready(Pass, position: PassMemory.Position, straying: [StrayingTags])
    }

    /// Reads everything anew; sends what the journal still holds, where this process may.
    func prepare(_ request: PassRequest) async throws -> Prepared {
        let keeper = RecordKeeper(store: records, journal: journal, events: events, leadership: settings.leadership)
        try await fetch()
        let counter = await settings.leadership?.counter
        if settings.leadership == nil || counter != nil { _ = try await keeper.send() }
        let position = try await position()
        let isFresh = await settings.leadership?.isFresh == true
        if !request.looksOutside, !isFresh, request.asked.isEmpty, let result = await memory.result(of: position) {
            return .settled(result)
        }
        let rebuilds = request.asked.rebuilds
        guard
            let findings = try await survey(
                Set(request.names), rebuilds: Set(rebuilds.keys), looksOutside: request.looksOutside)
        else {
            if try await !records.history().isEmpty {
                events(.warning("the branch is gone or has no commit; nothing is built, and what is published stays"))
            }
            request.following?.control.putBack(rebuilds)
            return .settled(PassResult(commit: nil))
        }
        settings.onRecords(findings.history.newest)
        let known = Set(findings.plan.images.map(\.definition.name))
        for name in request.names + rebuilds.keys where !known.contains(name) {
            let error = ReconcileError(
                .unknownImage, subject: name.value, cause: "no usable definition in commit \(findings.commit.short)")
            // A loop goes on without what somebody asked for in vain.
            guard request.following != nil else { throw error }
            events(.warning("\(error)"))
            request.following?.control.settle(name)
        }
        let straying =
            settings.leadership != nil && (request.looksOutside || isFresh) ? await strayingTags(of: findings.plan) : []
        let pass = Pass(
            reconciler: self, findings: findings, names: Set(request.names),
            rebuilds: rebuilds.filter { known.contains($0.key) }, interactive: request.asked.interactive,
            keeper: keeper, following: request.following)
        return .ready(pass, position: position, straying: straying)
    }

    /// Does what a prepared pass found to be done.
    func finish(_ prepared: Prepared) async throws -> PassResult {
        guard case .ready(var pass, let position, let straying) = prepared else {
            guard case .settled(let result) = prepared else { return PassResult(commit: nil) }
            events(.finished(result))
            return result
        }
        let (leadership, counter) = (settings.leadership, await settings.leadership?.counter)
        await putRight(straying)
        await settings.disk?.note(NeededLayers.keys(of: pass.findings.plan, pass.findings.history), of: state)
        let result = try await pass.run()
        // Work that was stopped because the lease was lost looks as if there had been none.
        let mayHaveStopped =
            leadership != nil && counter == nil && pass.findings.plan.images.contains { $0.action == .build }
        if pass.isWhole, result.isGood, result.unsent == 0, result.built.isEmpty, !mayHaveStopped,
            await leadership?.counter == counter
        {
            // What moved while the pass ran is not settled by it.
            if position.commit == pass.findings.commit { await memory.remember(result, at: position) }
        }
        if let disk = settings.disk, !result.built.isEmpty || !result.failed.isEmpty {
            // What this pass has published is needed now, and what it took the place of no longer is.
            let history = try await survey.history()
            await disk.note(NeededLayers.keys(of: pass.findings.plan, history), of: state)
            await disk.tidy { events(.warning($0)) }
        }
        events(.finished(result))
        return result
    }

    /// What a pass that is building goes on from.
    func lookAgain(
        after last: Survey.Findings, rebuilds: Set<ImageName>, requests: LoopControl.Requests,
        following: Following
    ) async -> Pass.Step {
        let now = ContinuousClock().now
        let looksOutside = requests.looksOutside || following.lookups.isDue(now)
        var look = Pass.Look(requests: requests, found: .success(nil))
        do {
            try await fetch()
            let isSame = try await source.tip() == last.commit && Set(try state.suspendedImages()) == last.suspended
            if isSame, requests.isEmpty, !looksOutside, await !following.retries.isDue(now, since: last.moment) {
                return .looked(look)
            }
            look.found = .success(try await survey([], rebuilds: rebuilds, looksOutside: looksOutside))
            if looksOutside { look.outside = now }
        } catch {
            look.found = .failure(error)
        }
        return .looked(look)
    }

    /// Brings the repository up to date, and the records as far as they can be had.
    private func fetch() async throws {
        try await source.fetch()
        do {
            try await records.fetch()
        } catch {
            // Of several processes, one that does not know what the others have done would do it again.
            if settings.leadership != nil { throw error }
            events(.warning("the remote's records cannot be read now: \(redacted("\(error)"))"))
        }
    }

    private var survey: Survey {
        Survey(
            source: source, records: records, registry: registry, journal: journal, state: state,
            platform: settings.platform)
    }

    private func survey(
        _ names: Set<ImageName>, rebuilds: Set<ImageName>, looksOutside: Bool
    ) async throws -> Survey.Findings? {
        let lookup: Survey.BaseLookup = looksOutside ? .registry : .registryUnlessKnown(await memory.bases)
        guard var findings = try await survey.survey(bases: lookup) else { return nil }
        findings.planner.forced = rebuilds
        if looksOutside { findings.planner.missing = await missingImages(of: findings.plan, selected: names) }
        await memory.remember(findings.bases)
        if !rebuilds.isEmpty || !findings.planner.missing.isEmpty {
            findings.plan = findings.planner.plan(findings.history)
        }
        return findings
    }

    /// What a pass depends on, as far as it can be read at no cost.
    private func position() async throws -> PassMemory.Position {
        PassMemory.Position(
            commit: try await source.tip(), suspended: Set(try state.suspendedImages()),
            records: try await records.revision())
    }

    /// Published images that the registry no longer has whole.
    ///
    /// A registry that cannot be asked proves nothing, and is not asked for the rest: that would hold up the builds.
    private func missingImages(of plan: Plan, selected: Set<ImageName>) async -> [ImageName: String] {
        var open = plan.images.filter {
            $0.action == .none && $0.status == .built && (selected.isEmpty || selected.contains($0.definition.name))
        }[...]
        return await withTaskGroup(of: Presence.self) { group in
            func next() {
                guard let image = open.popFirst() else { return }
                group.addTask { await presence(of: image) }
            }
            for _ in 0..<4 { next() }
            var result: [ImageName: String] = [:]
            while let presence = await group.next() {
                switch presence {
                case .present: break
                case .missing(let name, let reference): result[name] = reference
                case .unknown(let warning):
                    if !open.isEmpty { open = [] }
                    events(.warning(warning))
                }
                next()
            }
            return result
        }
    }

    /// Whether a published image is where its record says.
    private enum Presence: Sendable {
        case present
        case missing(ImageName, String)
        case unknown(String)
    }

    /// Whether an image that is built elsewhere is still where children would pull it from.
    ///
    /// - Parameter now: What its reference means now; where that is what was recorded, it was just seen.
    private func contains(
        _ reference: ImageReference, manifest: Digest, platform: Platform?, now: ResolvedImage?
    ) async throws -> Bool {
        if now?.manifestDigest == manifest { return true }
        do {
            _ = try await registry.resolve(
                reference.pinned(to: manifest), platform: platform ?? settings.platform)
            return true
        } catch let failure as BuildFailure where failure.failureClass == .definition {
            return false
        }
    }

    private func presence(of image: ImagePlan) async -> Presence {
        guard let record = image.lastGood, let manifest = record.manifestDigest, let reference = record.reference else {
            return .present
        }
        do {
            let isThere =
                if case .external(let external) = image.definition.base {
                    try await contains(external, manifest: manifest, platform: record.platform, now: image.baseImage)
                } else {
                    try await registry.contains(record.image, manifest: manifest)
                }
            return isThere ? .present : .missing(record.image, reference)
        } catch {
            return .unknown(
                "\(record.image): cannot tell whether \(reference) is still there: \(redacted("\(error)"))")
        }
    }
}
