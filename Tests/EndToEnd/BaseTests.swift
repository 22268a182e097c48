// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// A base counts by what it holds, in the registry and between images of one repository.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct BaseTests {
    private static let post = ["postBuild": "#!/bin/sh\necho one >/word\n"]

    @Test
    func movedBaseRebuildsTheImageAndItsChildren() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let first = try await fleet.pass(
            Fleet.image("a", base: base, files: Self.post) + Fleet.image("b", base: "a", files: Self.post)
                + Fleet.image("c", base: "b", files: Self.post))
        try #require(first.status == 0, "\(first)")
        let moved = try await TinyImage.layout(
            on: TestBase.tiny.layout(), in: fleet.directory, named: "moved", files: ["etc/issue": "newer\n"])
        try await fleet.registry.push("oci:\(moved):latest", to: "bases/tiny:latest")
        let second = try await fleet.pass()
        #expect(second.status == 0, "\(second)")
        #expect(second.executed == ["postBuild", "postBuild", "postBuild"], "\(second)")
        let reasons = try #require(try await fleet.history("a").first)["reasons"]
        #expect(reasons.array.contains { $0["kind"].string == "base-changed" }, "\(reasons)")
        let image = try await ImageRun(fleet.prefix + "/c:latest", in: fleet.directory)
        #expect(try await image.run("cat", "/etc/issue").stdout == "newer\n")
    }

    @Test(arguments: [false, true])
    func sameContentPackedAnotherWayRebuildsNothing(index: Bool) async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let first = try await fleet.pass(Fleet.image("a", base: base, files: Self.post))
        try #require(first.status == 0, "\(first)")
        let before = try await fleet.registry.digest(of: "bases/tiny:latest")
        let repacked = try await TinyImage.repack(
            TestBase.tiny.layout(), in: fleet.directory, named: "repacked", level: 9, index: index)
        try await fleet.registry.push("oci:\(repacked):latest", to: "bases/tiny:latest", options: ["--all"])
        #expect(try await fleet.registry.digest(of: "bases/tiny:latest") != before)
        let refs = try await fleet.varveRefs()
        let second = try await fleet.pass()
        #expect(second.status == 0, "\(second)")
        #expect(second.executed.isEmpty && second.committed.isEmpty, "\(second)")
        #expect(try await fleet.varveRefs() == refs)
    }

    @Test
    func parentRebuiltToTheSameContentLeavesItsChildrenAlone() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let first = try await fleet.pass(
            Fleet.image("a", base: base, files: Self.post) + Fleet.image("b", base: "a", files: Self.post))
        try #require(first.status == 0, "\(first)")
        let digests = try await (fleet.configDigest("a"), fleet.configDigest("b"))
        // The parent's image and all that would spare its execution are gone; the child's image is not.
        await fleet.registry.stop()
        let repositories = fleet.registry.storage + "/docker/registry/v2/repositories/fleet"
        for name in try FileManager.default.contentsOfDirectory(atPath: repositories) where name != "b" {
            try FileManager.default.removeItem(atPath: repositories + "/" + name)
        }
        try await fleet.registry.start()
        await Fleet.unmount(below: fleet.varve.state)
        try FileManager.default.removeItem(atPath: fleet.varve.state)
        let second = try await fleet.pass()
        #expect(second.status == 0, "\(second)")
        #expect(second.executed == ["postBuild"], "\(second)")
        #expect(second.finished("a")["status"].string == "built", "\(second)")
        #expect(second.finished("b") == .null)
        #expect(try await fleet.configDigest("a") == digests.0)
        #expect(try await fleet.configDigest("b") == digests.1)
        let reasons = try #require(try await fleet.history("a").first)["reasons"]
        #expect(reasons.array.map { $0["kind"].string } == ["artefact-missing"])
    }

    @Test
    func parentOfAnotherKeyAndTheSameContentLeavesItsChildrenAlone() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let script = { (comment: String) in
            "build:\n  postBuild: |\n    #!/bin/sh\n    # \(comment)\n    echo one >/word\n"
        }
        let first = try await fleet.pass(
            Fleet.image("a", base: base, more: script("first")) + Fleet.image("b", base: "a", files: Self.post))
        try #require(first.status == 0, "\(first)")
        let digest = try await fleet.configDigest("a")
        let second = try await fleet.pass(Fleet.image("a", base: base, more: script("second")))
        #expect(second.status == 0, "\(second)")
        #expect(second.executed == ["postBuild"], "\(second)")
        #expect(second.finished("a")["status"].string == "built", "\(second)")
        #expect(second.finished("b") == .null)
        #expect(try await fleet.configDigest("a") == digest)
    }

    @Test
    func layerCacheSparesALostStateDirectoryEveryExecution() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let more = "build:\n  postBuild: |\n    #!/bin/sh\n    echo one >/word\n"
        let first = try await fleet.pass(Fleet.image("a", base: base, more: more))
        try #require(first.status == 0, "\(first)")
        await Fleet.unmount(below: fleet.varve.state)
        try FileManager.default.removeItem(atPath: fleet.varve.state)
        let second = try await fleet.pass(Fleet.image("a", base: base, more: more + "env: {WORD: one}\n"))
        #expect(second.status == 0, "\(second)")
        #expect(second.executed.isEmpty, "\(second)")
        #expect(second.committed == ["config"], "\(second)")
    }
}
