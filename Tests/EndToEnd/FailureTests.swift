// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

/// What goes wrong is said with the image, the layer and the cause; the rest is built and the last good image stays.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct FailureTests {
    private static func post(_ word: String) -> [String: String] {
        ["postBuild": "#!/bin/sh\necho \(word) >/word\n"]
    }

    @Test
    func brokenDefinitionsAreNamedAndTheOthersAreBuilt() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let good = Fleet.image("good", base: base, files: Self.post("one"))
        let first = try await fleet.pass(
            good + Fleet.image("broken", base: base, files: Self.post("one"))
                + Fleet.image("post", base: base, files: Self.post("one"))
                + Fleet.image("checked", base: base, files: Self.post("one")))
        try #require(first.status == 0, "\(first)")
        let names = ["broken", "post", "checked"]
        var before: [String: String?] = [:]
        for name in names { before[name] = try await fleet.registry.digest(of: "fleet/\(name):latest") }

        let failing = "#!/bin/sh\necho last words of the script >&2\nexit 3\n"
        let outcome = try await fleet.pass(
            Fleet.image("good", base: base, files: Self.post("two"))
                + ["images/broken/image.yaml": "base: \(base)\nhardware: tpu\n"]
                + Fleet.image("post", base: base, files: ["postBuild": failing])
                + Fleet.image("checked", base: base, files: ["verify": failing])
                + Fleet.image("lost", base: "no-such-image")
                + Fleet.image("x", base: "y") + Fleet.image("y", base: "x")
                + Fleet.image("child", base: "post", files: Self.post("one")))
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.finished("good")["status"].string == "built", "\(outcome)")

        let post = outcome.finished("post")
        #expect(post["status"].string == "error")
        #expect(post["layer"].string == "postBuild")
        #expect(post["message"].string?.contains("3") == true, "\(post)")
        let checked = outcome.finished("checked")
        #expect(checked["status"].string == "error")
        #expect(checked["message"].string?.contains("verify") == true, "\(checked)")
        #expect(outcome.skipped("child")["status"].string == "blocked", "\(outcome)")
        #expect(outcome.skipped("child")["message"].string?.contains("post") == true, "\(outcome)")
        let invalid = outcome.pass.events("definition-invalid")
        for (name, word) in [("broken", "tpu"), ("lost", "no-such-image"), ("x", "circle"), ("y", "circle")] {
            let errors = invalid.first { $0["image"].string == name }?["errors"][0] ?? .null
            #expect(errors["file"].string == "images/\(name)/image.yaml", "\(name): \(outcome)")
            #expect(errors["message"].string?.contains(word) == true, "\(name): \(errors)")
            #expect((errors["line"].int ?? 0) > 0, "\(name): \(errors)")
        }
        for name in names {
            #expect(try await fleet.registry.digest(of: "fleet/\(name):latest") == before[name] ?? nil, "\(name)")
        }
        let record = try #require(try await fleet.history("post").first)
        #expect(record["error"]["tail"].string?.contains("last words of the script") == true)
        #expect(record["error"]["layer"].string == "postBuild")
        let status = try await fleet.varve.run("status")
        for name in names { #expect(status.stdout.contains(name), "\(status)") }

        // Mended, everything is built, and only then do the tags move.
        let mended = try await fleet.pass(
            Fleet.image("post", base: base, files: Self.post("three"))
                + Fleet.image("checked", base: base, files: Self.post("three") + ["verify": "#!/bin/sh\ntrue\n"])
                + Fleet.image("broken", base: base, files: Self.post("three"))
                + ["lost", "x", "y"].reduce(into: [:]) { $0["images/\($1)/image.yaml"] = .some(nil) })
        #expect(mended.status == 0, "\(mended)")
        for name in names {
            #expect(try await fleet.registry.digest(of: "fleet/\(name):latest") != before[name] ?? nil, "\(name)")
        }
    }

    @Test
    func aptPackageThatDoesNotExistIsNamed() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.debian)
        let outcome = try await fleet.pass(
            Fleet.image("a", base: base, files: ["apt.txt": "no-such-package-in-debian\n"])
                + Fleet.image("b", base: base, files: Self.post("one")))
        #expect(outcome.status == 1, "\(outcome)")
        let failure = outcome.finished("a")
        #expect(failure["layer"].string == "apt")
        #expect(failure["message"].string?.contains("no-such-package-in-debian") == true, "\(failure)")
        #expect(outcome.finished("b")["status"].string == "built")
        let record = try #require(try await fleet.history("a").first)
        #expect(record["error"]["class"].string == "definition", "\(record["error"])")
        let log = try await fleet.varve.run("logs", "a")
        #expect(log.stdout.contains("no-such-package-in-debian"), "\(log)")
    }

    @Test
    func baseThatIsNotInTheRegistryIsNamed() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let missing = "\(fleet.registry.host)/bases/none:latest"
        let outcome = try await fleet.pass(
            Fleet.image("a", base: missing, files: Self.post("one"))
                + Fleet.image("b", base: base, files: Self.post("one")))
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.pass.result.stdout.contains(missing), "\(outcome)")
        #expect(outcome.finished("b")["status"].string == "built")
    }

    @Test
    func fullDiskIsNamedAndRoomMendsIt() async throws {
        var fleet = try await Fleet()
        // Less than the disk has: the step itself is to meet the end of it.
        fleet.varve.environment["VARVE_DISK_RESERVE"] = "1MiB"
        let base = try await fleet.base(.tiny)
        let state = fleet.varve.state
        try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
        try await Command.run("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", state])
        fleet.directory.addCleanup {
            await Fleet.unmount(below: state)
            _ = try? await Command.run("umount", ["--lazy", state])
        }
        let script = "#!/bin/sh\ndd if=/dev/zero of=/large bs=1000000 count=100\n"
        // One after the other: what is built beside a step that fills the disk finds it full too.
        let outcome = try await fleet.pass(
            Fleet.image("large", base: base, files: ["postBuild": script])
                + Fleet.image("small", base: base, files: Self.post("one")), builders: 1)
        #expect(outcome.status == 1, "\(outcome)")
        let failure = outcome.finished("large")
        #expect(failure["layer"].string == "postBuild", "\(outcome)")
        let record = try #require(try await fleet.history("large").first)
        #expect(record["error"]["class"].string == "disk-full", "\(record["error"])")
        #expect(outcome.finished("small")["status"].string == "built", "\(outcome)")
        try await Command.run("mount", ["-o", "remount,size=600m", state])
        let second = try await fleet.pass()
        #expect(second.status == 0, "\(second)")
        #expect(second.executed == ["postBuild"])
        #expect(try await fleet.containers().isEmpty)
    }

    private struct Fault: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let rules: [FaultProxy.Rule]
        let word: String
        var failureClass = "transient"
    }

    private static let faults = [
        Fault(
            testDescription: "401", rules: [.answer(401, path: "/fleet/bad/", count: nil)], word: "bad",
            failureClass: "unauthorized"),
        Fault(
            testDescription: "429",
            rules: [.answer(429, headers: ["Retry-After": "1"], path: "/fleet/bad/", count: nil)],
            word: "bad"),
        Fault(testDescription: "500", rules: [.answer(500, path: "/fleet/bad/", count: nil)], word: "bad"),
        Fault(
            testDescription: "cut",
            rules: [.cutRequest(after: 10, method: "PATCH|PUT", path: "/fleet/bad/", count: nil)],
            word: "bad"),
    ]

    @Test(arguments: faults)
    private func registryThatMisbehavesIsNamedAndLosesNothing(fault: Fault) async throws {
        let directory = try TemporaryDirectory.required()
        var fleet = try await Fleet()
        let proxy = try await FaultProxy(in: directory, upstream: fleet.registry.port)
        fleet.varve.registry = proxy.host + "/fleet"
        fleet.varve.plainHTTP.append(proxy.host)
        let base = try await fleet.base(.tiny)
        let first = try await fleet.pass(
            Fleet.image("bad", base: base, files: Self.post("one")) + Fleet.image("good", base: base))
        try #require(first.status == 0, "\(first)")
        let before = try await fleet.registry.digest(of: "fleet/bad:latest")

        try proxy.set(fault.rules)
        let outcome = try await fleet.pass(
            Fleet.image("bad", base: base, files: Self.post("two"))
                + Fleet.image("good", base: base, files: Self.post("good")))
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.finished("good")["status"].string == "built", "\(outcome)")
        #expect(outcome.finished("bad")["status"].string == "error", "\(outcome)")
        #expect(outcome.finished("bad")["message"].string?.contains(fault.word) == true, "\(outcome)")
        let record = try #require(try await fleet.history("bad").first)
        #expect(record["error"]["class"].string == fault.failureClass, "\(record["error"])")
        #expect(try await fleet.registry.digest(of: "fleet/bad:latest") == before)

        try proxy.set([])
        let second = try await fleet.pass()
        #expect(second.status == 0, "\(second)")
        #expect(second.executed.isEmpty, "\(second)")
        #expect(try await fleet.registry.digest(of: "fleet/bad:latest") != before)
        let image = try await ImageRun(fleet.prefix + "/bad:latest", in: directory)
        #expect(try await image.run("cat", "/word").stdout == "two\n")
    }

    @Test
    func registryThatIsDownIsNamedAndPublishedToWhenItIsBack() async throws {
        let fleet = try await Fleet()
        let directory = fleet.directory
        let store = try await RegistryProcess(in: directory)
        var varve = fleet.varve
        varve.registry = store.host + "/fleet"
        varve.plainHTTP.append(store.host)
        let base = try await fleet.base(.tiny)
        await store.stop()
        try await fleet.git.commit(Fleet.image("a", base: base, files: Self.post("one")))
        let outcome = try await fleet.pass(varve)
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.finished("a")["message"].string?.contains(store.host) == true, "\(outcome)")
        try await store.start()
        let second = try await fleet.pass(varve)
        #expect(second.status == 0, "\(second)")
        #expect(second.executed.isEmpty, "\(second)")
        #expect(try await store.digest(of: "fleet/a:latest") != nil)
    }

    @Test
    func remoteThatIsAwayFailsNoBuildAndGetsTheRecordsLater() async throws {
        var fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let remote = fleet.directory.path("remotes/fleet.git")
        let bare = try await GitCommandLine.initialize(remote, bare: true)
        let server = try await GitHTTPServer(serving: fleet.directory.path("remotes"), in: fleet.directory)
        let proxy = try await FaultProxy(in: fleet.directory, upstream: server.port)
        fleet.varve.repository = "http://\(proxy.host)/fleet.git"
        try await fleet.git("remote", "add", "origin", remote)
        try await fleet.git.commit(Fleet.image("a", base: base, files: Self.post("one")))
        try await fleet.git("push", "--quiet", "origin", "main")
        try proxy.set([.answer(500, path: "git-receive-pack", count: nil)])
        let outcome = try await fleet.pass()
        #expect(outcome.finished("a")["status"].string == "built", "\(outcome)")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.summary["unsent"].int ?? 0 > 0, "\(outcome)")
        #expect(try await bare("for-each-ref", "refs/notes").isEmpty)
        #expect(try await fleet.history("a").count == 1)
        try proxy.set([])
        let second = try await fleet.pass()
        #expect(second.status == 0 && second.executed.isEmpty, "\(second)")
        let note = try await bare.note("varve/log", on: fleet.git.head().hex)
        #expect(note?.contains(" a built in ") == true, "\(note ?? "no note")")
        #expect(try await fleet.history("a").count == 1)
    }
}

extension [String: String] {
    fileprivate static func + (left: Self, right: Self) -> Self { left.merging(right) { $1 } }
}
