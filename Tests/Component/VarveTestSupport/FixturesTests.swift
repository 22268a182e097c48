// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// The fixtures are proved first: a shim that counts nothing would let every count pass.
@Suite(.temporaryDirectory, .timeLimit(.minutes(2)))
struct FixturesTests {
    @Test
    func cleanupsRunInReverseOrder() async throws {
        let log = try TemporaryDirectory()
        let directory = try TemporaryDirectory()
        let path = log.path("order")
        for word in ["first", "second"] {
            directory.addCleanup { _ = try? await Command.run("sh", ["-c", "echo \(word) >> \(path)"]) }
        }
        await directory.tearDown()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "second\nfirst\n")
        #expect(!FileManager.default.fileExists(atPath: directory.path))
        await log.tearDown()
    }

    @Test
    func commandReportsStatusSignalAndBothOutputs() async throws {
        let result = try await Command.result("sh", ["-c", "cat; echo err >&2; exit 3"], input: "in\n")
        #expect(result.status == 3)
        #expect(result.stdout == "in\n")
        #expect(result.stderr == "err\n")
        #expect(try await Command.result("sh", ["-c", "kill -9 $$"]).status == 137)
    }

    @Test
    func linesComeWhileTheProcessRuns() async throws {
        let child = try ChildProcess("sh", ["-c", "echo one; echo two; exec sleep 60"])
        var seen: [String] = []
        for await line in child.lines() {
            seen.append(line)
            if line == "two" { break }
        }
        #expect(seen == ["one", "two"])
        #expect(child.isRunning)
        await child.killHard()
        #expect(!child.isRunning)
    }

    @Test
    func serverEndsWithTheTest() async throws {
        let server = try ChildProcess.server("sh", ["-c", "echo $$; exec sleep 600"])
        let pid = try #require(await server.lines().first { _ in true })
        await server.stop()
        #expect(!FileManager.default.fileExists(atPath: "/proc/\(pid)"))
    }

    @Test
    func equalCommitsHaveEqualIds() async throws {
        let directory = try TemporaryDirectory.required()
        let one = try await GitCommandLine.initialize(directory.path("one"))
        let two = try await GitCommandLine.initialize(directory.path("two"))
        let files = ["images/a/image.yaml": "base: b\n"]
        #expect(try await one.commit(files) == two.commit(files))
        let amended = try await one.amend(message: "Other words")
        #expect(try await one.head() == amended)
        #expect(try await amended != two.head())
    }

    @Test(arguments: [nil, "user:secret"])
    func httpServerTakesAPush(credentials: String?) async throws {
        let directory = try TemporaryDirectory.required()
        _ = try await GitCommandLine.initialize(directory.path("remotes/fleet.git"), bare: true)
        let server = try await GitHTTPServer(
            serving: directory.path("remotes"), in: directory, credentials: credentials)
        let address = credentials.map { server.address(of: "fleet.git", credentials: $0) }
        let clone = try await GitCommandLine.clone(
            address ?? server.address(of: "fleet.git"), to: directory.path("clone"))
        // Larger than git's post buffer, so that the body comes in chunks.
        let bulk = String((0..<300_000).flatMap { "\($0 &* 2_654_435_761)\n" })
        let head = try await clone.commit(["file": bulk])
        try await clone("push", "--quiet", "origin", "HEAD:main")
        #expect(try await GitCommandLine(directory.path("remotes/fleet.git")).revision("main") == head)
        if credentials != nil {
            let bare = try await clone.result(["ls-remote", server.address(of: "fleet.git")])
            #expect(bare.status != 0)
        }
    }

    @Test
    func sshServerTakesAPush() async throws {
        let directory = try TemporaryDirectory.required()
        let remote = directory.path("fleet.git")
        _ = try await GitCommandLine.initialize(remote, bare: true)
        let server = try await SSHServer(in: directory)
        let clone = try await GitCommandLine.clone(
            server.address(of: remote), to: directory.path("clone"), environment: server.environment)
        let head = try await clone.commit(["file": "text\n"])
        try await clone("push", "--quiet", "origin", "HEAD:main")
        #expect(try await GitCommandLine(remote).revision("main") == head)
    }

    @Test(arguments: ["http", "ssh"])
    func gateHoldsAPushAfterTheRefsWereRead(transport: String) async throws {
        let directory = try TemporaryDirectory.required()
        let remote = directory.path("remotes/fleet.git")
        _ = try await GitCommandLine.initialize(remote, bare: true)
        var (address, environment, gate) = ("", [String: String?](), nil as PushGate?)
        if transport == "http" {
            let server = try await GitHTTPServer(serving: directory.path("remotes"), in: directory)
            (address, gate) = (server.address(of: "fleet.git"), server.gate)
        } else {
            let server = try await SSHServer(in: directory)
            (address, environment, gate) = (server.address(of: remote), server.environment, server.gate)
        }
        let held = try #require(gate)
        var clones: [GitCommandLine] = []
        for name in ["a", "b"] {
            let clone = try await GitCommandLine.clone(
                address, to: directory.path(name), environment: environment)
            try await clone.commit([name: name])
            clones.append(clone)
        }
        try held.close()
        async let first = clones[0].result(["push", "--quiet", "origin", "HEAD:main"])
        async let second = clones[1].result(["push", "--quiet", "origin", "HEAD:main"])
        try await held.wait(for: 2, deadline: .seconds(30))
        #expect(try await GitCommandLine(remote).reference("main") == nil)
        try held.open()
        let statuses = try await [first.status, second.status]
        #expect(statuses.count { $0 == 0 } == 1)
    }

    @Test
    func registryKeepsImagesAcrossARestartAndTheProxyMisbehavesByRule() async throws {
        let directory = try TemporaryDirectory.required()
        let registry = try await RegistryProcess(in: directory)
        let layout = try await TinyImage.layout(in: directory, named: "tiny", files: ["etc/word": "hello\n"])
        try await registry.push("oci:\(layout):latest", to: "tiny:one")
        let repacked = try await TinyImage.repack(layout, in: directory, named: "repacked", index: true)
        try await registry.push("oci:\(repacked):latest", to: "tiny:two", options: ["--all"])
        #expect(try await registry.tags(of: "tiny") == ["one", "two"])
        let (one, two) = try await (registry.digest(of: "tiny:one"), registry.digest(of: "tiny:two"))
        #expect(one != two)
        #expect(try await registry.config(of: "tiny:one") == registry.config(of: "tiny:two"))
        await registry.stop()
        #expect(Loopback.get(port: registry.port, path: "/v2/") == nil)
        try await registry.start()
        #expect(try await registry.digest(of: "tiny:one") == one)

        let proxy = try await FaultProxy(in: directory, upstream: registry.port)
        try proxy.set([.answer(429, headers: ["Retry-After": "1"], path: "tags", skip: 1)])
        let statuses = (0..<3).map { _ in Loopback.get(port: proxy.port, path: "/v2/tiny/tags/list")?.status }
        #expect(statuses == [200, 429, 200])
        #expect(try proxy.requests().map(\.status) == ["200", "429", "200"])
        try proxy.set([.cutResponse(after: 10, path: "blobs", count: nil)])
        let source = "docker://\(proxy.host)/tiny:one"
        let cut = try await Command.result(
            "skopeo", ["copy", "--src-tls-verify=false", source, "dir:\(directory.path("out"))"])
        #expect(cut.status != 0)
        #expect(try proxy.requests().contains { $0.status == "cut" })
    }

    @Test
    func registryRefusesWithoutCredentials() async throws {
        let registry = try await RegistryProcess(in: .required(), credentials: "user:secret")
        #expect(Loopback.get(port: registry.port, path: "/v2/")?.status == 401)
    }

    @Test
    func shimNotesEveryArgumentAndBecomesTheTool() async throws {
        let shim = try ToolShim(in: .required())
        let odd = ["run", "a b", "quote\" back\\slash\nline"]
        let environment = ["PATH": shim.path]
        let version = try await Command.run("buildah", ["--version"], environment: environment)
        #expect(version.stdout.hasPrefix("buildah version"))
        _ = try await Command.result("buildah", odd, environment: environment)
        let calls = try shim.calls()
        #expect(calls.map(\.arguments) == [["--version"], odd])
        try shim.reset()
        #expect(try shim.calls().isEmpty)
    }
}
