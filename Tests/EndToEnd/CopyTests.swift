// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveTestSupport

/// Images that start from another image's configuration.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct CopyTests {
    @Test
    func copiedLayersAreSharedAndFollowTheirSource() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let script = "#!/bin/sh\ncat data/word >/word\n"
        let first = try await fleet.pass(
            Fleet.image(
                "a", base: base, more: "inputs: [data/*]\n", files: ["postBuild": script, "data/word": "one\n"])
                + ["images/b/image.yaml": "copyFrom: a\nenv: {OWN: b}\n"])
        try #require(first.status == 0, "\(first)")
        #expect(first.executed == ["postBuild"])
        #expect(try await fleet.configDigest("a") != fleet.configDigest("b"))

        // A comment in the source is nothing to its copier either.
        let comment = try await fleet.pass(
            Fleet.image("a", base: base, more: "inputs: [data/*] # all\n"), message: "Comment")
        #expect(comment.status == 0 && comment.executed.isEmpty && comment.committed.isEmpty, "\(comment)")

        let second = try await fleet.pass(["images/a/data/word": "two\n"], message: "Change the source")
        #expect(second.status == 0, "\(second)")
        #expect(second.executed == ["postBuild"])
        #expect(second.finished("b")["status"].string == "built", "\(second)")
        let note = try await fleet.git("log", "-1", "--format=%N", "--notes=varve/log")
        #expect(note.contains(" a built in ") && note.contains(" b built in "), "\(note)")
    }
}
