// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarvePlan
import VarveReconcile
import VarveTestSupport

/// A base of a Containerfile follows the images that it names.
@Suite(.temporaryDirectory) struct PassContainerfileTests {
    @Test func imagesItNamesAreRecordedAndFollowed() async throws {
        let rig = try await Rig()
        let tool = "quay.io/team/tool:1"
        try await rig.registry.push("tool 1", to: ImageReference(tool))
        try await rig.source.commit([
            "a/image.yaml": "base: {containerfile: Containerfile}\n",
            "a/Containerfile": "FROM \(Rig.debian)\nCOPY --from=\(tool) /tool /tool\n",
        ])
        let first = try await rig.reconcile()
        #expect(first.isGood && first.built.map(\.value) == ["a"])
        let record = try #require(await rig.store.arrived.last)
        #expect(record.base?.images?.map(\.reference) == [Rig.debian, tool])
        #expect(record.base?.images?.last?.configDigest == Digest(hashing: "tool 1"))
        #expect(try await rig.reconcile().built == [])
        // Readers that ask no registry come to the same.
        let survey = Survey(
            source: rig.source, records: rig.store, registry: rig.registry, journal: rig.journal,
            state: rig.state, platform: try Platform("linux/amd64"))
        let findings = try #require(try await survey.survey(bases: .recorded))
        #expect(findings.plan.isSettled)

        rig.clock.move(by: 10)
        try await rig.registry.push("tool 2", to: ImageReference(tool))
        #expect(try await rig.reconcile().built.map(\.value) == ["a"])
        let reasons = try #require(await rig.store.arrived.last).reasons.map(\.description).joined()
        #expect(reasons.contains("+image \(tool)@") && reasons.contains("-image \(tool)@"), "\(reasons)")
    }
}
