// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// An image that is built elsewhere, and one that stands on it.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct ExternalTests {
    @Test
    func newWritesAnExternalImageAndNothingBesideIt() async throws {
        let fleet = try await Fleet()
        let reference = "registry.example.com/team/tool:1"
        let made = try await fleet.varve.run("new", "tool", "--external", reference, "--hardware", "gpu")
        #expect(made.status == 0, "\(made)")
        let text = try String(contentsOfFile: fleet.git.folder + "/images/tool/image.yaml", encoding: .utf8)
        #expect(text.contains("\nexternal: \"\(reference)\"\n") && !text.contains("base:"), "\(text)")
        for more in [["--base", "tool"], ["--apt", "git"], ["--tag", "stable"]] {
            let refused = try await fleet.varve.run("new", "other", "--external", reference, options: more)
            #expect(refused.status == 64, "\(refused)")
        }
    }

    @Test
    func externalImageIsTrackedAndOthersStandOnIt() async throws {
        var fleet = try await Fleet()
        try await fleet.registry.push("oci:\(TestBase.tiny.layout()):latest", to: "theirs/tool:1")
        let reference = "\(fleet.registry.host)/theirs/tool:1"
        let script = "#!/bin/sh\ncat /etc/issue >/word 2>/dev/null || echo none >/word\n"
        let first = try await fleet.pass(
            ["images/tool/image.yaml": "external: \(reference)\n"]
                + Fleet.image("ours", base: "tool", files: ["postBuild": script]))
        try #require(first.status == 0, "\(first)")
        #expect(first.executed == ["postBuild"] && first.committed == ["config", "postbuild"], "\(first)")
        let digest = try #require(try await fleet.registry.digest(of: "theirs/tool:1"))
        let record = try #require(try await fleet.history("tool").first)
        #expect(
            record["status"].string == "built" && record["reference"].string == "\(reference)@\(digest)", "\(record)")
        // Nothing is published for it, and no tag is moved.
        #expect(try await fleet.configDigest("tool") == nil)
        #expect(try await fleet.registry.tags(of: "theirs/tool") == ["1"])
        let status = try await fleet.varve.run("status", "--format", "json")
        #expect(status.stdout.contains("\(reference)@\(digest)"), "\(status)")
        #expect(try await fleet.varve.run("plan").status == 0)

        let refs = try await fleet.varveRefs()
        let second = try await fleet.pass()
        #expect(second.status == 0 && second.executed.isEmpty && second.committed.isEmpty, "\(second)")
        #expect(try await fleet.varveRefs() == refs)

        let moved = try await TinyImage.layout(
            on: TestBase.tiny.layout(), in: fleet.directory, named: "moved", files: ["etc/issue": "newer\n"])
        try await fleet.registry.push("oci:\(moved):latest", to: "theirs/tool:1")
        let third = try await fleet.pass()
        #expect(third.status == 0 && third.executed == ["postBuild"], "\(third)")
        #expect(third.finished("tool")["status"].string == "built", "\(third)")
        let image = try await ImageRun(fleet.prefix + "/ours:latest", in: fleet.directory)
        #expect(try await image.run("cat", "/word").stdout == "newer\n")

        // Another place to publish to is nothing to what is never published; its child is built from where it is.
        fleet.varve.registry = "oci:" + fleet.directory.path("layout")
        fleet.varve.state = fleet.directory.path("other-state")
        let fourth = try await fleet.pass()
        #expect(fourth.status == 0, "\(fourth)")
        #expect(fourth.finished("tool") == .null && fourth.finished("ours")["status"].string == "built", "\(fourth)")
    }
}
