// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

private let base = "base: docker.io/library/debian:bookworm\n"

@Suite(.temporaryDirectory) struct PassTests {
    @Test func secondPassDoesNothingAndWritesNothing() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["a/image.yaml": base, "a/apt.txt": "git\n", "b/image.yaml": "base: a\n"])
        let first = try await rig.reconcile()
        #expect(first.built.map(\.value) == ["a", "b"])
        #expect(first.isGood)
        #expect(await rig.executed == ["apt", "base", "base", "config", "config"])
        let writes = await rig.store.writes
        let second = try await rig.reconcile()
        #expect(second.built == [])
        #expect(second.unchanged == 2)
        #expect(second.isGood)
        #expect(await rig.executed == [])
        #expect(await rig.published == [])
        #expect(await rig.store.writes == writes)
        #expect(try await rig.journal.pending() == [])
    }

    @Test func emptyRepositoryIsSettled() async throws {
        let rig = try await Rig()
        let result = try await rig.reconcile()
        #expect(result == PassResult(commit: nil))
    }

    @Test(arguments: [1, 2]) func sharedLayersAreBuiltOnce(builders: Int) async throws {
        var rig = try await Rig()
        rig.builders = builders
        try await rig.source.commit([
            "a/image.yaml": base + "env: {A: '1'}\n", "a/apt.txt": "git\n", "a/requirements.txt": "six\n",
            "b/image.yaml": base + "env: {B: '1'}\n", "b/apt.txt": "git\n# the same\n", "b/requirements.txt": "six\n",
        ])
        let result = try await rig.reconcile()
        #expect(result.built.count == 2)
        #expect(await rig.executed == ["apt", "base", "config", "config", "pip"])
        let actions = await rig.store.arrived.flatMap(\.layers).map(\.action)
        #expect(actions.filter { $0 == .built }.count == 5)
        #expect(actions.filter { $0 == .reused }.count == 3)
    }

    /// With two builders two images are worked on at once; with one, one.
    @Test(arguments: [1, 2]) func buildersBoundTheWork(builders: Int) async throws {
        var rig = try await Rig()
        rig.builders = builders
        let (engine, both) = (rig.engine, Gate())
        try await rig.registry.push("other", to: ImageReference("docker.io/library/other:1"))
        try await rig.source.commit([
            "a/image.yaml": base, "b/image.yaml": "base: docker.io/library/other:1\n",
            "c/image.yaml": base + "env: {C: c}\n",
        ])
        await engine.onBuild { request in
            guard builders == 2, request.content.kind == .base else { return }
            if await engine.running.now == 2 { await both.open() }
            await both.wait()
        }
        try await rig.reconcile()
        #expect(await rig.engine.running.most == builders)
    }

    @Test func failingLayerFailsAllWhoShareItOnceAndNobodyElse() async throws {
        let rig = try await Rig()
        try await rig.source.commit([
            "a/image.yaml": base, "a/apt.txt": "no-such-package\n",
            "b/image.yaml": base + "env: {B: '1'}\n", "b/apt.txt": "no-such-package\n",
            "c/image.yaml": base, "c/apt.txt": "git\n",
        ])
        await rig.engine.onBuild { request in
            guard case .apt(let apt) = request.content, apt.packages == ["no-such-package"] else { return }
            throw BuildFailure(
                .definition, layer: .apt, message: "failed to install package 'no-such-package'", tail: "E: x")
        }
        let result = try await rig.reconcile()
        #expect(result.failed.map(\.value).sorted() == ["a", "b"])
        #expect(result.built.map(\.value) == ["c"])
        #expect(!result.isGood)
        #expect(await rig.executed == ["apt", "apt", "base", "config"])
        for record in await rig.store.arrived where record.status == .error {
            #expect(record.layers.map(\.action).last == .failed)
            #expect(record.layers.map(\.kind) == [.base, .apt])
            #expect(record.error?.failureClass == .definition)
            #expect(record.error?.layer == .apt)
            #expect(record.error?.tail == "E: x")
            #expect(record.reference == nil)
        }
    }

    @Test func childrenWaitAndAreKeyedByTheNewParent() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["p/image.yaml": base, "c/image.yaml": "base: p\n", "g/image.yaml": "base: c\n"])
        try await rig.reconcile()
        #expect(await rig.published == ["p", "c", "g"])
        try await rig.source.commit([
            "p/image.yaml": base + "env: {P: '1'}\n", "c/image.yaml": "base: p\n", "g/image.yaml": "base: c\n",
        ])
        let result = try await rig.reconcile()
        #expect(result.built.map(\.value) == ["p", "c", "g"])
        #expect(await rig.published == ["p", "c", "g"])
        let records = Array(await rig.store.arrived.suffix(3))
        #expect(records[1].base?.configDigest == records[0].configDigest)
        #expect(records[2].base?.configDigest == records[1].configDigest)
        #expect(records[1].base?.reference == "p")
        let request = await rig.engine.executions.first { $0.baseImage?.image?.value == "p" }
        #expect(request?.content == records[0].configDigest.map { .base(.image(configDigest: $0)) })
        #expect(records[1].reasons.map(\.kind) == ["base-changed"])
    }

    /// Reasons of an image that waited still name what changed in its own layers.
    @Test func waitingChildNamesItsOwnChangesToo() async throws {
        let rig = try await Rig()
        try await rig.source.commit([
            "p/image.yaml": base, "c/image.yaml": "base: p\n", "c/requirements.txt": "polars>=0.20\n",
        ])
        try await rig.reconcile()
        try await rig.source.commit([
            "p/image.yaml": base + "env: {P: '1'}\n", "c/image.yaml": "base: p\n", "c/requirements.txt": "polars>=1\n",
        ])
        try await rig.reconcile()
        #expect(await rig.store.arrived.last?.reasons.last?.description == "pip +polars>=1 -polars>=0.20")
    }

    /// Its comment changed while its parent was built anew to the same content: one adopted line, in the same pass.
    @Test func parentOfEqualContentLeavesItsChildrenAlone() async throws {
        let rig = try await Rig()
        await rig.engine.onIdentity { request in
            guard case .config(let config) = request.content, config.environment["NOISE"] != nil else { return nil }
            return "the same"
        }
        let children = ["c/image.yaml": "base: p\n", "g/image.yaml": "base: c\n"]
        try await rig.source.commit(children.merging(["p/image.yaml": base + "env: {NOISE: '1'}\n"]) { one, _ in one })
        try await rig.reconcile()
        let commit = try await rig.source.commit([
            "p/image.yaml": base + "env: {NOISE: '2'}\n", "c/image.yaml": "# a comment\nbase: p\n",
            "g/image.yaml": "base: c\n",
        ])
        let result = try await rig.reconcile()
        #expect(result.built.map(\.value) == ["p"])
        #expect(result.unchanged == 2)
        #expect(await rig.executed == ["config"])
        #expect(rig.events.finished == ["p built", "c adopted"])
        #expect(await rig.log(commit).count == 2)
        let writes = await rig.store.writes
        try await rig.reconcile()
        #expect(await rig.store.writes == writes)
    }

    @Test func failedParentBlocksThreeGenerationsAndSaysWhy() async throws {
        let rig = try await Rig()
        await rig.engine.onBuild { request in
            if request.content.kind == .apt { throw BuildFailure(.definition, message: "failed to install") }
        }
        try await rig.source.commit([
            "p/image.yaml": base, "p/apt.txt": "git\n", "c/image.yaml": "base: p\n", "g/image.yaml": "base: c\n",
            "h/image.yaml": "base: g\n", "s/image.yaml": "base: p\nsuspend: true\n", "x/image.yaml": base,
        ])
        let result = try await rig.reconcile()
        #expect(result.failed.map(\.value) == ["p"])
        #expect(result.built.map(\.value) == ["x"])
        #expect(result.blocked.map(\.value) == ["c", "g", "h"])
        #expect(
            rig.events.skipped == ["c: base p is failing", "g: base c is blocked", "h: base g is blocked"])
        #expect(await rig.published == ["x"])
    }

    /// The last good image of a failing parent still serves those who need nothing new.
    @Test func failedParentLeavesUnchangedChildrenOnItsLastGoodImage() async throws {
        let rig = try await Rig()
        try await rig.source.commit([
            "p/image.yaml": base, "c/image.yaml": "base: p\n", "d/image.yaml": "base: p\n",
        ])
        try await rig.reconcile()
        await rig.engine.onBuild { request in
            if request.content.kind == .apt { throw BuildFailure(.definition, message: "failed to install") }
        }
        try await rig.source.commit([
            "p/image.yaml": base, "p/apt.txt": "git\n", "c/image.yaml": "base: p\n",
            "d/image.yaml": "base: p\nenv: {D: d}\n",
        ])
        let result = try await rig.reconcile()
        #expect(result.failed.map(\.value) == ["p"])
        #expect(result.blocked.map(\.value) == ["d"])
        #expect(result.unchanged == 1)
    }

    @Test func namedImageIsBuiltWithItsAncestorsAndNothingElse() async throws {
        let rig = try await Rig()
        try await rig.source.commit([
            "p/image.yaml": base, "c/image.yaml": "base: p\n", "g/image.yaml": "base: c\n", "o/image.yaml": base,
            "d/image.yaml": "base: p\n", "broken/image.yaml": "bas: x\n",
        ])
        let result = try await rig.reconcile("c")
        #expect(result.built.map(\.value) == ["p", "c"])
        #expect(result.isGood)
        #expect(await rig.published == ["p", "c"])
        #expect(await rig.store.arrived.count == 2)
        let name = try ImageName("nowhere")
        await #expect(throws: ReconcileError(.unknownImage, subject: "nowhere", cause: "")) {
            try await rig.reconciler.reconcile([name])
        }
    }

    @Test func forcedImageIsPublishedAgainAndItsChildrenGoOn() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["p/image.yaml": base, "c/image.yaml": "base: p\n"])
        try await rig.reconcile()
        try await rig.source.commit(["p/image.yaml": base, "c/image.yaml": "base: p\nenv: {C: c}\n"])
        let result = try await rig.reconcile(forced: "p")
        #expect(result.built.map(\.value) == ["p", "c"])
        #expect(await rig.executed == ["config"])
        #expect(await rig.store.arrived.suffix(2).map { $0.reasons.map(\.kind) } == [["forced"], ["content-changed"]])
    }

    @Test func missingArtefactIsPublishedAgainFromTheStore() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["p/image.yaml": base, "c/image.yaml": "base: p\n"])
        try await rig.reconcile()
        let reference = try #require(await rig.store.arrived.first?.reference)
        try await rig.registry.lose(ImageName("p"))
        let result = try await rig.reconcile()
        #expect(result.built.map(\.value) == ["p"])
        #expect(await rig.executed == [])
        #expect(await rig.store.arrived.last?.reasons == [.artefactMissing(reference: reference)])
        #expect(await rig.store.arrived.last?.reference == reference)
        #expect(result.unchanged == 1)
    }

    /// A registry that cannot be asked proves nothing: no image is built again, and a person is told.
    @Test func unreachableRegistryIsNoMissingArtefact() async throws {
        let rig = try await Rig()
        try await rig.source.commit([
            "p/image.yaml": "base: {bootstrap: {distribution: debian, suite: bookworm}}\n", "q/image.yaml": base,
        ])
        try await rig.reconcile()
        await rig.registry.fail(BuildFailure(.transient, message: "failed to reach registry 'x': refused"))
        let result = try await rig.reconcile()
        #expect(result.built == [])
        #expect(result.blocked.map(\.value) == ["q"])
        #expect(
            rig.events.skipped == ["q: base docker.io/library/debian:bookworm: failed to reach registry 'x': refused"])
        #expect(rig.events.warnings.count == 1)
    }
}
