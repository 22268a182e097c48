// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// A base that a Containerfile of the image's folder makes.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct ContainerfileTests {
    private static func text(_ base: String) -> String {
        """
        ARG BASE=\(base)
        FROM ${BASE} AS build
        RUN cp /etc/passwd /copied && echo built >/built
        FROM \(base)
        COPY --from=build /built /built
        COPY --from=\(base) /etc/passwd /passwd
        COPY data/word /word
        RUN test ! -e /etc/hosts && mkdir -p /home/me && chown 1000 /home/me
        ENV LETTER=a
        USER 1000

        """
    }

    @Test
    func containerfileIsBuiltOnPinnedImagesAndOnlyForWhatItSees() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let yaml = "{containerfile: Containerfile}"
        let files = ["Containerfile": Self.text(base), "data/word": "one\n"]
        let first = try await fleet.pass(Fleet.image("a", base: yaml, files: files))
        try #require(first.status == 0, "\(first)")
        #expect(first.executed == ["containerfile"], "\(first)")

        let image = try await ImageRun(fleet.prefix + "/a:latest", in: fleet.directory)
        #expect(try await image.run("cat", "/built", "/word", "/passwd").stdout.hasPrefix("built\none\nroot:"))
        #expect(try await image.run("id", "-u").stdout == "1000\n")
        #expect(try await image.run("env").stdout.contains("LETTER=a\n"))
        #expect(try await !image.run("env").stdout.contains("SOURCE_DATE_EPOCH"))

        let status = try await fleet.varve.run("status", "--format", "json")
        #expect(status.stdout.contains("\"built\"") && !status.stdout.contains("pending"), "\(status)")

        let described = try await fleet.pass(Fleet.image("a", base: yaml, more: "description: other\n"))
        #expect(described.status == 0 && described.executed.isEmpty && described.committed.isEmpty, "\(described)")

        let edited = try await fleet.pass(["images/a/data/word": "two\n"])
        #expect(edited.status == 0 && edited.executed == ["containerfile"], "\(edited)")

        let moved = try await TinyImage.layout(
            on: TestBase.tiny.layout(), in: fleet.directory, named: "moved", files: ["etc/issue": "newer\n"])
        try await fleet.registry.push("oci:\(moved):latest", to: "bases/tiny:latest")
        let third = try await fleet.pass()
        #expect(third.status == 0 && third.executed == ["containerfile"], "\(third)")
        let last = try await ImageRun(fleet.prefix + "/a:latest", in: fleet.directory)
        #expect(try await last.run("cat", "/word", "/etc/issue").stdout == "two\nnewer\n")
        #expect(try await fleet.containers().isEmpty)
    }

    @Test
    func failedInstructionIsNamed() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let pass = try await fleet.pass(
            Fleet.image(
                "a", base: "{containerfile: Containerfile}", files: ["Containerfile": "FROM \(base)\nRUN exit 3\n"]))
        #expect(pass.status != 0)
        let text = "\(pass.finished("a"))"
        #expect(text.contains("RUN exit 3") && text.contains("exit status 3"), "\(text)")
    }

    @Test
    func sameInstructionsGiveTheSameImage() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let files = ["Containerfile": Self.text(base), "data/word": "one\n"]
        var digests: [String?] = []
        for name in ["a", "b"] {
            let yaml = "{containerfile: Containerfile}"
            let pass = try await fleet.pass(
                Fleet.image(name, base: yaml, files: files.merging(["other": name]) { _, own in own }))
            try #require(pass.status == 0 && pass.executed == ["containerfile"], "\(pass)")
            digests.append(try await fleet.configDigest(name))
        }
        // Another key, because of a file that no instruction takes, and the same image.
        #expect(digests[0] != nil && digests[0] == digests[1])
    }
}
