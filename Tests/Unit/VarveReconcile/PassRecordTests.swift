// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarvePlan
import VarveReconcile
import VarveTestSupport

private let base = "base: docker.io/library/debian:bookworm\n"

/// What a pass writes, and when.
@Suite(.temporaryDirectory) struct PassRecordTests {
    @Test func recordAndLineSayWhatWasDone() async throws {
        let rig = try await Rig()
        let files = ["images/a/image.yaml": base + "tags: [stable]\n", "images/a/requirements.txt": "polars>=0.20\n"]
        let first = try await rig.source.commit(files)
        try await rig.reconcile()
        rig.clock.move(by: 100)
        let second = try await rig.source.commit(files.merging(["images/a/requirements.txt": "polars>=1\n"]) { $1 })
        try await rig.reconcile()
        let record = try #require(await rig.store.arrived.last)
        let digest = try #require(record.manifestDigest)
        #expect(
            await rig.log(second) == [
                "2026-11-23T11:16:48Z a built in 0s; built pip config; reused base; because pip +polars>=1 "
                    + "-polars>=0.20; registry.example.com/a@\(digest)"
            ])
        #expect(await rig.log(first).count == 1)
        #expect(record.commit == second)
        #expect(record.folder == (try RepositoryPath("images/a")))
        #expect(record.platform == (try Platform("linux/amd64")))
        #expect(record.engine == "fake 1")
        #expect(record.host == "host")
        #expect(record.trigger == "reconcile")
        let config = try #require(record.configDigest)
        #expect(record.tags == ["2026.11.23-\(config.hex.prefix(12))", "latest", "stable"])
        #expect(record.base?.reference == Rig.debian)
        let published = try #require(await rig.registry.publications.last)
        #expect(
            published.annotations == [
                "org.opencontainers.image.revision": second.hex,
                "dev.varve.key": try #require(record.layers.last).key.hex,
                "org.opencontainers.image.source": "https://***@git.example.com/images.git",
                "org.opencontainers.image.base.name": Rig.debian,
                "org.opencontainers.image.base.digest": try #require(record.base?.manifestDigest).description,
            ])
    }

    /// The format that the design fixes, word for word.
    @Test func lineHasItsFixedForm() throws {
        let digest = Digest(hashing: "x")
        func layer(_ kind: LayerKind, _ action: LayerRecord.Action) -> LayerRecord {
            LayerRecord(kind: kind, key: LayerKey(bytes: []), action: action)
        }
        var record = BuildRecord(
            id: "1", image: try ImageName("ds-python"), commit: try ObjectID(hex: String(repeating: "1", count: 40)),
            trigger: "t", status: .built,
            reasons: [.contentChanged(layer: .pip, removed: ["polars>=0.20"], added: ["polars>=1"])],
            layers: [
                layer(.base, .reused), layer(.apt, .reused), layer(.conda, .reused), layer(.pip, .built),
                layer(.postBuild, .built),
            ], start: try Timestamp("2026-11-23T11:05:08Z"), seconds: 153.6, engine: "", host: "")
        record.reference = "registry.example.com/ds-python@\(digest)"
        #expect(
            record.logLine
                == "2026-11-23T11:05:08Z ds-python built in 154s; built pip postBuild; reused base apt conda; because pip "
                + "+polars>=1 -polars>=0.20; registry.example.com/ds-python@\(digest)")
        record.status = .error
        record.reference = nil
        record.layers[3].action = .failed
        record.layers.removeLast()
        record.error = FailureRecord(
            failureClass: .definition, layer: .pip, message: "failed\nhttps://u:p@h/ token=abc", tail: "")
        #expect(
            record.logLine
                == "2026-11-23T11:05:08Z ds-python error in 154s; failed pip; reused base apt conda; because pip "
                + "+polars>=1 -polars>=0.20; failed\\nhttps://***@h/ token=***")
        record.status = .adopted
        record.error = nil
        record.reference = "r@\(digest)"
        #expect(record.logLine == "2026-11-23T11:05:08Z ds-python adopted; same meaning as before; r@\(digest)")
        record.status = .retired
        #expect(record.logLine == "2026-11-23T11:05:08Z ds-python retired; r@\(digest)")
    }

    @Test func unchangedMeaningOnANewCommitIsAdoptedOnce() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["a/image.yaml": base])
        try await rig.reconcile()
        let amended = try await rig.source.amend(["a/image.yaml": base])
        try await rig.reconcile()
        #expect(await rig.executed == [])
        #expect(await rig.published == [])
        #expect(await rig.log(amended).count == 1)
        #expect(await rig.log(amended).first?.contains(" a adopted; ") == true)
        let comment = try await rig.source.commit(["a/image.yaml": "# a comment\n" + base])
        let elsewhere = try await rig.source.commit(["a/image.yaml": "# a comment\n" + base, "README.md": "x"])
        try await rig.reconcile()
        try await rig.reconcile()
        #expect(await rig.log(comment).count == 1)
        #expect(await rig.log(elsewhere) == [])
        #expect(await rig.store.arrived.map(\.status) == [.built, .adopted, .adopted])
    }

    /// A requirements file outside the folder changed: the line stands on that commit and on the folder's.
    @Test func inputOutsideTheFolderGetsTheLineToo() async throws {
        let rig = try await Rig()
        let folder = ["a/image.yaml": base, "a/requirements.txt": "-r ../shared/r.txt\n"]
        let first = try await rig.source.commit(folder.merging(["shared/r.txt": "six\n"]) { $1 })
        try await rig.reconcile()
        #expect(await rig.log(first).count == 1)
        let second = try await rig.source.commit(folder.merging(["shared/r.txt": "six>=1\n"]) { $1 })
        let result = try await rig.reconcile()
        #expect(result.built.count == 1)
        #expect(await rig.log(first).count == 2)
        #expect(await rig.log(second).count == 1)
        #expect(await rig.store.arrived.last?.commit == second)
    }

    /// An edit of varve.yaml is an edit of the definitions that take something else from it, and of no other.
    @Test func sharedFileMovesThoseWhoTakeTheEdit() async throws {
        let rig = try await Rig()
        let images = ["a/image.yaml": base, "b/image.yaml": base + "build: {apt: [curl]}\n"]
        func commit(_ file: String, _ edits: [String: String] = [:]) async throws -> ObjectID {
            let id = try await rig.source.commit(images.merging(["varve.yaml": file]) { $1 }.merging(edits) { $1 })
            for _ in 0..<2 { try await rig.reconcile() }
            return id
        }
        let first = try await commit("defaults: {build: {apt: [git]}}\n")
        let comment = try await commit("# why\ndefaults: {build: {apt: [git]}}\n")
        #expect(await rig.log(first).count == 2)
        #expect(await rig.log(comment) == [])
        let edit = try await commit("defaults: {build: {apt: [git, jq]}}\n")
        #expect(await rig.log(first).count == 3)
        #expect(await rig.log(edit).count == 1)
        #expect(await rig.store.arrived.last?.commit == edit)
        let again = try await commit("defaults: {build: {apt: [jq, git]}}\npolicy: {maximumSize: 9GB}\n")
        #expect(await rig.log(again) == [])
        let own = try await commit("defaults: {build: {apt: [git, jq]}}\n", ["a/image.yaml": "# mine\n" + base])
        #expect(await rig.log(own).count == 1)
        #expect(await rig.store.arrived.map(\.status) == [.built, .built, .built, .adopted])
    }

    /// A commit that is gone has taken its note with it.
    @Test func amendedSharedFileGetsItsLineAnew() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["a/image.yaml": base, "varve.yaml": "defaults: {build: {apt: [git]}}\n"])
        try await rig.reconcile()
        let edit = ["a/image.yaml": base, "varve.yaml": "defaults: {build: {apt: [git, jq]}}\n"]
        try await rig.source.commit(edit)
        try await rig.reconcile()
        let amended = try await rig.source.amend(edit)
        for _ in 0..<2 { try await rig.reconcile() }
        #expect(await rig.log(amended).map { $0.contains(" a adopted; ") } == [true])
    }

    @Test func editOfTheCopiedImageMovesNoCopier() async throws {
        let rig = try await Rig()
        let copier = ["b/image.yaml": "copyFrom: a\n"]
        try await rig.source.commit(copier.merging(["a/image.yaml": base]) { $1 })
        try await rig.reconcile()
        let comment = try await rig.source.commit(copier.merging(["a/image.yaml": "# why\n" + base]) { $1 })
        for _ in 0..<2 { try await rig.reconcile() }
        #expect(await rig.log(comment).map { $0.contains(" a adopted; ") } == [true])
    }

    @Test func invalidAndRetiredAreToldOnce() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["a/image.yaml": base, "b/image.yaml": base])
        try await rig.reconcile()
        let broken = try await rig.source.commit(["a/image.yaml": "bas: x\n", "b/image.yaml": base])
        for _ in 0..<2 {
            let result = try await rig.reconcile()
            #expect(result.invalid == ["a"])
            #expect(!result.isGood)
        }
        #expect(await rig.log(broken).count == 1)
        #expect(await rig.log(broken).first?.contains(" a invalid; a/image.yaml:1:1: ") == true)
        let gone = try await rig.source.commit(["b/image.yaml": base])
        for _ in 0..<2 { #expect(try await rig.reconcile().isGood) }
        #expect(await rig.log(gone).count == 1)
        #expect(await rig.log(gone).first?.contains(" a retired") == true)
        let back = try await rig.source.commit(["a/image.yaml": base, "b/image.yaml": base])
        for _ in 0..<2 { #expect(try await rig.reconcile().isGood) }
        #expect(await rig.executed == [])
        #expect(await rig.log(back).first?.contains(" a adopted") == true)
        #expect(await rig.store.arrived.map(\.status) == [.built, .built, .invalid, .retired, .adopted])
    }

    @Test func twoFoldersOfOneNameAreToldOnceEach() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["a/image.yaml": "name: x\n" + base, "b/image.yaml": "name: x\n#\n" + base])
        for _ in 0..<3 { try await rig.reconcile() }
        #expect(await rig.store.arrived.map(\.status) == [.invalid, .invalid])
    }

    // MARK: verify

    @Test func verifyRunsOnlyWhenItOrTheImageChanged() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["a/image.yaml": base, "a/verify": "true\n"])
        try await rig.reconcile()
        #expect(await rig.engine.checks == 1)
        try await rig.source.commit(["a/image.yaml": base + "tags: [t]\n", "a/verify": "true\n"])
        try await rig.reconcile()
        #expect(await rig.published == ["a"])
        #expect(await rig.engine.checks == 0)
        try await rig.source.commit(["a/image.yaml": base + "tags: [t]\n", "a/verify": "test 1\n"])
        try await rig.reconcile()
        #expect(await rig.engine.checks == 1)
        #expect(await rig.executed == [])
        #expect(await rig.store.arrived.last?.reasons == [.verifyChanged])
        try await rig.source.commit(["a/image.yaml": base + "tags: [t]\nenv: {A: a}\n", "a/verify": "test 1\n"])
        try await rig.reconcile()
        #expect(await rig.engine.checks == 1)
        #expect(await rig.executed == ["config"])
    }

    @Test func failingVerifyPublishesNothing() async throws {
        let rig = try await Rig()
        try await rig.source.commit(["a/image.yaml": base, "a/verify": "true\n"])
        try await rig.reconcile()
        let good = try #require(await rig.store.arrived.last?.reference)
        await rig.engine.onVerify { _, _ in
            throw BuildFailure(.definition, message: "failed to verify image 'a': exit 1")
        }
        try await rig.source.commit(["a/image.yaml": base, "a/verify": "false\n"])
        let result = try await rig.reconcile()
        #expect(result.failed.map(\.value) == ["a"])
        #expect(await rig.executed == [])
        #expect(await rig.published == [])
        let record = try #require(await rig.store.arrived.last)
        #expect(record.status == .error)
        #expect(record.reference == nil)
        #expect(record.error?.message == "failed to verify image 'a': exit 1")
        #expect(History(await rig.store.arrived).lastGood[record.image]?.reference == good)
        // Taking the edit back leaves nothing to do but to adopt it.
        try await rig.source.commit(["a/image.yaml": base, "a/verify": "true\n"])
        #expect(try await rig.reconcile().isGood)
        #expect(await rig.store.arrived.last?.status == .adopted)
    }
}
