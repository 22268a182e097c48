// SPDX-License-Identifier: Apache-2.0

import VarveDefinition
public import VarveModel
public import VarvePlan

/// Reads what should be, looks up what is, and plans; changes nothing.
///
/// Commands that only read use it as the loop does, so `plan` shows what `reconcile` would do, but for images that the
/// registry has lost.
public struct Survey: Sendable {
    private let source: any DefinitionSource
    private let records: any RecordStore
    private let registry: any ImageRegistry
    private let journal: Journal
    private let state: StateDirectory
    private let platform: Platform

    /// A survey over the given parts.
    ///
    /// - Parameter platform: the platform of images that name none.
    public init(
        source: any DefinitionSource, records: any RecordStore, registry: any ImageRegistry, journal: Journal,
        state: StateDirectory, platform: Platform
    ) {
        self.source = source
        self.records = records
        self.registry = registry
        self.journal = journal
        self.state = state
        self.platform = platform
    }

    /// How what lies outside the repository is found out.
    public enum BaseLookup: Sendable {
        /// Ask the registry what bases are now; images belong where this process publishes.
        case registry
        /// The same, but bases that are known are believed to be what they were.
        case registryUnlessKnown([PlatformReference: ResolvedImage])
        /// Believe the records: bases are what they were, images belong where they are. Needs no network and no settings.
        case recorded
    }

    /// What a survey found.
    public struct Findings: Sendable {
        /// The commit.
        public var commit: ObjectID
        /// Its files.
        public var tree: any SourceTree
        /// Its definitions.
        public var fleet: Fleet
        /// The records, those of the journal included.
        public var history: History
        /// The planner, for planning single images anew as the pass goes on.
        public var planner: Planner
        /// The plan.
        public var plan: Plan
        /// The bases that were found.
        public var bases: [PlatformReference: ResolvedImage]
        /// Images that an operator has suspended.
        public var suspended: Set<ImageName>
        /// When the survey began.
        public var moment: ContinuousClock.Instant
    }

    /// Surveys a commit, or the tip where none is given; nil for a repository without a commit.
    ///
    /// - Throws: when the repository or its records cannot be read. A base that cannot be resolved is part of the plan.
    public func survey(commit: ObjectID? = nil, bases lookup: BaseLookup) async throws -> Findings? {
        let tip = if let commit { commit } else { try await source.tip() }
        guard let tip else { return nil }
        let moment = ContinuousClock().now
        let tree = try await source.tree(of: tip)
        var fleet = try await Self.read(tree, platform: platform)
        let suspended = Set(try state.suspendedImages())
        for index in fleet.images.indices where suspended.contains(fleet.images[index].name) {
            fleet.images[index].isSuspended = true
        }
        let history = try await history()
        let bases = await resolveBases(of: fleet, lookup: lookup, history: history)
        let location = location(by: lookup, history)
        var planner = Planner(fleet: fleet, bases: bases, location: location)
        if case .recorded = lookup { planner.unknownBasesWait = true }
        var plan = planner.plan(history)
        let keys = plan.keysToDescribe
        if !keys.isEmpty {
            var descriptions = try await records.descriptions(of: keys)
            for entry in try await journal.pending() {
                for description in entry.descriptions { descriptions[description.key] = description }
            }
            planner.descriptions = descriptions
            plan = planner.plan(history)
        }
        return Findings(
            commit: tip, tree: tree, fleet: fleet, history: history, planner: planner, plan: plan,
            bases: bases.compactMapValues { try? $0.get() }, suspended: suspended, moment: moment)
    }

    /// What all records come to, those included that are still in the journal.
    func history() async throws -> History {
        // The journal first: what is sent meanwhile is in the notes before it leaves the journal.
        let pending = try await journal.pending()
        var history = try await records.history()
        for entry in pending { history.add(entry.record) }
        return history
    }

    /// Records, with those that are still in the journal, in order.
    ///
    /// - Throws: when the journal or the repository cannot be read.
    public func allRecords(_ filter: RecordFilter = .all) async throws -> [BuildRecord] {
        let pending = try await journal.pending().map(\.record).filter(filter.matches)
        let sent = try await records.records(filter).records
        guard !pending.isEmpty else { return sent }
        let known = Set(sent.map(\.id))
        return RecordSet(records: sent + pending.filter { !known.contains($0.id) }).records
    }

    private func location(by lookup: BaseLookup, _ history: History) -> @Sendable (ImageName) -> String {
        let registry = registry
        guard case .recorded = lookup else { return registry.location(of:) }
        return { history.lastGood[$0]?.location ?? registry.location(of: $0) }
    }

    @concurrent
    private static func read(_ tree: any SourceTree, platform: Platform) async throws -> Fleet {
        try DefinitionReader(tree: tree, hostPlatform: platform).readFleet()
    }

    /// One lookup a distinct reference, a few at a time.
    private func resolveBases(
        of fleet: Fleet, lookup: BaseLookup, history: History
    ) async -> [PlatformReference: Planner.BaseResolution] {
        var wanted: Set<PlatformReference> = []
        for image in fleet.images where !image.isSuspended {
            for reference in image.base.references {
                for platform in image.platforms { wanted.insert(PlatformReference(reference, for: platform)) }
            }
        }
        var known: [PlatformReference: Planner.BaseResolution] = [:]
        if case .recorded = lookup {
            for wanted in wanted { known[wanted] = history.base(wanted, host: platform).map { .success($0) } }
            return known
        }
        if case .registryUnlessKnown(let found) = lookup {
            for wanted in wanted { known[wanted] = found[wanted].map { .success($0) } }
        }
        var open = wanted.filter { known[$0] == nil }.sorted {
            ($0.reference.description, $0.platform) < ($1.reference.description, $1.platform)
        }[
            ...]
        return await withTaskGroup(of: (PlatformReference, Planner.BaseResolution).self) { group in
            var result = known
            func next() {
                guard let wanted = open.popFirst() else { return }
                group.addTask { (wanted, await resolve(wanted.reference, platform: wanted.platform)) }
            }
            for _ in 0..<4 { next() }
            while let (reference, resolution) = await group.next() {
                result[reference] = resolution
                next()
            }
            return result
        }
    }

    private func resolve(_ reference: ImageReference, platform: Platform) async -> Planner.BaseResolution {
        do {
            return .success(try await registry.resolve(reference, platform: platform))
        } catch let failure as BuildFailure {
            return .failure(failure)
        } catch {
            return .failure(BuildFailure(.unknown, layer: .base, message: "failed to resolve '\(reference)': \(error)"))
        }
    }
}
