// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarvePlan

/// Images of several platforms: one record, a chain of layers for each platform.
@Suite
struct PlannerPlatformTests {
    private static let both = ["linux/386", "linux/amd64"]

    private static func bench(_ platforms: [String] = both) throws -> Bench {
        var bench = Bench()
        try bench.push("content", manifest: "manifest")
        try push("content of 386", on: "linux/386", to: &bench)
        try bench.add("a") { image in
            image.platforms = try platforms.map { try Platform($0) }
            image.build.pip = PipContent(requirements: ["one==1"])
        }
        return bench
    }

    private static func push(_ content: String, on platform: String, to bench: inout Bench) throws {
        bench.platformBases[try Platform(platform), default: [:]][try ImageReference(Bench.reference)] = .success(
            ResolvedImage(
                reference: Bench.reference, manifestDigest: Digest(sha256: Array("manifest of \(content)".utf8)),
                configDigest: Digest(sha256: Array(content.utf8))))
    }

    @Test
    func everyPlatformHasLayersOfItsOwn() throws {
        var bench = try Self.bench()
        let plan = try bench.plan(of: "a")
        #expect(plan.platforms.map(\.platform.description) == Self.both)
        let keys = plan.platforms.flatMap(\.layers).compactMap(\.key)
        #expect(keys.count == 6 && Set(keys).count == 6)
        #expect(plan.reasons == [.neverBuilt])
        #expect(try bench.build() == ["a base", "a pip", "a config", "a base", "a pip", "a config"])
        #expect(try bench.plan(of: "a").action == .none)
    }

    @Test
    func keysOfOnePlatformAreThoseOfAnImageOfThatPlatformAlone() throws {
        let both = try Self.bench().plan(of: "a")
        for (index, platform) in Self.both.enumerated() {
            #expect(try Self.bench([platform]).plan(of: "a").key == both.platforms[index].key)
        }
    }

    @Test
    func editIsGivenOnceAsReasonAndRebuildsAllPlatforms() throws {
        var bench = try Self.bench()
        try bench.build()
        bench.edit("a") { $0.build.pip = PipContent(requirements: ["one==2"]) }
        #expect(
            try bench.plan(of: "a").reasons == [.contentChanged(layer: .pip, removed: ["one==1"], added: ["one==2"])])
        #expect(try bench.build() == ["a pip", "a config", "a pip", "a config"])
    }

    @Test
    func movedBaseOfOnePlatformRebuildsThatPlatformAlone() throws {
        var bench = try Self.bench()
        try bench.build()
        let before = try bench.plan(of: "a").platforms.map(\.key)
        try Self.push("newer content of 386", on: "linux/386", to: &bench)
        let plan = try bench.plan(of: "a")
        #expect(plan.reasons.map(\.kind) == ["base-changed"])
        #expect(plan.platforms[0].key != before[0] && plan.platforms[1].key == before[1])
        #expect(try bench.build() == ["a base", "a pip", "a config"])
    }

    @Test
    func platformThatIsAddedIsBuiltAndTheOtherIsReused() throws {
        var bench = try Self.bench(["linux/amd64"])
        try bench.build()
        try bench.edit("a") { $0.platforms = try Self.both.map { try Platform($0) } }
        #expect(
            try bench.plan(of: "a").reasons == [.publicationChanged(old: "linux/amd64", new: "linux/386 linux/amd64")])
        #expect(try bench.build() == ["a base", "a pip", "a config"])
        try bench.edit("a") { $0.platforms = [try Platform("linux/386")] }
        #expect(
            try bench.plan(of: "a").reasons == [.publicationChanged(old: "linux/386 linux/amd64", new: "linux/386")])
        #expect(try bench.build().isEmpty)
        #expect(try bench.plan(of: "a").action == .none)
    }

    @Test
    func childStandsOnItsParentsImageOfTheSamePlatform() throws {
        var bench = try Self.bench()
        try bench.add("child", on: .image(ImageName("a"))) { $0.platforms = try Self.both.map { try Platform($0) } }
        try bench.build()
        let record = try #require(History(bench.records).lastGood[try ImageName("a")])
        let plan = try bench.plan(of: "child")
        #expect(plan.action == .none)
        for part in plan.platforms {
            #expect(part.baseImage?.configDigest == record.image(for: part.platform)?.configDigest)
            #expect(part.baseImage?.manifestDigest == record.image(for: part.platform)?.manifestDigest)
        }
        #expect(Set(plan.platforms.compactMap(\.baseImage?.configDigest)).count == 2)
    }

    @Test
    func platformWhoseBaseIsMissingBlocksTheWholeImage() throws {
        var bench = try Self.bench()
        try bench.build()
        bench.platformBases[try Platform("linux/386")] = [
            try ImageReference(Bench.reference): .failure(BuildFailure(.definition, message: "not there for linux/386"))
        ]
        bench.edit("a") { $0.build.pip = PipContent(requirements: ["one==2"]) }
        let plan = try bench.plan(of: "a")
        #expect(plan.action == .blocked && plan.cause?.contains("not there for linux/386") == true)
    }
}
