// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// Images of several platforms, in a registry and in a layout.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct PlatformTests {
    private static let post = "#!/bin/sh\ncat /etc/platform >/built\n"

    /// A base of two platforms whose programs are those of this machine, which runs both.
    private static func pushBase(_ fleet: Fleet, marks: [String: String] = [:]) async throws -> String {
        var layouts: [String] = []
        for architecture in ["amd64", "386"] {
            let mark = (marks[architecture] ?? "linux/\(architecture)") + "\n"
            // Made once for each content: its files carry the time.
            let name = "base-\(architecture)" + (marks[architecture].map { "-" + $0 } ?? "")
            layouts.append(fleet.directory.path(name))
            guard !FileManager.default.fileExists(atPath: fleet.directory.path(name)) else { continue }
            let layout = try await TinyImage.layout(
                on: TestBase.tiny.layout(), in: fleet.directory, named: name, files: ["etc/platform": mark])
            try await Command.run("python3", [Fixtures.path("programs/platforms.py"), "set", layout, architecture])
        }
        let index = fleet.directory.path("index-" + UUID().uuidString)
        try await Command.run("python3", [Fixtures.path("programs/platforms.py"), "join", index] + layouts)
        try await fleet.registry.push("oci:\(index):latest", to: "bases/both:latest", options: ["--all"])
        return "\(fleet.registry.host)/bases/both:latest"
    }

    private static let more = "platforms: [linux/amd64, linux/386]\n"

    private func platforms(_ document: JSONValue) -> [String] {
        document["manifests"].array.compactMap { $0["platform"]["architecture"].string }
    }

    @Test
    func indexOfBothPlatformsIsPublishedAndChildrenStandOnTheirOwn() async throws {
        let fleet = try await Fleet()
        let base = try await Self.pushBase(fleet)
        let first = try await fleet.pass(
            Fleet.image("a", base: base, more: Self.more, files: ["postBuild": Self.post])
                + Fleet.image(
                    "b", base: "a", more: Self.more,
                    files: [
                        "postBuild": "#!/bin/sh\ncat /built /built >/twice\n", "verify": "#!/bin/sh\ntest -s /twice\n",
                    ]))
        try #require(first.status == 0, "\(first)")
        #expect(first.executed == ["postBuild", "postBuild", "postBuild", "postBuild", "verify", "verify"])

        for image in ["a", "b"] {
            let index = try await fleet.registry.manifest(of: "fleet/\(image):latest")
            #expect(platforms(index) == ["386", "amd64"], "\(index)")
            for architecture in ["amd64", "386"] {
                let config = try await Command.run(
                    "skopeo",
                    [
                        "--override-arch", architecture, "inspect", "--config", "--tls-verify=false",
                        "docker://\(fleet.prefix)/\(image):latest",
                    ])
                #expect(try JSONValue(parsing: config.stdout)["architecture"].string == architecture)
            }
        }
        let built = try await ImageRun(fleet.prefix + "/b:latest", in: fleet.directory)
        #expect(try await built.run("cat", "/twice").stdout == "linux/amd64\nlinux/amd64\n")
        let record = try #require(try await fleet.history("b").first)
        let digest = try await fleet.registry.digest(of: "fleet/b:latest")
        #expect(record["reference"].string == digest.map { "\(fleet.prefix)/b@\($0)" })
        #expect(record["platforms"].array.compactMap { $0["platform"].string } == ["linux/386", "linux/amd64"])

        let refs = try await fleet.varveRefs()
        let second = try await fleet.pass()
        #expect(second.status == 0 && second.executed.isEmpty && second.committed.isEmpty, "\(second)")
        #expect(try await fleet.varveRefs() == refs)

        // One platform's base moves: only that platform's layers are built, and the tag stands on a new index.
        _ = try await Self.pushBase(fleet, marks: ["386": "newer"])
        let third = try await fleet.pass()
        #expect(third.status == 0, "\(third)")
        #expect(third.executed == ["postBuild", "postBuild", "verify"], "\(third)")
        #expect(try await fleet.registry.digest(of: "fleet/b:latest") != digest)
        #expect(platforms(try await fleet.registry.manifest(of: "fleet/b:latest")) == ["386", "amd64"])
    }

    @Test
    func layoutHoldsTheIndexForOtherTools() async throws {
        let directory = try TemporaryDirectory.required()
        let layout = "oci:" + directory.path("published")
        let fleet = try await Fleet(publishing: layout)
        let base = try await Self.pushBase(fleet)
        let first = try await fleet.pass(
            Fleet.image("a", base: base, more: Self.more, files: ["postBuild": Self.post])
                + Fleet.image("b", base: "a", more: Self.more, files: ["postBuild": Self.post]))
        try #require(first.status == 0, "\(first)")
        let raw = try await Command.run("skopeo", ["inspect", "--raw", layout + ":b:latest"])
        #expect(platforms(try JSONValue(parsing: raw.stdout)) == ["386", "amd64"])
        let copy = directory.path("copy")
        try await Command.run("skopeo", ["--insecure-policy", "copy", "--all", layout + ":b:latest", "oci:\(copy):b"])
        let second = try await fleet.pass()
        #expect(second.status == 0 && second.executed.isEmpty && second.committed.isEmpty, "\(second)")
    }

    @Test
    func platformThatThisMachineCannotRunIsSaidSo() async throws {
        let fleet = try await Fleet()
        let tiny = try await TinyImage.layout(
            on: TestBase.tiny.layout(), in: fleet.directory, named: "foreign", files: ["etc/platform": "foreign\n"])
        // No machine that runs these tests runs programs of this architecture.
        try await Command.run("python3", [Fixtures.path("programs/platforms.py"), "set", tiny, "riscv64", "foreign"])
        try await fleet.registry.push("oci:\(tiny):latest", to: "bases/foreign:latest")
        let pass = try await fleet.pass(
            Fleet.image(
                "a", base: "\(fleet.registry.host)/bases/foreign:latest", more: "platforms: [linux/riscv64]\n",
                files: ["postBuild": Self.post]))
        #expect(pass.status == 1, "\(pass)")
        let message = pass.finished("a")["message"].string ?? ""
        #expect(message.contains("cannot run programs of the image's platform"), "\(pass)")
        #expect(message.contains("qemu-user-static"))
    }
}
