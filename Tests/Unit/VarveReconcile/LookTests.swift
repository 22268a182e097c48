// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

/// What a pass goes on with while it reads the repository anew or sends records, on fakes.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5)))
struct LookTests {
    private let first = Gate()
    private let look = Gate()
    private let looking = Gate()

    /// One builder, which image a has while a look at the repository hangs.
    private func withHangingLook(
        _ rig: Rig, packages: [String: String] = ["a": "slow", "b": "git"], _ body: (LoopRig) async throws -> Void
    ) async throws {
        var rig = rig
        rig.builders = 1
        await ScheduleTests.hold("slow", rig, until: first)
        try await rig.source.commit(ScheduleTests.files(packages))
        let source = rig.source
        try await LoopRig.run(rig) { [look, looking] loop in
            #expect(await loop.started(.apt) == "a")
            await source.onFetch {
                await looking.open()
                await look.wait()
            }
            loop.bell.ring()
            await looking.wait()
            try await body(loop)
        }
    }

    private func executions(_ rig: Rig) async -> Int {
        await rig.engine.executions.count { $0.content.kind == .apt }
    }

    @Test
    func remoteThatDoesNotAnswerKeepsNoBuilderIdleAndNoRecordWaiting() async throws {
        let rig = try await Rig()
        try await withHangingLook(rig) { loop in
            await first.open()
            try await settle { await rig.store.arrived.map(\.image.value) == ["a", "b"] }
            await look.open()
            #expect(await loop.pass()?.built.map(\.value) == ["a", "b"])
        }
        #expect(await executions(rig) == 2)
    }

    @Test
    func whatIsFinishedAfterALookHasReadTheRecordsIsNotBuiltAgain() async throws {
        var rig = try await Rig()
        rig.builders = 2
        let other = try ImageReference("docker.io/library/debian:trixie")
        await rig.registry.push("debian 2", to: other)
        await ScheduleTests.hold("slow", rig, until: first)
        let last = Gate()
        try await rig.source.commit(ScheduleTests.files(["a": "slow", "b": "git"]))
        let held = rig
        try await LoopRig.run(rig) { [first, look, looking] loop in
            #expect(await loop.finished()?.image.value == "b")
            await held.registry.onResolve { reference in
                guard reference == other else { return }
                await looking.open()
                await look.wait()
            }
            // Keeps the pass going when the first image is finished.
            await held.engine.onBuild { request in
                guard case .apt(let content) = request.content else { return }
                if content.packages == ["slow"] { await first.wait() }
                if content.packages == ["curl"] { await last.wait() }
            }
            var files = ScheduleTests.files(["a": "slow", "b": "git", "c": "curl"])
            try await held.source.commit(files)
            loop.bell.ring()
            #expect(await loop.started(.apt) == "c")
            files["images/d/image.yaml"] = "base: \(other)\n"
            try await held.source.commit(files)
            loop.bell.ring()
            await looking.wait()
            await first.open()
            #expect(await loop.finished()?.image.value == "a")
            await look.open()
            #expect(await loop.finished()?.image.value == "d")
            await last.open()
            #expect(await loop.pass()?.built.map(\.value) == ["b", "a", "d", "c"])
            #expect(await held.published == ["b", "a", "d", "c"])
        }
    }

    @Test
    func definitionThatIsTakenBackWhileItsChangeIsBuiltIsWhatStands() async throws {
        let rig = try await Rig()
        try await rig.source.commit(ScheduleTests.files(["a": "old"]))
        try await rig.reconcile()
        rig.clock.move(by: 60)
        await ScheduleTests.hold("slow", rig, until: first)
        try await rig.source.commit(ScheduleTests.files(["a": "slow"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            // Two looks: the second one reads what the first one has recorded.
            for packages in [["a": "old"], ["a": "old", "b": "git"]] {
                rig.clock.move(by: 60)
                try await rig.source.commit(ScheduleTests.files(packages))
                loop.bell.ring()
                _ = await loop.planned()
            }
            await first.open()
            _ = await loop.pass()
            loop.bell.ring()
            _ = await loop.pass()
        }
        let old = try #require(await rig.store.arrived.first?.configDigest)
        let last = await rig.registry.publications.last { $0.image.value == "a" }
        #expect(last?.layer.configDigest == old)
    }

    @Test
    func adoptionDuringALookDoesNotHideThatTheRegistryLostTheImage() async throws {
        var rig = try await Rig()
        rig.builders = 2
        // Two packages of equal content: what stands on the image needs nothing.
        await rig.engine.onIdentity { request in
            switch request.content {
            case .apt: "the same package"
            case .config(let config) where config.environment["NOISE"] != nil: "the same configuration"
            default: nil
            }
        }
        let last = Gate()
        await rig.engine.onBuild { [first] request in
            guard case .apt(let content) = request.content else { return }
            if content.packages == ["other"] { await first.wait() }
            // Keeps the pass going.
            if content.packages == ["last"] { await last.wait() }
        }
        func files(_ package: String, comment: String) -> [String: String] {
            [
                "a/image.yaml": "base: \(Rig.debian)\nenv: {NOISE: '\(package)'}\nbuild: {apt: [\(package)]}\n",
                "c/image.yaml": "\(comment)base: a\n",
            ]
        }
        try await rig.source.commit(files("one", comment: ""))
        try await LoopRig.run(rig) { [rig, look, looking] loop in
            #expect(await loop.pass()?.built.map(\.value) == ["a", "c"])
            var moved = files("other", comment: "# moved\n")
            moved["d/image.yaml"] = "base: \(Rig.debian)\nbuild: {apt: [last]}\n"
            try await rig.source.commit(moved)
            loop.bell.ring()
            for _ in 0..<2 { _ = await loop.started(.apt) }
            await rig.registry.lose(try ImageName("c"))
            await rig.source.onFetch {
                await looking.open()
                await look.wait()
            }
            loop.control.reconcile(looksOutside: true)
            await looking.wait()
            await first.open()
            for (image, status) in [("a", ImageStatus.built), ("c", .adopted)] {
                let record = await loop.finished()
                #expect(record?.image.value == image && record?.status == status)
            }
            await look.open()
            #expect(await loop.finished()?.image.value == "c")
            #expect(await rig.published == ["a", "c", "a", "c"])
            await last.open()
            #expect(await loop.pass()?.failed.isEmpty == true)
        }
    }

    @Test
    func rebuildThatBeginsDuringALookIsDoneOnce() async throws {
        let rig = try await Rig()
        try await withHangingLook(rig) { loop in
            try loop.control.rebuild(ImageName("b"), Rebuild(from: .apt, by: "ada"))
            await look.open()
            // One plan of the look that hung, and one of the look that what was asked for set off.
            for _ in 0..<2 { #expect(await loop.planned() == 1) }
            await first.open()
            #expect(await loop.finished()?.image.value == "a")
            let record = await loop.finished()
            #expect(record?.trigger == "rebuild by ada")
            #expect(await loop.pass()?.built.map(\.value) == ["a", "b"])
            loop.bell.ring()
            #expect(await loop.pass()?.unchanged == 2)
        }
        #expect(await executions(rig) == 2)
    }

    @Test
    func rebuildSurvivesALookThatFails() async throws {
        let rig = try await Rig()
        try await rig.source.commit(ScheduleTests.files(["a": "slow", "b": "git"]))
        await first.open()
        try await LoopRig.run(rig) { loop in #expect(await loop.pass()?.built.count == 2) }
        let gate = Gate()
        await rig.engine.onBuild { request in
            if case .apt(let content) = request.content, content.packages == ["new"] { await gate.wait() }
        }
        try await rig.source.commit(ScheduleTests.files(["a": "new", "b": "git"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            await rig.source.fail(true)
            try loop.control.rebuild(ImageName("b"), Rebuild(from: .apt, by: "ada"))
            try await settle { rig.events.warnings.contains { $0.contains("cannot be looked at now") } }
            await rig.source.fail(false)
            await gate.open()
            #expect(await loop.finished()?.image.value == "a")
            loop.bell.ring()
            let record = await loop.finished()
            #expect(record?.image.value == "b" && record?.trigger == "rebuild by ada")
        }
    }

    @Test
    func recordsThatCannotBeSentNowHoldUpNoBuild() async throws {
        let rig = try await Rig()
        let sent = Gate()
        await rig.store.onAppend { _ in await sent.wait() }
        try await rig.source.commit(ScheduleTests.files(["a": "git", "b": "curl"]))
        try await LoopRig.run(rig) { loop in
            let names = [await loop.finished()?.image.value, await loop.finished()?.image.value]
            #expect(Set(names) == ["a", "b"])
            #expect(await rig.store.arrived.isEmpty)
            let waiting = try await rig.journal.pending().map(\.record.image.value)
            #expect(Set(waiting) == ["a", "b"])
            await sent.open()
            #expect(await loop.pass()?.unsent == 0)
        }
        #expect(Set(await rig.store.arrived.map(\.image.value)) == ["a", "b"])
    }
}
