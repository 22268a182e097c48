// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

/// Passes of several processes on one repository.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5)))
struct LeasedPassTests {
    /// What a process was told of the records, each time.
    private final class Readings: Sendable {
        let all = Mutex<[[BuildRecord]]>([])
    }

    /// One of the processes: what it shares with the others is the rig's, the engine and the journal are its own.
    private struct Member {
        let reconciler: Reconciler
        let leadership: Leadership
        let engine = FakeEngine()
        let events = EventLog()
        let readings = Readings()
        let state: StateDirectory
        let journal: Journal

        init(_ name: String, _ rig: Rig, _ lease: MemoryLeaseStore, _ clock: ManualClock) throws {
            leadership = Leadership(lease, settings: .manual(name, clock))
            state = StateDirectory(path: rig.state.path + "/" + name, repository: "/repository")
            try state.prepare()
            journal = Journal(path: state.journal)
            var settings = PassSettings(
                platform: try Platform("linux/amd64"), host: name, now: { [clock = rig.clock] in clock.now() },
                makeID: { [clock = rig.clock] in clock.makeID() })
            settings.leadership = leadership
            settings.onRecords = { [readings] records in readings.all.withLock { $0.append(records) } }
            reconciler = Reconciler(
                source: rig.source, records: rig.store, engine: engine, registry: rig.registry, journal: journal,
                state: state, settings: settings, events: { [events] in events.append($0) })
        }

        var executed: [LayerKind] { get async { await engine.executions.map(\.content.kind) } }
    }

    private let lease = MemoryLeaseStore()
    private let clock = ManualClock()

    private func members(_ rig: Rig) throws -> (Member, Member) {
        (try Member("one", rig, lease, clock), try Member("two", rig, lease, clock))
    }

    private func define(_ rig: Rig, _ packages: String) async throws {
        _ = try await rig.source.commit(["images/a/image.yaml": "base: \(Rig.debian)\nbuild: {apt: [\(packages)]}\n"])
    }

    private let image: ImageName

    init() throws { image = try ImageName("a") }

    @Test
    func onlyTheLeaderBuildsAndItsRecordsCarryTheCounter() async throws {
        let rig = try await Rig()
        let (one, two) = try members(rig)
        try await define(rig, "git")
        let gate = Gate()
        await one.engine.onBuild { _ in await gate.wait() }
        async let first = one.reconciler.reconcile()
        try await settle { await !one.engine.executions.isEmpty }
        let second = try await two.reconciler.reconcile()
        #expect(second.leader == "one" && !second.isGood)
        #expect(await two.executed.isEmpty)
        #expect(two.events.warnings == ["one leads this repository; what there is to do is left to it"])
        // It is said once.
        _ = try await two.reconciler.reconcile()
        #expect(two.events.warnings.count == 1)
        await gate.open()
        #expect(try await first.built == [image])
        #expect(await rig.store.arrived.map(\.lease) == [1])
        // What the leader has done is nothing to do for the other one.
        let third = try await two.reconciler.reconcile()
        #expect(third.isGood && third.unchanged == 1 && third.leader == nil)
        #expect(await lease.written.allSatisfy { $0.holder == "one" })
    }

    @Test
    func whoeverTakesOverKnowsWhatOthersRecordedBeforeItActs() async throws {
        let rig = try await Rig()
        let (one, two) = try members(rig)
        try await define(rig, "git")
        await one.engine.onBuild { _ in throw BuildFailure(.transient, message: "away") }
        #expect(try await one.reconciler.reconcile().failed == [image])
        await one.leadership.release()
        #expect(try await two.reconciler.reconcile().built == [image])
        let readings = two.readings.all.withLock(\.self)
        #expect(readings.allSatisfy { $0.map(\.host) == ["one"] && $0.map(\.status) == [.error] })
        // Once before it took the lease, and once with it.
        #expect(readings.count == 2)
    }

    @Test
    func rebuildThatAFollowerIsAskedForIsDoneOnceItLeads() async throws {
        let rig = try await Rig()
        let (one, two) = try members(rig)
        try await define(rig, "git")
        #expect(try await one.reconciler.reconcile().built == [image])
        let bell = Bell()
        let control = try LoopControl(two.state, bell: bell, now: { Timestamp(seconds: 0) })
        let loop = ReconcileLoop(
            two.reconciler, settings: LoopRig.slow, bell: bell, control: control,
            events: { [events = two.events] in events.append($0) })
        try control.rebuild(image, Rebuild(from: .apt))
        #expect(await two.leadership.leader() == "one")
        #expect(await one.leadership.leader() == nil)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await loop.run() }
            group.addTask { await two.leadership.watch { bell.ring() } }
            try await settle {
                two.events.warnings == ["one leads this repository; what there is to do is left to it"]
            }
            #expect(await two.executed.isEmpty)
            try await settle {
                clock.advance(by: .seconds(1))
                return await rig.store.arrived.count == 2
            }
            group.cancelAll()
        }
        let record = await rig.store.arrived.last
        #expect(record?.host == "two" && record?.reasons == [.forced])
        #expect(await two.executed.contains(.apt))
    }

    @Test
    func passWithNothingToDoTakesNoLease() async throws {
        let rig = try await Rig()
        let (one, two) = try members(rig)
        try await define(rig, "git")
        _ = try await one.reconciler.reconcile()
        let count = await lease.written.count
        clock.advance(by: .seconds(3_600))
        for member in [one, two] {
            for looksOutside in [false, true] { _ = try await member.reconciler.reconcile(looksOutside: looksOutside) }
        }
        #expect(await lease.written.count == count)
    }

    @Test
    func leaseThatIsLostOnTheWayStopsTheBuildAndNothingIsRecorded() async throws {
        let rig = try await Rig()
        let (one, two) = try members(rig)
        try await define(rig, "git")
        let gate = Gate()
        await one.engine.onBuild { request in
            guard request.content.kind == .apt else { return }
            // The process stands still for longer than its lease, and another one takes over and builds.
            await gate.open()
            try await settle { await self.lease.written.last?.holder == "two" }
        }
        async let first = one.reconciler.reconcile()
        await gate.wait()
        #expect(try await two.reconciler.reconcile().leader == "one")
        try await settle {
            // What the first one writes does not arrive.
            await lease.onCall { isWrite in (isWrite ? .isLost : .works, {}) }
            for _ in 0..<61 {
                clock.advance(by: .seconds(1))
                await Task.yield()
            }
            await lease.onCall { _ in (.works, {}) }
            let result = try? await two.reconciler.reconcile()
            return result?.built == [image]
        }
        #expect(try await first.isCancelled)
        #expect(await rig.store.arrived.map(\.host) == ["two"])
        #expect(try await one.journal.pending().isEmpty)
        #expect(await rig.published == ["a"])
        #expect(one.events.warnings.contains { $0.contains("the lease went to") }, "\(one.events.warnings)")
        // The one that lost goes on as a follower that sees what the other one did.
        #expect(try await one.reconciler.reconcile().isGood)
    }

    /// Runs a loop of a member, which loses the lease during the first execution of an apt layer, until it leads again and
    /// has recorded something.
    private func loseTheLease(
        _ one: Member, _ rig: Rig, _ duringBuild: @escaping @Sendable (LoopControl) async throws -> Void
    )
        async throws
    {
        let bell = Bell()
        let control = try LoopControl(one.state, bell: bell, now: { Timestamp(seconds: 0) })
        let gate = Gate()
        await one.engine.onBuild { request in
            guard request.content.kind == .apt, await !gate.isOpened else { return }
            try await duringBuild(control)
            await self.lease.put(LeaseValue(id: "theirs", lease: self.foreign))
            await gate.open()
        }
        let loop = ReconcileLoop(
            one.reconciler, settings: LoopRig.slow, bell: bell, control: control,
            events: { [events = one.events] in events.append($0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await loop.run() }
            group.addTask { await one.leadership.watch { bell.ring() } }
            try await settle { one.events.warnings.contains { $0.contains("the lease went to") } }
            #expect(await rig.store.arrived.isEmpty)
            try await settle {
                clock.advance(by: .seconds(1))
                return await !rig.store.arrived.isEmpty
            }
            group.cancelAll()
        }
    }

    @Test
    func imageWhoseBuildLostTheLeaseIsBuiltOnceTheLeaseIsFreeAgain() async throws {
        let rig = try await Rig()
        let (one, _) = try members(rig)
        try await define(rig, "git")
        // The step before the next layer sees it first, long before the lease is to be renewed.
        try await loseTheLease(one, rig) { _ in }
        #expect(one.events.skipped == ["a: stopped"])
        #expect(await rig.store.arrived.map(\.status) == [.built])
        #expect(await rig.store.arrived.map(\.lease) == [8])
        #expect(await one.executed == [.base, .apt, .config])
    }

    @Test
    func rebuildThatWasAskedForBeforeTheLeaseWasLostIsDoneOnceItIsFreeAgain() async throws {
        let rig = try await Rig()
        let (one, _) = try members(rig)
        try await define(rig, "git")
        try await loseTheLease(one, rig) { [image] control in
            try control.rebuild(image, Rebuild(from: .apt))
            // The pass that builds takes it up.
            try await settle { one.events.all.count { if case .planned = $0 { true } else { false } } == 2 }
        }
        #expect(await rig.store.arrived.first?.reasons.contains(.forced) == true)
        #expect(await one.executed == [.base, .apt, .apt, .config])
    }

    @Test
    func imageIsNotTaggedByOneThatLostTheLeaseWhileItUploaded() async throws {
        let rig = try await Rig()
        let (one, two) = try members(rig)
        try await define(rig, "git")
        await rig.registry.onPublish { request in
            guard await lease.written.last?.holder == "one" else { return }
            clock.advance(by: .seconds(41))
            await self.lease.put(nil)
            _ = try await self.lease.replace(nil, with: self.foreign)
        }
        let result = try await one.reconciler.reconcile()
        #expect(result.built.isEmpty && result.isCancelled)
        #expect(try await rig.registry.digest(of: image, tag: "latest") == nil)
        #expect(await rig.store.arrived.isEmpty)
        _ = two
    }

    private var foreign: Lease { Lease(counter: 7, holder: "two", identity: "two", length: 60, token: "x") }

    @Test
    func recordsOfAFormerLeaderWaitUntilItLeadsAgain() async throws {
        let rig = try await Rig()
        let (one, _) = try members(rig)
        try await define(rig, "git")
        await rig.store.onAppend { _ in throw BuildFailure(.transient, message: "away") }
        _ = try await one.reconciler.reconcile()
        #expect(try await one.journal.pending().count == 1)
        await rig.store.onAppend { _ in }
        await lease.put(LeaseValue(id: "theirs", lease: foreign))
        let left = try await one.reconciler.reconcile()
        #expect(left.leader == "two")
        #expect(await rig.store.arrived.isEmpty)
        clock.advance(by: .seconds(60))
        #expect(try await one.reconciler.reconcile().isGood)
        #expect(try await one.journal.pending().isEmpty)
        #expect(await rig.store.arrived.map(\.lease) == [1])
    }

    @Test
    func tagThatDoesNotStandOnTheLastRecordedBuildIsPutRight() async throws {
        let rig = try await Rig()
        let (one, two) = try members(rig)
        _ = try await rig.source.commit([
            "images/a/image.yaml": "base: \(Rig.debian)\nbuild: {apt: [git]}\ntags: [stable]\n"
        ])
        _ = try await one.reconciler.reconcile()
        let manifest = try #require(await rig.store.arrived.first?.manifestDigest)
        let stray = Digest(hashing: "an older build")
        for tag in ["latest", "stable"] {
            await rig.registry.move(tag, of: image, to: stray)
            // One that may not act leaves it as it is.
            #expect(try await two.reconciler.reconcile().leader == "one")
            #expect(try await rig.registry.digest(of: image, tag: tag) == stray)
            #expect(try await one.reconciler.reconcile().isGood)
            #expect(try await rig.registry.digest(of: image, tag: tag) == manifest)
        }
        #expect(await rig.store.arrived.count == 1)
        #expect(
            one.events.warnings
                == ["latest", "stable"].map {
                    "a: \($0) did not stand on the last recorded build and is put right"
                })
    }

    @Test
    func onePassWaitsForItsTurn() async throws {
        let rig = try await Rig()
        let (one, _) = try members(rig)
        try await define(rig, "git")
        await lease.put(LeaseValue(id: "theirs", lease: foreign))
        // Asked for by name, it is not left to another one.
        async let result = one.reconciler.reconcile(rebuilds: [image: Rebuild()])
        try await settle {
            clock.advance(by: .seconds(1))
            return await lease.written.last?.holder == "one"
        }
        #expect(try await result.built == [image])
        #expect(one.events.warnings == ["waiting for two, which leads this repository"])
        #expect(await rig.store.arrived.map(\.lease) == [8])
    }
}
