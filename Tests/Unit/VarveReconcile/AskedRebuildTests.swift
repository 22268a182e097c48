// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

/// What a restart does with rebuilds that people asked for, on fakes.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5)))
struct AskedRebuildTests {
    private let image: ImageName

    init() throws { image = try ImageName("a") }

    /// A fleet whose first loop was ended in the middle of a rebuild.
    private func interrupted() async throws -> Rig {
        let (rig, gate) = (try await Rig(), Gate())
        try await rig.source.commit(ScheduleTests.files(["a": "git"]))
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built == [image])
            await rig.engine.onBuild { request in
                if case .apt = request.content, await !gate.isOpened { try await Task.sleep(for: .seconds(3_600)) }
            }
            try loop.control.rebuild(image, Rebuild(from: .apt, by: "ada"))
            #expect(await loop.started(.apt) == "a")
        }
        await gate.open()
        return rig
    }

    @Test
    func rebuildIsDoneAfterARestartAndOnce() async throws {
        let rig = try await interrupted()
        try await LoopRig.run(rig) { loop in
            let record = await loop.finished()
            #expect(record?.trigger == "rebuild by ada")
            #expect(record?.reasons == [.forced])
            #expect(record?.layers.filter { $0.action == .built }.map(\.kind).contains(.apt) == true)
            #expect(await loop.pass()?.built == [image])
        }
        try await LoopRig.run(rig) { loop in
            let result = await loop.pass()
            #expect(result?.built == [] && result?.unchanged == 1)
        }
    }

    @Test
    func stoppedRebuildIsForgotten() async throws {
        let rig = try await interrupted()
        let gate = Gate()
        await rig.engine.onBuild { request in
            if case .apt = request.content, await !gate.isOpened { try await Task.sleep(for: .seconds(3_600)) }
        }
        try await LoopRig.run(rig) { loop in
            #expect(await loop.started(.apt) == "a")
            #expect(loop.control.stop(image, by: "bob"))
            #expect(await loop.finished()?.error?.failureClass == .cancelled)
            _ = await loop.pass()
        }
        await gate.open()
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built == [])
        }
    }

    @Test
    func rebuildOfAnImageThatIsGoneIsForgotten() async throws {
        let rig = try await interrupted()
        try await rig.source.commit(ScheduleTests.files(["b": "git"]))
        try await LoopRig.run(rig) { loop in #expect(await loop.pass()?.built.map(\.value) == ["b"]) }
        try await rig.source.commit(ScheduleTests.files(["a": "git", "b": "git"]))
        try await LoopRig.run(rig) { loop in
            // As it was before: nothing has asked for more than what its records say.
            #expect(await loop.pass()?.built == [])
        }
    }

    @Test
    func rebuildThatCannotBeKeptIsNotAskedFor() async throws {
        let rig = try await Rig()
        let control = try LoopControl(rig.state, bell: Bell(), now: { Timestamp(seconds: 0) })
        // A folder where the file is to be.
        try TemporaryDirectory.required().makeFolder("journal/\(rig.state.repositoryKey).rebuilds.json")
        #expect(throws: (any Error).self) { try control.rebuild(image, Rebuild(by: "ada")) }
    }

    @Test
    func repositoriesOfOneStateDirectoryHaveHoldersOfTheirOwn() async throws {
        let (one, two) = (try await Rig().state, try await Rig(repository: "/other").state)
        #expect(try one.holderIdentity() == one.holderIdentity())
        #expect(try one.holderIdentity() != two.holderIdentity())
    }
}
