// SPDX-License-Identifier: Apache-2.0

import Synchronization
import VarveModel
import VarvePlan
import VarveReconcile
import VarveTestSupport

/// A whole loop on fakes, in the running test's temporary directory.
struct Rig {
    let source = MemoryDefinitionSource(address: "https://user:secret@git.example.com/images.git")
    let store = MemoryRecordStore()
    var engine = FakeEngine()
    let registry = FakeRegistry()
    let events = EventLog()
    let clock = StepClock()
    let state: StateDirectory
    let journal: Journal
    var builders = 2
    var disk: DiskKeeper?

    static let debian = "docker.io/library/debian:bookworm"

    init(repository: String = "/repository") async throws {
        state = StateDirectory(path: try TemporaryDirectory.required().path, repository: repository)
        try state.prepare()
        journal = Journal(path: state.journal)
        try await registry.push("debian 1", to: ImageReference(Self.debian))
    }

    var reconciler: Reconciler {
        get throws { try reconciler { _ in } }
    }

    /// A reconciler whose events are told to one more.
    func reconciler(
        slots: BuildSlots? = nil, builds: LayerBuilds = LayerBuilds(),
        events more: @escaping @Sendable (PassEvent) -> Void
    ) throws -> Reconciler {
        var settings = PassSettings(
            platform: try Platform("linux/amd64"), host: "host", now: { [clock] in clock.now() },
            makeID: { [clock] in clock.makeID() })
        settings.builders = builders
        settings.disk = disk
        return Reconciler(
            source: source, records: store, engine: engine, registry: registry, journal: journal, state: state,
            settings: settings, slots: slots, builds: builds,
            events: { [events] in
                events.append($0)
                more($0)
            })
    }

    /// One pass, after forgetting what the last one did.
    @discardableResult
    func reconcile(_ names: String..., forced: String...) async throws -> PassResult {
        await engine.resetCounts()
        await registry.resetCounts()
        events.reset()
        return try await reconciler.reconcile(
            names.map { try ImageName($0) },
            rebuilds: Dictionary(uniqueKeysWithValues: forced.map { (try ImageName($0), Rebuild()) }))
    }

    /// The kinds that were executed, sorted by name.
    var executed: [String] { get async { await engine.executions.map(\.content.kind.rawValue).sorted() } }

    /// The names of the images that were published, in order.
    var published: [String] { get async { await registry.publications.map(\.image.value) } }

    /// The lines of the log note of a commit, sorted.
    func log(_ commit: ObjectID) async -> [String] { await store.log[commit, default: []].sorted() }
}

/// What a pass told, as it told it.
final class EventLog: Sendable {
    private let events = Mutex<[PassEvent]>([])

    func append(_ event: PassEvent) { events.withLock { $0.append(event) } }
    func reset() { events.withLock { $0 = [] } }
    var all: [PassEvent] { events.withLock { $0 } }

    /// `NAME: CAUSE` of each image that was left alone.
    var skipped: [String] {
        all.compactMap { event in
            if case .imageSkipped(let name, _, let cause) = event { "\(name): \(cause)" } else { nil }
        }
    }

    /// `NAME STATUS` of each image that was done with.
    var finished: [String] {
        all.compactMap { event in
            if case .imageFinished(let record) = event { "\(record.image) \(record.status.rawValue)" } else { nil }
        }
    }

    var warnings: [String] {
        all.compactMap { event in if case .warning(let text) = event { text } else { nil } }
    }
}

/// A clock that stands still until it is moved, and ids that count.
final class StepClock: Sendable {
    private let seconds = Mutex(1_795_432_508)
    private let ids = Mutex(0)

    func now() -> Timestamp { Timestamp(seconds: seconds.withLock { $0 }) }
    func move(by count: Int) { seconds.withLock { $0 += count } }

    /// Ids that get smaller, so that an order by id alone would be the wrong one.
    func makeID() -> String {
        let count = ids.withLock { count in
            count += 1
            return count
        }
        let digits = String(0xffff - count, radix: 16)
        return String(repeating: "0", count: 32 - digits.count) + digits
    }
}

/// Opens once, for all who wait.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    var isOpened: Bool { isOpen }

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func wait() async {
        if isOpen { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}
