// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

/// Images that are built elsewhere are looked up and recorded; no engine and no publication takes part.
@Suite(.temporaryDirectory) struct PassExternalTests {
    private static let theirs = "docker.io/team/theirs:1"
    private static let files = ["theirs/image.yaml": "external: \(theirs)\n"]
    private static let child = ["ours/image.yaml": "base: theirs\n", "ours/apt.txt": "git\n"]

    @Test func itIsRecordedWithoutEngineAndPublication() async throws {
        let rig = try await Rig()
        try await rig.registry.push("theirs 1", to: ImageReference(Self.theirs))
        let commit = try await rig.source.commit(Self.files)
        let result = try await rig.reconcile()
        #expect(result.isGood && result.built.map(\.value) == ["theirs"])
        #expect(await rig.executed == [])
        #expect(await rig.published == [])
        let record = try #require(await rig.store.arrived.last)
        let manifest = Digest(hashing: "manifest theirs 1")
        #expect(record.status == .built && record.layers.map(\.kind) == [.base])
        #expect(record.reference == "\(Self.theirs)@\(manifest)")
        #expect(record.manifestDigest == manifest && record.configDigest == Digest(hashing: "theirs 1"))
        #expect(record.tags == [] && record.engine.isEmpty)
        #expect(await rig.log(commit).first?.hasSuffix("\(Self.theirs)@\(manifest)") == true)

        let writes = await rig.store.writes
        let second = try await rig.reconcile()
        #expect(second.isGood && second.built == [] && second.unchanged == 1)
        #expect(await rig.store.writes == writes)
    }

    @Test func movedTagRebuildsTheChildOnItsNewDigest() async throws {
        let rig = try await Rig()
        try await rig.registry.push("theirs 1", to: ImageReference(Self.theirs))
        try await rig.source.commit(Self.files.merging(Self.child) { $1 })
        let first = try await rig.reconcile()
        #expect(first.built.map(\.value) == ["theirs", "ours"])
        #expect(await rig.executed == ["apt", "base", "config"])
        rig.clock.move(by: 10)
        try await rig.registry.push("theirs 2", to: ImageReference(Self.theirs))
        let second = try await rig.reconcile()
        #expect(second.built.map(\.value) == ["theirs", "ours"])
        #expect(await rig.published == ["ours"])
        let request = try #require(await rig.engine.executions.first { $0.content.kind == .base })
        #expect(request.baseImage?.manifestDigest == Digest(hashing: "manifest theirs 2"))
        #expect(request.baseImage?.image == nil)
    }

    @Test func lostManifestIsMissedWhereTheImageIs() async throws {
        let rig = try await Rig()
        let reference = try ImageReference(Self.theirs)
        await rig.registry.push("theirs 1", to: reference)
        try await rig.source.commit(Self.files)
        try await rig.reconcile()
        rig.clock.move(by: 10)
        // Packed anew: the manifest that was recorded is gone with its tag.
        await rig.registry.push("theirs 1", to: reference, manifest: "other")
        let result = try await rig.reconcile()
        #expect(result.built.map(\.value) == ["theirs"])
        let record = try #require(await rig.store.arrived.last)
        #expect(record.reasons.map(\.kind) == ["artefact-missing"])
        #expect(record.manifestDigest == Digest(hashing: "manifest other"))
        #expect(try await rig.reconcile().built == [])
    }
}
