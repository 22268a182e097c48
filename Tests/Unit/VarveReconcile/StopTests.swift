// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

/// What it means that a person stops an image's build, on fakes.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5)))
struct StopTests {
    private let (image, other): (ImageName, ImageName)

    init() throws { (image, other) = (try ImageName("a"), try ImageName("b")) }

    /// One builder, which image a has until the gate opens, while b waits for it.
    private static func oneWaits() async throws -> (rig: Rig, gate: Gate) {
        var rig = try await Rig()
        rig.builders = 1
        let gate = Gate()
        await ScheduleTests.hold("slow", rig, until: gate)
        try await rig.source.commit(ScheduleTests.files(["a": "slow", "b": "git"]))
        return (rig, gate)
    }

    /// Holds each apt layer until the gate opens or its build is ended.
    private static func hold(_ rig: Rig, until gate: Gate) async {
        await rig.engine.onBuild { request in
            guard case .apt = request.content, await !gate.isOpened else { return }
            try await Task.sleep(for: .seconds(3_600))
        }
    }

    @Test
    func stoppedBuildIsNotBegunAgainBeforeAnInputChangesOrSomebodyAsks() async throws {
        let (rig, gate) = (try await Rig(), Gate())
        await Self.hold(rig, until: gate)
        try await rig.source.commit(ScheduleTests.files(["a": "slow"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            #expect(!loop.control.stop(other, by: "ada"))
            #expect(loop.control.stop(image, by: "ada"))
            let record = await loop.finished()
            #expect(record?.status == .error && record?.error?.failureClass == .cancelled)
            #expect(record?.error?.message == "stopped by ada" && record?.error?.layer == .apt)
            #expect(record?.layers.map(\.action) == [.built, .failed])
            #expect(loop.control.snapshot.running.isEmpty)
            #expect(await loop.pass()?.failed.map(\.value) == ["a"])
            await gate.open()
            loop.bell.ring()
            #expect(await loop.pass()?.built.isEmpty == true)
        }
        let lines = await rig.store.log.values.joined()
        #expect(lines.count == 1 && lines.allSatisfy { $0.contains(" a error in ") && $0.contains("; stopped by ada") })
        // Another process, which knows the records alone, leaves it too.
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built.isEmpty == true)
            loop.control.reconcile([image])
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
        }
    }

    @Test
    func stoppedBuildIsBegunWhenAnythingOfItsDefinitionChanges() async throws {
        let (rig, gate) = (try await Rig(), Gate())
        await Self.hold(rig, until: gate)
        try await rig.source.commit(ScheduleTests.files(["a": "slow"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            #expect(loop.control.stop(image, by: "ada"))
            _ = await loop.pass()
            await gate.open()
            // The layer that was stopped is as it was; what stands above it is not.
            let file = "images/a/image.yaml"
            try await rig.source.commit([
                file: ScheduleTests.files(["a": "slow"])[file, default: ""] + "env: {TZ: UTC}\n"
            ])
            loop.bell.ring()
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
        }
    }

    @Test
    func imageWhoseRebuildIsStoppedStaysAsItIs() async throws {
        let (rig, gate) = (try await Rig(), Gate())
        try await rig.source.commit(ScheduleTests.files(["a": "git"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
            await Self.hold(rig, until: gate)
            try loop.control.rebuild(image, Rebuild(from: .apt))
            #expect(await loop.started(.apt) == "a")
            #expect(loop.control.stop(image, by: "ada"))
            #expect(await loop.finished()?.error?.failureClass == .cancelled)
            _ = await loop.pass()
            loop.bell.ring()
            let result = await loop.pass()
            #expect(result?.isGood == true && result?.unchanged == 1)
        }
    }

    @Test
    func stoppedImageLeavesTheQueue() async throws {
        let (rig, gate) = try await Self.oneWaits()
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            #expect(loop.control.stop(other, by: "ada"))
            #expect(await loop.skipped() == "b: stopped by ada before it began")
            await gate.open()
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
            try await rig.source.commit(ScheduleTests.files(["a": "slow", "b": "curl"]))
            loop.bell.ring()
            #expect(await loop.pass()?.built.map(\.value) == ["b"])
        }
    }

    @Test
    func imageThatWasAskedForLeavesTheQueueToo() async throws {
        let (rig, gate) = try await Self.oneWaits()
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            try loop.control.rebuild(other, Rebuild())
            #expect(await loop.planned() == 1)
            #expect(loop.control.stop(other, by: "ada"))
            #expect(await loop.skipped() == "b: stopped by ada before it began")
            await gate.open()
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
        }
    }
}
