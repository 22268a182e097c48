// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing
import VarveModel
import VarvePlan
import VarveReconcile
import VarveTestSupport

private let base = "base: docker.io/library/debian:bookworm\n"
private let reason = BuildFailure(.transient, message: "failed to reach remote 'x': refused")

/// What a crash, a stop or a store that is away leaves, and how the next pass heals it.
@Suite(.temporaryDirectory) struct PassCrashTests {
    @Test func recordIsInTheJournalBeforeTheStore() async throws {
        let rig = try await Rig()
        let journal = rig.journal
        await rig.store.onAppend { entries in
            let pending = try await journal.pending().map(\.record.id)
            #expect(entries.allSatisfy { pending.contains($0.record.id) })
        }
        try await rig.source.commit(["a/image.yaml": base])
        try await rig.reconcile()
        #expect(await rig.store.arrived.count == 1)
        #expect(try await rig.journal.pending() == [])
    }

    @Test(arguments: [false, true]) func failingStoreLosesNothingAndIsServedOnce(afterAccepting: Bool) async throws {
        let rig = try await Rig()
        try await rig.source.commit(["a/image.yaml": base, "b/image.yaml": "base: a\n"])
        await rig.store.fail(reason, afterAccepting: afterAccepting)
        let result = try await rig.reconcile()
        #expect(result.built.count == 2)
        #expect(result.isGood)
        #expect(result.unsent == 2)
        #expect(try await rig.journal.pending().count == 2)
        #expect(rig.events.warnings.contains { $0.contains("records wait in the journal") })
        // While the store is away, the journal is believed.
        try await rig.reconcile()
        #expect(await rig.executed == [])
        #expect(await rig.published == [])
        await rig.store.fail(nil)
        let healed = try await rig.reconcile()
        #expect(healed.unsent == 0)
        #expect(try await rig.journal.pending() == [])
        #expect(await rig.store.arrived.map(\.image.value) == ["a", "b"])
        #expect(await rig.log(try #require(try await rig.source.tip())).count == 2)
    }

    @Test func journalThatCannotBeRewrittenStopsNoBuild() async throws {
        let (rig, gate) = (try await Rig(), Gate())
        await ScheduleTests.hold("slow", rig, until: gate)
        try await rig.source.commit(ScheduleTests.files(["a": "slow", "b": "git", "c": "curl"]))
        // A folder in the draft's place: entries can be added, and none can be dropped.
        let draft = rig.state.journal + ".new"
        try FileManager.default.createDirectory(atPath: draft, withIntermediateDirectories: false)
        // Until two are sent together the first image is being built.
        await rig.store.onAppend { entries in if entries.count > 1 { await gate.open() } }
        let result = try await rig.reconcile()
        #expect(result.built.map(\.value).sorted() == ["a", "b", "c"] && result.isGood && result.unsent == 3)
        #expect(rig.events.warnings.contains { $0.contains("the journal cannot be emptied") })
        try FileManager.default.removeItem(atPath: draft)
        #expect(try await rig.reconcile().unsent == 0)
        #expect(try await rig.journal.pending().isEmpty)
        #expect(await rig.store.arrived.map(\.image.value).sorted() == ["a", "b", "c"])
    }

    /// Killed after publishing and before the record: the next pass publishes the same bytes and records them.
    @Test func crashBetweenPublishAndRecordHeals() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["a/image.yaml": base, "b/image.yaml": base + "env: {B: b}\n"])
        // A folder where the journal's file should be: it can be neither read nor written.
        let blocked = Journal(path: rig.state.path + "/journal")
        let crashing = Reconciler(
            source: rig.source, records: rig.store, engine: rig.engine, registry: rig.registry, journal: blocked,
            state: rig.state,
            settings: PassSettings(
                platform: try Platform("linux/amd64"), host: "h", now: { Timestamp(seconds: 0) }, makeID: { "0" }),
            events: { _ in })
        await #expect(throws: ReconcileError(.stateDirectory, subject: rig.state.path + "/journal", cause: "")) {
            try await crashing.reconcile()
        }
        await rig.store.onAppend { _ in throw CancellationError() }
        try await rig.reconcile()
        let published = await rig.registry.publications.map(\.annotations)
        // The machine is lost with its journal; the registry and the store of layers are not.
        try await rig.journal.remove(ids: Set(try await rig.journal.pending().map(\.record.id)))
        await rig.store.onAppend { _ in }
        let result = try await rig.reconcile()
        #expect(result.built.count == 2)
        #expect(await rig.executed == [])
        #expect(await rig.registry.publications.map(\.annotations).count == published.count)
        #expect(await rig.store.arrived.count == 2)
        for record in await rig.store.arrived {
            #expect(try await rig.registry.contains(record.image, manifest: #require(record.manifestDigest)))
        }
    }

    /// Two passes in one second, or a host whose clock is behind: the newest build stays the newest.
    @Test func recordsOfAnImageKeepTheirOrderOnAStandingClock() async throws {
        let rig = try await Rig()
        for index in 0..<4 {
            rig.clock.move(by: index == 3 ? -5_000 : 0)
            try await rig.source.commit(["a/image.yaml": base + "env: {A: '\(index)'}\n"])
            try await rig.reconcile()
            #expect(await rig.executed.contains("config"))
            let writes = await rig.store.writes
            try await rig.reconcile()
            #expect(await rig.store.writes == writes)
        }
        let starts = await rig.store.arrived.map(\.start)
        #expect(starts == starts.sorted())
        #expect(Set(starts).count == 4)
    }

    // MARK: cancellation

    @Test func stopInTheMiddleOfALayerRecordsNothingAndLeavesNoClaim() async throws {
        let rig = try await Rig()
        try await rig.source.commit([
            "a/image.yaml": base, "a/apt.txt": "git\n", "b/image.yaml": base, "b/apt.txt": "git\n",
        ])
        let began = Gate()
        await rig.engine.onBuild { request in
            guard request.content.kind == .apt else { return }
            await began.open()
            // As an engine whose step was killed: it fails, and not with a cancellation.
            do { try await Task.sleep(for: .seconds(600)) } catch { throw BuildFailure(.unknown, message: "killed") }
        }
        let reconciler = try rig.reconciler
        let result = try await withThrowingTaskGroup(of: PassResult.self) { group in
            group.addTask { try await reconciler.reconcile() }
            await began.wait()
            group.cancelAll()
            return try await group.next()
        }
        #expect(result?.isCancelled == true)
        #expect(result?.isGood == false)
        #expect(result?.failed == [])
        #expect(await rig.store.arrived == [])
        #expect(try await rig.journal.pending() == [])
        #expect(await rig.engine.executions.filter { $0.content.kind == .apt }.count == 1)
        await rig.engine.onBuild { _ in }
        let next = try await rig.reconcile()
        #expect(next.built.count == 2)
        #expect(await rig.executed == ["apt", "config"])
    }
}
