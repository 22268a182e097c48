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
    let events: @Sendable (PassEvent) -> Void
    private let memory = PassMemory()

    /// A reconciler over the given parts.
    public init(
        source: any DefinitionSource, records: any RecordStore, engine: any LayerEngine, registry: any ImageRegistry,
        journal: Journal, state: StateDirectory, settings: PassSettings,
        events: @escaping @Sendable (PassEvent) -> Void
    ) {
        self.source = source
        self.records = records
        self.engine = engine
        self.registry = registry
        self.journal = journal
        self.state = state
        self.settings = settings
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
    ///   - forced: images to build although they are as defined.
    ///   - looksOutside: whether registry bases are looked up and published digests are checked. Without it, a pass
    ///     after one that left everything as defined costs nothing while neither the commit nor the records move.
    /// - Throws: when the repository cannot be read, the state directory cannot be written, or an image is unknown. An
    ///   image that cannot be built does not throw; it is in the result.
    public func reconcile(
        _ names: [ImageName] = [], forced: Set<ImageName> = [], looksOutside: Bool = true
    ) async throws -> PassResult {
        try await reconcile(names, forced: forced, looksOutside: looksOutside, retries: nil)
    }

    /// One pass that leaves alone what failed and is not to be tried again yet; without a ledger everything is tried.
    func reconcile(
        _ names: [ImageName] = [], forced: Set<ImageName> = [], looksOutside: Bool, retries: RetryLedger?
    ) async throws -> PassResult {
        let keeper = RecordKeeper(store: records, journal: journal, events: events)
        try await source.fetch()
        do {
            try await records.fetch()
        } catch {
            events(.warning("the remote's records cannot be read now: \(redacted("\(error)"))"))
        }
        _ = try await keeper.send()
        let position = try await position()
        if !looksOutside, forced.isEmpty, let result = await memory.result(of: position) {
            events(.finished(result))
            return result
        }
        let survey = Survey(
            source: source, records: records, registry: registry, journal: journal, platform: settings.platform)
        let lookup: Survey.BaseLookup = looksOutside ? .registry : .registryUnlessKnown(await memory.bases)
        guard var findings = try await survey.survey(bases: lookup) else {
            if try await !records.records().records.isEmpty {
                events(.warning("the branch is gone or has no commit; nothing is built, and what is published stays"))
            }
            let result = PassResult(commit: nil)
            events(.finished(result))
            return result
        }
        for name in names + forced where !findings.plan.images.contains(where: { $0.definition.name == name }) {
            throw ReconcileError(
                .unknownImage, subject: name.value, cause: "no usable definition in commit \(findings.commit.short)")
        }
        findings.planner.forced = forced
        if looksOutside {
            findings.planner.missing = await missingImages(of: findings.plan, selected: Set(names))
        }
        await memory.remember(findings.bases)
        if !forced.isEmpty || !findings.planner.missing.isEmpty {
            findings.plan = findings.planner.plan(findings.history)
        }
        await settings.disk?.note(NeededLayers.keys(of: findings.plan, findings.history), of: state)
        var pass = Pass(
            reconciler: self, findings: findings, selected: Set(names), keeper: keeper, retries: retries)
        let result = try await pass.run()
        if names.isEmpty, result.isGood, result.unsent == 0, result.built.isEmpty {
            // What moved while the pass ran is not settled by it.
            if position.commit == findings.commit { await memory.remember(result, at: position) }
        }
        if let disk = settings.disk, !result.built.isEmpty || !result.failed.isEmpty {
            // What this pass has published is needed now, and what it took the place of no longer is.
            let history = History(try await survey.allRecords())
            await disk.note(NeededLayers.keys(of: findings.plan, history), of: state)
            await disk.tidy { events(.warning($0)) }
        }
        events(.finished(result))
        return result
    }

    /// What a pass depends on, as far as it can be read at no cost.
    private func position() async throws -> PassMemory.Position {
        let records = try await records.records()
        return PassMemory.Position(
            commit: try await source.tip(), recordCount: records.records.count, lastRecord: records.records.last?.id)
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
