// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

/// What is as defined is left alone, wherever the definition's commit went.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct SecondPassTests {
    private static let post = ["postBuild": "#!/bin/sh\necho one >/word\n"]

    @Test
    func secondPassExecutesNothingWritesNothingAndSucceeds() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let first = try await fleet.pass(
            Fleet.image("a", base: base, files: Self.post) + Fleet.image("b", base: "a", files: Self.post))
        try #require(first.status == 0, "\(first)")
        #expect(first.executed == ["postBuild", "postBuild"])
        let (refs, published) = try await (fleet.varveRefs(), fleet.published())
        #expect(!refs.isEmpty)
        let second = try await fleet.pass()
        #expect(second.status == 0, "\(second)")
        #expect(second.executed.isEmpty && second.committed.isEmpty, "\(second)")
        #expect(second.summary["unchanged"].int == 2)
        #expect(try await fleet.varveRefs() == refs)
        #expect(try await fleet.published() == published)
        let plan = try await fleet.varve.run("plan", "--format", "json")
        #expect(plan.status == 0, "\(plan)")
    }

    @Test
    func sharedLayersAreBuiltOnce() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let more = "env: {WORD: two}\n"
        let first = try await fleet.pass(
            Fleet.image("a", base: base, files: Self.post) + Fleet.image("b", base: base, more: more, files: Self.post))
        #expect(first.status == 0, "\(first)")
        #expect(first.executed == ["postBuild"], "\(first)")
    }

    @Test
    func amendAndForcePushRebuildNothing() async throws {
        var fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let remote = fleet.directory.path("fleet.git")
        let bare = try await GitCommandLine.initialize(remote, bare: true)
        fleet.varve.repository = "file://" + remote
        try await fleet.git("remote", "add", "origin", remote)
        try await fleet.git.commit(Fleet.image("a", base: base, files: Self.post))
        try await fleet.git("push", "--quiet", "origin", "main")
        let first = try await fleet.pass()
        try #require(first.status == 0, "\(first)")
        let old = try await fleet.git.head()

        try await fleet.git.amend(message: "Better words")
        try await fleet.git("push", "--quiet", "--force", "origin", "main")
        let second = try await fleet.pass()
        #expect(second.status == 0, "\(second)")
        #expect(second.executed.isEmpty && second.committed.isEmpty, "\(second)")
        let head = try await fleet.git.head()
        #expect(head != old)
        let note = try await bare.note("varve/log", on: head.hex)
        #expect(note?.contains("a adopted") == true, "\(note ?? "no note")")
        let refs = try await bare("for-each-ref", "refs/notes/varve")
        let third = try await fleet.pass()
        #expect(third.executed.isEmpty)
        #expect(try await bare("for-each-ref", "refs/notes/varve") == refs)
    }

    @Test
    func logNoteStandsOnTheCommitThatGitLogNames() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let git = fleet.git
        try await git.commit(Fleet.image("a", base: base, files: Self.post), date: "2026-01-01T00:00:00Z")
        try await git.branch("side")
        let side = try await git.commit(
            ["images/a/postBuild": "#!/bin/sh\necho side >/word\n"], date: "2026-01-02T00:00:00Z")
        try await git.checkout("main")
        try await git.commit(["unrelated": "text\n"], date: "2026-01-03T00:00:00Z")
        try await git.merge(["side"], date: "2026-01-04T00:00:00Z")
        let named = try #require(try await git.lastCommit(touching: ["images/a"]))
        #expect(named == side)
        let outcome = try await fleet.pass()
        try #require(outcome.status == 0, "\(outcome)")
        let note = try await git.note("varve/log", on: named.hex)
        #expect(note?.contains(" a built in ") == true, "\(note ?? "no note")")
        let log = try await git("log", "--notes=varve/log", "--", "images/a")
        #expect(log.contains(" a built in "))
        #expect(log.contains("never built"))
        let record = try #require(try await fleet.history("a").first)
        #expect(record["commit"].string == named.hex)
    }

    @Test
    func historyIsReadFromAFreshCloneWithoutAStateDirectory() async throws {
        var fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let remote = fleet.directory.path("fleet.git")
        _ = try await GitCommandLine.initialize(remote, bare: true)
        try await fleet.git("remote", "add", "origin", remote)
        fleet.varve.repository = "file://" + remote
        for word in ["one", "two", "three"] {
            let files = Fleet.image("a", base: base, files: ["postBuild": "#!/bin/sh\necho \(word) >/word\n"])
            try await fleet.git.commit(files)
            try await fleet.git("push", "--quiet", "origin", "main")
            let outcome = try await fleet.pass()
            #expect(outcome.status == 0, "\(outcome)")
        }
        let clone = fleet.directory.path("clone")
        _ = try await GitCommandLine.clone(remote, to: clone)
        let reader = VarveProcess(repository: clone, state: fleet.directory.path("no-state"), registry: fleet.prefix)
        let result = try await reader.run("history", "a", "--format", "json")
        let records = try JSONValue(parsing: result.stdout).array
        #expect(records.count == 3, "\(result)")
        let text = try await reader.run("history", "a")
        #expect(text.stdout.contains("built"))
        let status = try await reader.run("status", "--format", "json")
        #expect(try JSONValue(parsing: status.stdout)[0]["status"].string == "built", "\(status)")
    }
}
