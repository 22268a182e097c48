// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// The two notes refs in memory: sets of lines on commits and trees, in which a line stands once.
public actor MemoryRecordStore: RecordStore {
    /// What stands in `refs/notes/varve/log`, by commit.
    public private(set) var log: [ObjectID: Set<String>] = [:]
    /// Every record that was accepted, in the order of arrival.
    public private(set) var arrived: [BuildRecord] = []
    /// How many calls of `append` were accepted.
    public private(set) var writes = 0
    private var kept: [LayerKey: LayerDescription] = [:]
    private var failure: (any Error)?
    private var acceptsBeforeFailing = false
    private var beforeAppend: @Sendable ([RecordEntry]) async throws -> Void = { _ in }

    /// An empty store.
    public init() {}

    /// Makes `fetch` and `append` fail until it is called with nil.
    ///
    /// - Parameter afterAccepting: whether `append` keeps the entries and fails only then, as a lost answer does.
    public func fail(_ failure: (any Error)?, afterAccepting: Bool = false) {
        self.failure = failure
        acceptsBeforeFailing = afterAccepting
    }

    /// Takes what happens before each `append`.
    public func onAppend(_ body: @escaping @Sendable ([RecordEntry]) async throws -> Void) { beforeAppend = body }

    /// Fails where the test wants it to.
    public func fetch() async throws {
        if let failure { throw failure }
    }

    /// What the records come to.
    public func history() async throws -> History { History(arrived) }

    /// How many records there are.
    public func revision() async throws -> String? { arrived.isEmpty ? nil : "\(arrived.count)" }

    /// The records that are wanted.
    public func records(_ filter: RecordFilter) async throws -> RecordSet {
        RecordSet(records: arrived.filter(filter.matches))
    }

    /// The descriptions that were kept.
    public func descriptions(of keys: [LayerKey]) async throws -> [LayerKey: LayerDescription] {
        kept.filter { keys.contains($0.key) }
    }

    /// Keeps entries; one that is there already is not kept again.
    public func append(_ entries: [RecordEntry]) async throws {
        try await beforeAppend(entries)
        if let failure, !acceptsBeforeFailing { throw failure }
        writes += 1
        for entry in entries where !arrived.contains(where: { $0.id == entry.record.id }) {
            arrived.append(entry.record)
            for commit in entry.commits { log[commit, default: []].insert(entry.line) }
            for description in entry.descriptions { kept[description.key] = description }
        }
        if let failure { throw failure }
    }
}
