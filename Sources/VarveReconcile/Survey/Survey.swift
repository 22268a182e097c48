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
    private let platform: Platform

    /// A survey over the given parts.
    ///
    /// - Parameter platform: the platform of images that name none.
    public init(
        source: any DefinitionSource, records: any RecordStore, registry: any ImageRegistry, journal: Journal,
        platform: Platform
    ) {
        self.source = source
        self.records = records
        self.registry = registry
        self.journal = journal
        self.platform = platform
    }

    /// How what lies outside the repository is found out.
    public enum BaseLookup: Sendable {
        /// Ask the registry what bases are now; images belong where this process publishes.
        case registry
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
    }

    /// Surveys a commit, or the tip where none is given; nil for a repository without a commit.
    ///
    /// - Throws: when the repository or its records cannot be read. A base that cannot be resolved is part of the plan.
    public func survey(commit: ObjectID? = nil, bases lookup: BaseLookup) async throws -> Findings? {
        let tip = if let commit { commit } else { try await source.tip() }
        guard let tip else { return nil }
        let tree = try await source.tree(of: tip)
        let fleet = try await Self.read(tree, platform: platform)
        let recorded = try await allRecords()
        let history = History(recorded)
        let bases = await resolveBases(of: fleet, lookup: lookup, history: history, records: recorded)
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
        return Findings(commit: tip, tree: tree, fleet: fleet, history: history, planner: planner, plan: plan)
    }

    /// All records, with those that are still in the journal, in order.
    public func allRecords() async throws -> [BuildRecord] {
        let sent = try await records.records().records
        let pending = try await journal.pending().map(\.record)
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
        of fleet: Fleet, lookup: BaseLookup, history: History, records: [BuildRecord]
    ) async -> [ImageReference: Planner.BaseResolution] {
        var wanted: [ImageReference: Platform] = [:]
        for image in fleet.images where !image.isSuspended {
            for reference in image.base.references { wanted[reference] = image.platforms.first ?? platform }
        }
        if case .recorded = lookup { return recordedBases(of: wanted, records: records) }
        var open = wanted.sorted { $0.key.description < $1.key.description }[...]
        return await withTaskGroup(of: (ImageReference, Planner.BaseResolution).self) { group in
            func next() {
                guard let (reference, platform) = open.popFirst() else { return }
                group.addTask { (reference, await resolve(reference, platform: platform)) }
            }
            for _ in 0..<4 { next() }
            var result: [ImageReference: Planner.BaseResolution] = [:]
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

    private func recordedBases(
        of wanted: [ImageReference: Platform], records: [BuildRecord]
    ) -> [ImageReference: Planner.BaseResolution] {
        var result: [ImageReference: Planner.BaseResolution] = [:]
        var names: [String: ImageReference] = [:]
        for reference in wanted.keys { names[reference.description] = reference }
        for base in records.compactMap(\.base).flatMap({ [$0] + ($0.images ?? []) }) {
            guard let reference = names[base.reference], let manifest = base.manifestDigest,
                let config = base.configDigest
            else { continue }
            result[reference] = .success(
                ResolvedImage(
                    reference: base.reference, manifestDigest: manifest, configDigest: config,
                    cudaVersion: base.cudaVersion))
        }
        return result
    }
}
