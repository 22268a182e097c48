// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

/// What is built before what, and what people can do about it, on fakes.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5)))
struct ScheduleTests {
    /// Images whose apt layer holds one package; `held` waits in that layer until the gate opens.
    static func files(_ packages: [String: String], owners: [String: String] = [:]) -> [String: String] {
        var files: [String: String] = [:]
        for (name, package) in packages {
            let owner = owners[name].map { "owner: \($0)\n" } ?? ""
            files["images/\(name)/image.yaml"] = "base: \(Rig.debian)\n\(owner)build: {apt: [\(package)]}\n"
        }
        return files
    }

    /// The packages of the apt layers that were executed, in order.
    private static func packages(_ rig: Rig) async -> [String] {
        await rig.engine.executions.compactMap { request in
            if case .apt(let content) = request.content { content.packages.joined(separator: " ") } else { nil }
        }
    }

    /// Holds the step of one package until the gate opens.
    static func hold(_ package: String, _ rig: Rig, until gate: Gate) async {
        await rig.engine.onBuild { request in
            if case .apt(let content) = request.content, content.packages == [package] { await gate.wait() }
        }
    }

    @Test
    func pushIsTakenUpWhileSomethingElseIsBuilt() async throws {
        let (rig, gate) = (try await Rig(), Gate())
        await Self.hold("slow", rig, until: gate)
        try await rig.source.commit(Self.files(["a": "slow"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            try await rig.source.commit(Self.files(["a": "slow", "b": "git"]))
            loop.bell.ring()
            // The first image is still held.
            #expect(await loop.finished()?.image.value == "b")
            await gate.open()
            #expect(await loop.finished()?.image.value == "a")
            #expect(await loop.pass()?.built.map(\.value) == ["b", "a"])
        }
    }

    @Test
    func newerDefinitionReplacesWhatWaits() async throws {
        var rig = try await Rig()
        rig.builders = 1
        let gate = Gate()
        await Self.hold("slow", rig, until: gate)
        try await rig.source.commit(Self.files(["a": "slow", "b": "old", "c": "gone"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            #expect(loop.control.snapshot.queued.map(\.image.value).sorted() == ["b", "c"])
            try await rig.source.commit(Self.files(["a": "slow", "b": "new"]))
            loop.bell.ring()
            #expect(await loop.planned() == 1)
            await gate.open()
            #expect(await loop.pass()?.built.map(\.value) == ["a", "b"])
            #expect(await Self.packages(rig) == ["slow", "new"])
            #expect(loop.control.snapshot.queued.isEmpty)
        }
    }

    @Test
    func imageWhoseDefinitionMovesWhileItIsBuiltIsFinishedAndBuiltAgain() async throws {
        let (rig, gate) = (try await Rig(), Gate())
        await Self.hold("slow", rig, until: gate)
        try await rig.source.commit(Self.files(["a": "slow"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            let commit = try await rig.source.commit(Self.files(["a": "new"]))
            loop.bell.ring()
            _ = await loop.planned()
            await gate.open()
            #expect(await loop.finished()?.commit != commit)
            #expect(await loop.finished()?.commit == commit)
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
            #expect(await Self.packages(rig) == ["slow", "new"])
        }
    }

    @Test
    func higherClassGoesFirstAndOwnersTakeTurns() async throws {
        var rig = try await Rig()
        rig.builders = 1
        let gate = Gate()
        await Self.hold("slow", rig, until: gate)
        let owners = ["b1": "user/bo", "b2": "user/bo", "b3": "user/bo", "x": "user/xi"]
        let packages = ["b1": "b-one", "b2": "b-two", "b3": "b-three", "x": "xs"]
        // Before anything waits, only the held image is there.
        try await rig.source.commit(Self.files(["a": "slow"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            try await rig.source.commit(Self.files(packages.merging(["a": "slow"]) { $1 }, owners: owners))
            loop.bell.ring()
            #expect(await loop.planned() == 4)
            loop.control.reconcile([try ImageName("b3")])
            #expect(await loop.planned() == 4)
            await gate.open()
            _ = await loop.pass()
            // Asked for by name; then the owner who had none; then who came first.
            #expect(await Self.packages(rig) == ["slow", "b-three", "xs", "b-one", "b-two"])
        }
    }

    @Test
    func rebuildExecutesTheLayerAndThoseAboveAlthoughTheyAreThere() async throws {
        let rig = try await Rig()
        try await rig.source.commit([
            "images/a/image.yaml": "base: \(Rig.debian)\nbuild: {apt: [git], pip: [six], postBuild: 'true'}\n"
        ])
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
            await rig.engine.resetCounts()
            try loop.control.rebuild(ImageName("a"), Rebuild(from: .pip))
            let record = await loop.finished()
            #expect(record?.reasons == [.forced])
            #expect(record?.layers.map(\.action) == [.reused, .reused, .built, .built, .built])
            _ = await loop.pass()
            try loop.control.rebuild(ImageName("a"), Rebuild())
            #expect(await loop.finished()?.layers.allSatisfy { $0.action == .reused } == true)
            _ = await loop.pass()
            // A wish is fulfilled once.
            loop.bell.ring()
            #expect(await loop.pass()?.built.isEmpty == true)
        }
    }

    @Test(arguments: [false, true])
    func rebuildThatIsAskedForDuringABuildFollowsIt(thatFails fails: Bool) async throws {
        let (rig, gate) = (try await Rig(), Gate())
        await rig.engine.onBuild { request in
            guard request.content.kind == .apt, await !gate.isOpened else { return }
            await gate.wait()
            if fails { throw BuildFailure(.transient, layer: .apt, message: "the mirror is away") }
        }
        try await rig.source.commit(Self.files(["a": "slow"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            try loop.control.rebuild(ImageName("a"), Rebuild(from: .apt))
            #expect(await loop.planned() == 0)
            await gate.open()
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
            // A wish is fulfilled once.
            loop.bell.ring()
            #expect(await loop.pass()?.built.isEmpty == true)
        }
        #expect(await rig.store.arrived.map(\.status) == [fails ? .error : .built, .built])
        #expect(await rig.store.arrived.last?.reasons.contains(.forced) == true)
        #expect(await Self.packages(rig) == ["slow", "slow"])
    }

    @Test
    func suspendedImageIsLeftAloneUntilItIsResumed() async throws {
        let rig = try await Rig()
        try await rig.source.commit(Self.files(["a": "git"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
            try loop.control.suspend(ImageName("a"))
            _ = await loop.pass()
            try await rig.source.commit(Self.files(["a": "curl"]))
            loop.bell.ring()
            #expect(await loop.pass()?.built.isEmpty == true)
            #expect(try rig.state.suspendedImages().map(\.value) == ["a"])
        }
        // The next process knows it too.
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built.isEmpty == true)
            try loop.control.resume(ImageName("a"))
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
        }
    }

    @Test(arguments: ["suspended", "rebuilds"])
    func damagedListOfAnOperatorsWishesIsNoEmptyOne(list: String) async throws {
        let rig = try await Rig()
        try await rig.source.commit(Self.files(["a": "git"]))
        let file = "\(rig.state.repositoryKey).\(list).json"
        let path = try TemporaryDirectory.required().write("[\"a\"", to: "journal/" + file)
        let error = ReconcileError(.stateDirectory, subject: path, cause: "")
        #expect(throws: error) { try LoopControl(rig.state, bell: Bell(), now: { Timestamp(seconds: 0) }) }
        guard list == "suspended" else { return }
        await #expect(throws: error) { try await rig.reconcile() }
        #expect(await rig.published.isEmpty)
    }

    @Test
    func drainFinishesTheRunningLayerAndBeginsNothing() async throws {
        let (rig, gate) = (try await Rig(), Gate())
        await Self.hold("slow", rig, until: gate)
        try await rig.source.commit([
            "images/a/image.yaml": "base: \(Rig.debian)\nbuild: {apt: [slow], postBuild: 'true'}\n"
        ])
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            loop.control.drain()
            await gate.open()
            await loop.end()
        }
        #expect(await rig.engine.executions.map(\.content.kind) == [.base, .apt])
        #expect(await rig.store.arrived.isEmpty)
        try await LoopRig.run(rig) { loop in #expect(await loop.pass()?.built.map(\.value) == ["a"]) }
        #expect(await rig.engine.executions.map(\.content.kind) == [.base, .apt, .postBuild, .config])
    }

    @Test
    func imageThatWaitsForAnothersLayerLeavesItsBuilderToOthers() async throws {
        let (rig, gate) = (try await Rig(), Gate())
        let last = "docker.io/library/debian:trixie"
        try await rig.registry.push("debian 3", to: ImageReference(last))
        await rig.engine.onBuild { request in
            if request.baseImage?.reference == Rig.debian { await gate.wait() }
        }
        try await rig.source.commit(
            Self.files(["a": "git", "b": "curl"]).merging(["images/z/image.yaml": "base: \(last)\n"]) { $1 })
        try await LoopRig.run(rig) { loop in
            // Two builders: both would stand at the base of the first two.
            #expect(await loop.finished()?.image.value == "z")
            await gate.open()
            #expect(await loop.pass()?.built.map(\.value).sorted() == ["a", "b", "z"])
            #expect(await rig.engine.executions.filter { $0.content.kind == .base }.count == 2)
        }
    }

    @Test
    func repositoriesOfOneDaemonShareBuildersAndLayers() async throws {
        let (one, gate) = (try await Rig(), Gate())
        var two = try await Rig(repository: "/other")
        two.engine = one.engine
        let slots = BuildSlots(1)
        let builds = LayerBuilds()
        await Self.hold("slow", one, until: gate)
        try await one.source.commit(Self.files(["a": "slow"]))
        try await two.source.commit(Self.files(["b": "slow", "c": "git"]))
        let other = two
        try await LoopRig.run(one, slots: slots, builds: builds) { first in
            #expect(await first.started(.apt) == "a")
            try await LoopRig.run(other, slots: slots, builds: builds) { second in
                // The one builder is taken.
                #expect(await second.planned() == 2)
                await gate.open()
                #expect(await second.pass()?.built.map(\.value) == ["b", "c"])
            }
            #expect(await first.pass()?.built.map(\.value) == ["a"])
        }
        #expect(await Self.packages(one) == ["slow", "git"])
        #expect(await one.engine.running.most == 1)
    }
}
