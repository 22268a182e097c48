// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveReconcile

/// What becomes of what people ask for while a pass looks at the repository, on fakes.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5)))
struct LookRequestTests {
    private let (image, other): (ImageName, ImageName)
    private let first = Gate()
    private let look = Gate()
    private let looking = Gate()

    init() throws { (image, other) = (try ImageName("a"), try ImageName("b")) }

    /// One builder, which image a has until the gate opens, while b waits for it.
    private func queued() async throws -> Rig {
        var rig = try await Rig()
        rig.builders = 1
        await ScheduleTests.hold("slow", rig, until: first)
        try await rig.source.commit(ScheduleTests.files(["a": "slow", "b": "git"]))
        return rig
    }

    /// Has the next look hang.
    private func hang(_ rig: Rig) async {
        await rig.source.onFetch { [look, looking] in
            await looking.open()
            await look.wait()
        }
    }

    private func packages(_ rig: Rig) async -> [String] {
        await rig.engine.executions.compactMap { request in
            if case .apt(let content) = request.content { content.packages.joined(separator: " ") } else { nil }
        }
    }

    @Test
    func stopOutlivesTheFailureOfTheLookThatTookTheRebuild() async throws {
        let rig = try await queued()
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            await hang(rig)
            try loop.control.rebuild(other, Rebuild(from: .apt, by: "ada"))
            await looking.wait()
            #expect(loop.control.stop(other, by: "bob"))
            await rig.source.fail(true)
            await look.open()
            try await settle { rig.events.warnings.contains { $0.contains("cannot be looked at now") } }
            await rig.source.fail(false)
            loop.bell.ring()
            #expect(await loop.skipped() == "b: stopped by bob before it began")
            #expect(await loop.planned() == 0)
            await first.open()
            #expect(await loop.pass()?.built == [image])
        }
        #expect(await packages(rig) == ["slow"])
    }

    @Test
    func imageThatIsStoppedIsNotBegunAgainForARequestThatALookHeld() async throws {
        let (rig, gone) = (try await queued(), Gate())
        await rig.engine.onBuild { [first] request in
            guard case .apt(let content) = request.content else { return }
            if content.packages == ["slow"] { return await first.wait() }
            if await !gone.isOpened { try await Task.sleep(for: .seconds(3_600)) }
        }
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            await hang(rig)
            loop.control.reconcile([other])
            await looking.wait()
            await first.open()
            #expect(await loop.started(.apt) == "b")
            #expect(loop.control.stop(other, by: "bob"))
            #expect(await loop.finished()?.image == other)
            await gone.open()
            await look.open()
            _ = await loop.pass()
            _ = await loop.pass()
        }
        #expect(await packages(rig) == ["slow", "git"])
    }

    @Test
    func imageStoppedInTheQueueIsNotPublishedWhileALookHangs() async throws {
        let rig = try await queued()
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            await hang(rig)
            loop.bell.ring()
            await looking.wait()
            #expect(loop.control.stop(other, by: "bob"))
            await first.open()
            #expect(await loop.finished()?.image == image)
            let record = await loop.finished()
            #expect(record?.image == other && record?.error?.failureClass == .cancelled)
            await look.open()
            _ = await loop.pass()
        }
        #expect(await rig.published == ["a"])
    }

    @Test
    func rebuildAskedWhileAStoppedBuildStillEndsIsDone() async throws {
        let (rig, dying, looked) = (try await Rig(), Gate(), Gate())
        try await rig.source.commit(ScheduleTests.files(["a": "git"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built == [image])
            await rig.engine.onBuild { request in
                // It does not end at once where it is stopped.
                if case .apt = request.content, await !dying.isOpened { await dying.wait() }
            }
            try loop.control.rebuild(image, Rebuild(from: .apt, by: "ada"))
            #expect(await loop.started(.apt) == "a")
            #expect(loop.control.stop(image, by: "bob"))
            await rig.source.onFetch { await looked.open() }
            try loop.control.rebuild(image, Rebuild(from: .apt, by: "carol"))
            await looked.wait()
            await dying.open()
            #expect(await loop.finished()?.error?.failureClass == .cancelled)
            let record = await loop.finished()
            #expect(record?.trigger == "rebuild by carol" && record?.status == .built)
        }
    }

    @Test
    func rebuildAskedAfterAStopInTheQueueIsStillOnDisk() async throws {
        let rig = try await queued()
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            #expect(loop.control.stop(other, by: "bob"))
            try loop.control.rebuild(other, Rebuild(from: .apt, by: "carol"))
            #expect(await loop.planned() != nil)
            #expect(try AskedRebuilds(rig.state).rebuilds[other]?.user == "carol")
            await first.open()
        }
    }

    @Test
    func cancelledLookTellsNoTrouble() async throws {
        let rig = try await queued()
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            await rig.source.onFetch { [looking, first] in
                await looking.open()
                try? await Task.sleep(for: .seconds(3_600))
                await first.open()
            }
            await rig.source.fail(true)
            loop.bell.ring()
            await looking.wait()
        }
        #expect(rig.events.warnings == [])
    }

    @Test
    func rebuildThatWasDoneIsNotDoneAgainWhereThePassFailsAtItsEnd() async throws {
        let rig = try await Rig()
        try await rig.source.commit(ScheduleTests.files(["a": "git"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built == [image])
            await rig.engine.onBuild { [state = rig.state] request in
                guard case .apt = request.content else { return }
                try? FileManager.default.removeItem(atPath: state.journal)
                try FileManager.default.createDirectory(atPath: state.journal, withIntermediateDirectories: false)
            }
            try loop.control.rebuild(image, Rebuild(from: .apt, by: "ada"))
            while let text = await loop.warning(), !text.contains("the pass failed") {}
            await rig.engine.onBuild { _ in }
            try FileManager.default.removeItem(atPath: rig.state.journal)
            loop.bell.ring()
            _ = await loop.pass()
        }
        #expect(await packages(rig).count == 2)
    }

    @Test
    func rebuildOfASuspendedImageIsDroppedAndSaidSo() async throws {
        let rig = try await Rig()
        try await rig.source.commit(ScheduleTests.files(["a": "git"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built == [image])
            try loop.control.suspend(image)
            _ = await loop.pass()
            try loop.control.rebuild(image, Rebuild(from: .apt, by: "ada"))
            _ = await loop.pass()
        }
        #expect(try AskedRebuilds(rig.state).rebuilds.isEmpty)
        #expect(
            rig.events.warnings == [
                "a: the rebuild that ada asked for is dropped, for the image is suspended; ask again"
            ])
    }

    @Test
    func rebuildIsNotLostWhereTheBranchHasNoCommitForAMoment() async throws {
        let rig = try await Rig()
        try await LoopRig.run(rig) { loop in
            _ = await loop.pass()
            try loop.control.rebuild(image, Rebuild(from: .apt, by: "ada"))
            _ = await loop.pass()
            try await rig.source.commit(ScheduleTests.files(["a": "git"]))
            loop.bell.ring()
            #expect(await loop.finished()?.trigger == "rebuild by ada")
        }
    }
}
