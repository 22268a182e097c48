// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarvePlan

/// Images that are built elsewhere: nothing but their digest counts.
@Suite struct PlannerExternalTests {
    private static let theirs = "registry.example.com/team/theirs:1"

    private static func bench() throws -> Bench {
        var bench = Bench()
        try bench.push("theirs 1", manifest: "m1", to: theirs)
        try bench.add("theirs", on: .external(try ImageReference(theirs)))
        try bench.add("ours", on: .image(try ImageName("theirs")))
        return bench
    }

    @Test func itHasNoLayerButItsBaseAndItsChildStandsOnItWhereItIs() throws {
        var bench = try Self.bench()
        #expect(try bench.plan(of: "theirs").layers.map(\.kind) == [.base])
        #expect(try bench.plan(of: "ours").action == .wait)
        try bench.build()
        #expect(bench.plan.isSettled)
        let base = try #require(try bench.plan(of: "ours").baseImage)
        // Of no image of this repository: it is pulled from its own registry.
        #expect(base.image == nil)
        #expect(try ImageReference(base.reference).host == "registry.example.com")
        #expect(base.configDigest == Digest(sha256: Array("theirs 1".utf8)))
    }

    @Test func movedContentRebuildsChildrenAndPackingDoesNot() throws {
        var bench = try Self.bench()
        try bench.build()
        try bench.push("theirs 1", manifest: "m2", to: Self.theirs)
        #expect(bench.plan.isSettled)
        try bench.push("theirs 2", manifest: "m3", to: Self.theirs)
        #expect(try bench.plan(of: "theirs").reasons.map(\.kind) == ["base-changed"])
        #expect(try bench.plan(of: "ours").action == .wait)
        // The child's base has the key of what was registered.
        #expect(try bench.build() == ["theirs base", "ours config"])
    }

    @Test func anotherRegistryOfTheFleetIsNothingToIt() throws {
        var bench = try Self.bench()
        try bench.build()
        bench.location = "other.example.com"
        #expect(try bench.plan(of: "theirs").action == .none)
        #expect(try bench.plan(of: "ours").reasons.map(\.kind) == ["publication-changed"])
    }

    @Test func anotherReferenceIsRecordedAndRebuildsNothing() throws {
        var bench = try Self.bench()
        try bench.build()
        let renamed = "registry.example.com/team/theirs:2"
        try bench.push("theirs 1", manifest: "m1", to: renamed)
        try bench.edit("theirs") { $0.base = .external(try ImageReference(renamed)) }
        #expect(
            try bench.plan(of: "theirs").reasons == [.publicationChanged(old: Self.theirs, new: renamed)])
        #expect(try bench.build() == [])
        #expect(bench.plan.isSettled)
    }

    @Test func builtImageThatBecomesExternalSaysWhereItWentAndBack() throws {
        var bench = try Self.bench()
        try bench.push("debian", manifest: "d")
        try bench.add("x")
        try bench.build()
        try bench.add("x", on: .external(try ImageReference(Self.theirs)))
        #expect(try bench.plan(of: "x").reasons.map(\.kind).contains("publication-changed"))
        try bench.build()
        #expect(bench.plan.isSettled)
        try bench.add("x")
        #expect(try bench.plan(of: "x").reasons.contains(.publicationChanged(old: Self.theirs, new: "r.example.com/x")))
        try bench.build()
        #expect(bench.plan.isSettled)
    }

    @Test func unresolvedExternalBlocksItselfAndLeavesItsChildrenAlone() throws {
        var bench = try Self.bench()
        try bench.build()
        bench.bases = [:]
        #expect(try bench.plan(of: "theirs").action == .blocked)
        #expect(try bench.plan(of: "ours").action == .none)
    }
}
