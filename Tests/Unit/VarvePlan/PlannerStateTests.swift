// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarvePlan

@Suite struct PlannerStateTests {
    /// `a` on a registry base, `b` on `a`, `c` on `b`.
    private static func chain() throws -> Bench {
        var bench = Bench()
        try bench.push("debian 1", manifest: "m1")
        try bench.add("a") { $0.build.apt = AptContent(packages: ["git"]) }
        try bench.add("b", on: .image(try ImageName("a")))
        try bench.add("c", on: .image(try ImageName("b")))
        return bench
    }

    private func actions(_ bench: Bench) -> [String] {
        bench.plan.images.map { plan in
            ["\(plan.definition.name)", plan.action.rawValue, plan.status.rawValue, plan.cause]
                .compactMap { $0 }.joined(separator: " ")
        }
    }

    @Test func neverBuiltWaitsForItsParents() throws {
        var bench = try Self.chain()
        #expect(actions(bench) == ["a build pending", "b wait pending waiting for a", "c wait pending waiting for b"])
        #expect(try bench.plan(of: "a").reasons == [.neverBuilt])
        #expect(try bench.plan(of: "b").reasons == [])
        #expect(try bench.plan(of: "b").key == nil)
        #expect(try bench.plan(of: "b").layers.map(\.action) == [.wait, .wait])
        #expect(try bench.build() == ["a base", "a apt", "a config", "b base", "b config", "c base", "c config"])
        #expect(actions(bench) == ["a none built", "b none built", "c none built"])
        #expect(bench.plan.isSettled)
    }

    @Test func childIsNeverPlannedOnAStaleParent() throws {
        var bench = try Self.chain()
        try bench.build()
        bench.edit("a") { $0.environment = ["A": "1"] }
        bench.edit("c") { $0.environment = ["C": "1"] }
        #expect(actions(bench) == ["a build pending", "b wait pending waiting for a", "c wait pending waiting for b"])
        #expect(try bench.plan(of: "c").key == nil)
        // The words for what waits are asked for too: its reasons are made in the same pass.
        #expect(bench.plan.keysToDescribe.count == 7)
    }

    @Test func unresolvedBaseBlocksWithItsCause() throws {
        var bench = try Self.chain()
        let reference = try ImageReference(Bench.reference)
        bench.bases = [:]
        #expect(try bench.plan(of: "a").cause == "base \(Bench.reference) was not resolved")
        bench.bases[reference] = .failure(BuildFailure(.transient, message: "failed to reach 'docker.io': refused"))
        #expect(
            actions(bench) == [
                "a blocked blocked base \(Bench.reference): failed to reach 'docker.io': refused",
                "b blocked blocked base a is blocked", "c blocked blocked base b is blocked",
            ])
        #expect(!bench.plan.isSettled)
    }

    /// What stands on a blocked image stays as it is while nothing of its own changes.
    @Test func blockedParentLeavesItsChildrenOnTheLastGoodImage() throws {
        var bench = try Self.chain()
        try bench.build()
        bench.bases = [:]
        #expect(actions(bench).dropFirst() == ["b none built", "c none built"])
        bench.edit("c") { $0.environment = ["C": "1"] }
        #expect(try bench.plan(of: "c").action == .build)
        bench.edit("b") { $0.environment = ["B": "1"] }
        #expect(
            actions(bench).dropFirst() == [
                "b blocked blocked base a is blocked", "c blocked blocked base b is blocked",
            ])
    }

    @Test func brokenParentKeepsItsLastGoodImage() throws {
        var bench = try Self.chain()
        try bench.build()
        let broken = bench.images.removeFirst()
        let problem = Diagnostic(code: "VRV001", file: broken.folder, message: "broken")
        bench.invalid = [
            InvalidDefinition(name: "a", folder: broken.folder, tree: broken.tree, diagnostics: [problem])
        ]
        #expect(actions(bench) == ["b none built", "c none built"])
        #expect(bench.plan.retired.isEmpty)
        #expect(!bench.plan.isSettled)
        bench.edit("b") { $0.environment = ["B": "1"] }
        #expect(actions(bench) == ["b blocked blocked base a is invalid", "c none built"])
        bench.records = []
        #expect(
            actions(bench) == ["b blocked blocked base a is invalid", "c blocked blocked base b is blocked"])
    }

    @Test func suspendedImageIsLeftAloneAndStillServesAsABase() throws {
        var bench = try Self.chain()
        bench.edit("a") { $0.isSuspended = true }
        #expect(
            actions(bench) == [
                "a none suspended", "b blocked blocked base a is suspended and was never built",
                "c blocked blocked base b is blocked",
            ])
        bench.edit("a") { $0.isSuspended = false }
        try bench.build()
        bench.edit("a") { image in
            image.isSuspended = true
            image.environment = ["A": "1"]
        }
        #expect(actions(bench) == ["a none suspended", "b none built", "c none built"])
        bench.edit("b") { $0.environment = ["B": "1"] }
        #expect(try bench.build() == ["b config", "c base", "c config"])
        bench.edit("c") { image in
            image.isSuspended = true
            image.environment = ["C": "1"]
        }
        #expect(bench.plan.isSettled)
    }

    @Test func retiredImageIsToldOnceAndComesBackWithoutBeingBuilt() throws {
        var bench = try Self.chain()
        try bench.build()
        let gone = bench.images.removeLast()
        #expect(bench.plan.retired.map(\.image.value) == ["c"])
        var record = bench.plan.retired[0]
        record.status = .retired
        record.start = Timestamp(seconds: record.start.seconds + 1)
        record.layers = []
        bench.records.append(record)
        #expect(bench.plan.retired.isEmpty)
        #expect(bench.plan.isSettled)
        bench.images.append(gone)
        #expect(bench.plan.isSettled)
    }

    /// A definition that could never be read was never an image, whatever name it went by.
    @Test func neverReadableDefinitionIsNotRetired() throws {
        var bench = try Self.chain()
        try bench.build()
        var record = bench.records[0]
        record.image = try ImageName("folder")
        record.status = .invalid
        bench.records.append(record)
        #expect(bench.plan.retired.isEmpty)
    }

    @Test func renamedImageRetiresItsOldName() throws {
        var bench = try Self.chain()
        try bench.build()
        try bench.edit("c") { $0.name = try ImageName("d") }
        #expect(bench.plan.retired.map(\.image.value) == ["c"])
        #expect(try bench.plan(of: "d").reasons == [.neverBuilt])
        #expect(try bench.build() == [])
    }

    @Test func failedAttemptIsTriedAgain() throws {
        var bench = try Self.chain()
        try bench.fail(bench.plan(of: "a"), in: .apt)
        let plan = try bench.plan(of: "a")
        #expect(plan.action == .build)
        #expect(plan.status == .error)
        #expect(plan.reasons == [.neverBuilt, .lastBuildFailed(message: "it broke")])
        #expect(plan.layers.map(\.action) == [.reuse, .build, .build])
        bench.edit("a") { $0.build.apt = AptContent(packages: ["curl"]) }
        #expect(try bench.plan(of: "a").reasons == [.neverBuilt])
        #expect(try bench.plan(of: "a").status == .pending)
    }

    /// Taking back an edit that failed leaves nothing to do: the last good image is the wanted one.
    @Test func takingBackAFailedEditSettles() throws {
        var bench = try Self.chain()
        try bench.build()
        let good = bench.images
        bench.edit("a") { $0.build.apt = AptContent(packages: ["no-such-package"]) }
        try bench.fail(bench.plan(of: "a"), in: .apt)
        #expect(try bench.plan(of: "a").status == .error)
        #expect(
            try bench.plan(of: "a").reasons.map(\.description) == [
                "apt +no-such-package -git", "last build failed: it broke",
            ])
        bench.images = good
        #expect(bench.plan.isSettled)
    }

    @Test func takingBackAFailedVerifySettles() throws {
        var bench = try Self.chain()
        bench.edit("a") { $0.verify = script("true") }
        try bench.build()
        bench.edit("a") { $0.verify = script("false") }
        try bench.fail(bench.plan(of: "a"), in: nil)
        #expect(
            try bench.plan(of: "a").reasons == [.verifyChanged, .lastBuildFailed(message: "it broke")])
        bench.edit("a") { $0.verify = script("test 1") }
        #expect(try bench.plan(of: "a").reasons == [.verifyChanged])
        bench.edit("a") { $0.verify = script("true") }
        #expect(bench.plan.isSettled)
    }

    /// Where the place itself has an `@`, the digest still begins at the last one.
    @Test func placeOfPublishingMayHoldAnAt() throws {
        var bench = try Self.chain()
        bench.location = "oci:/home/me@work/images"
        try bench.build()
        #expect(bench.plan.isSettled)
    }

    @Test func bootstrapBaseIsKeyedByItsDefinition() throws {
        var bench = Bench()
        let bootstrap = BootstrapSpecification(distribution: "debian", suite: "bookworm", packages: ["python3"])
        try bench.add("a", on: .bootstrap(bootstrap))
        #expect(try bench.build() == ["a base", "a config"])
        #expect(try bench.plan(of: "a").base == BaseRecord(reference: "bootstrap debian/bookworm"))
        #expect(try bench.plan(of: "a").baseImage == nil)
        bench.edit("a") { image in
            image.base = .bootstrap(
                BootstrapSpecification(
                    distribution: "debian", suite: "bookworm", mirror: "http://m", packages: ["curl", "python3"]))
        }
        #expect(try bench.plan(of: "a").reasons.map(\.description) == ["base +mirror http://m +curl"])
        bench.edit("a") { image in
            image.base = .bootstrap(
                BootstrapSpecification(distribution: "debian", suite: "trixie", packages: ["python3"]))
        }
        #expect(
            try bench.plan(of: "a").reasons.map(\.description) == [
                "base bootstrap debian/bookworm -> bootstrap debian/trixie"
            ])
    }

    @Test func cudaOfTheBaseIsPartOfTheCondaLayerOfAGPUImageAlone() throws {
        var bench = Bench()
        try bench.push("cuda 1", manifest: "m1", cuda: "12.2")
        for name in ["a", "b"] {
            try bench.add(name) { image in
                image.build.conda = CondaContent(channels: [], dependencies: ["pytorch"])
            }
        }
        bench.edit("a") { $0.hardware = .gpu }
        try bench.add("child", on: .image(try ImageName("a"))) { image in
            image.hardware = .gpu
            image.build.conda = CondaContent(channels: [], dependencies: ["cupy"])
        }
        try bench.build()
        #expect(bench.plan.isSettled)
        func cuda(_ name: String) throws -> [String] {
            try bench.plan(of: name).layers.compactMap { layer in
                if case .conda(let conda) = layer.content { conda.cudaOverride ?? "none" } else { nil }
            }
        }
        #expect(try cuda("a") == ["12.2"])
        #expect(try cuda("b") == ["none"])
        // What the base of the base has is known from the record of the build between.
        #expect(try cuda("child") == ["12.2"])
        bench.edit("b") { $0.hardware = .gpu }
        #expect(try bench.plan(of: "b").reasons.map(\.description) == ["conda +cuda 12.2"])
    }

    @Test func gpuImageOnABaseWithoutCUDAIsBlocked() throws {
        var bench = Bench()
        try bench.push("debian", manifest: "m1")
        try bench.add("a") { $0.hardware = .gpu }
        let plan = try bench.plan(of: "a")
        #expect(plan.action == .blocked)
        #expect(plan.cause?.hasSuffix("has no CUDA, which an image of hardware gpu needs") == true)
    }

    @Test func sharedLayersAreFoundInTheRecordsOfOthers() throws {
        var bench = try Self.chain()
        try bench.build()
        try bench.add("d") { image in
            image.build.apt = AptContent(packages: ["git"])
            image.build.pip = PipContent(requirements: ["numpy"])
        }
        #expect(try bench.plan(of: "d").layers.map(\.action) == [.reuse, .reuse, .build, .build])
        #expect(try bench.build() == ["d pip", "d config"])
    }

    @Test func baseOfAnImageIsItsLastPublishedBuild() throws {
        var bench = try Self.chain()
        try bench.build()
        let published = try History(bench.records).published(try ImageName("a"), for: Platform(Bench.platform))
        let plan = try bench.plan(of: "b")
        #expect(plan.baseImage == published)
        #expect(plan.base?.configDigest == published?.configDigest)
        #expect(plan.layers[0].content == published.map { .base(.image(configDigest: $0.configDigest)) })
    }
}
