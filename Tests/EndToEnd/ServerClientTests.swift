// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// A server that answers as a daemon's API does, and notes what it was asked.
private struct APIStub {
    static let token = "vrv_T0kenOfTheTest"

    let port: Int
    let folder: String
    private let log: String

    init(in directory: TemporaryDirectory, certificate: String? = nil) async throws {
        folder = directory.path
        log = try directory.write("", to: "requests.jsonl")
        try directory.write(Self.token + "\n", to: "token")
        let process = try ChildProcess.server(
            "python3", [Fixtures.path("programs/api-stub.py"), log, Self.token] + (certificate.map { [$0] } ?? []))
        directory.addCleanup { await process.stop() }
        guard let line = await process.lines().first(where: { _ in true }), let port = Int(line) else {
            throw FixtureError("the API stub did not start: \(process.errorOutput)")
        }
        self.port = port
    }

    /// The requests so far: method, path and body.
    func requests() throws -> [String] {
        try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map { line in
            let entry = try JSONValue(parsing: String(line))
            #expect(entry["token"].string == "Bearer " + Self.token)
            return ["method", "path", "body"].compactMap { entry[$0].string }.joined(separator: " ")
        }
    }

    /// Runs a command that asks this server.
    func run(
        _ arguments: String..., server: String? = nil, environment: [String: String?] = [:]
    ) async throws -> CommandResult {
        var variables: [String: String?] = ["VARVE_TOKEN_FILE": folder + "/token", "VARVE_TOKEN": nil]
        for name in ["VARVE_REPO", "VARVE_STATE_DIR", "VARVE_REGISTRY", "VARVE_SERVER"] { variables[name] = .some(nil) }
        return try await Command.result(
            VarveProcess.binary(), arguments + ["--server", server ?? "http://127.0.0.1:\(port)/"], in: folder,
            environment: variables.merging(environment) { $1 })
    }
}

/// Commands that ask a daemon: what they send, what they print, and what they never say.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct ServerClientTests {
    private let directory: TemporaryDirectory
    private let daemon: APIStub

    init() async throws {
        directory = try TemporaryDirectory.required()
        daemon = try await APIStub(in: directory)
    }

    @Test
    func readingCommandsPrintWhatTheDaemonSays() async throws {
        let status = try await daemon.run("status")
        #expect(status.status == 0, "\(status)")
        #expect(
            status.lines.map { $0.replacing("\t", with: "|") } == [
                "a|built|2026-11-24T10:00:00Z|r.io/a@sha256:\(String(repeating: "ab", count: 32))|",
                #"b\u{1b}[31m|error|-|-|line one\nline two"#,
            ])
        let json = try JSONValue(parsing: try await daemon.run("status", "--format", "json").stdout)
        #expect(json[0]["new-key"].int == 1, "what this version does not know is printed too: \(json)")

        let plan = try await daemon.run("plan")
        #expect(plan.status == 2, "\(plan)")
        #expect(plan.lines.first == "a: build" && plan.lines.last == "1 of 2 images as defined", "\(plan)")
        #expect(plan.lines.contains("  reuse base abababababab") && plan.lines.contains("  wait pip"), "\(plan)")
        let one = try await daemon.run("plan", "z", "--format", "json")
        #expect(one.status == 0, "\(one)")
        #expect(try JSONValue(parsing: one.stdout)["images"].array.compactMap { $0["name"].string } == ["z"])
        let unknown = try await daemon.run("plan", "nope")
        #expect(unknown.status == 1 && unknown.stderr.contains("no image 'nope'"), "\(unknown)")

        let history = try await daemon.run("history", "a", "--limit", "3", "--repository", "main")
        #expect(history.status == 0 && history.stdout.hasPrefix("2026-11-24T10:00:00Z\tbuilt\t1"), "\(history)")
        let graph = try await daemon.run("graph")
        #expect(
            graph.lines.map { $0.replacing("\t", with: "|") } == [
                "a|built|r.io/base:1|2, 1 shared", "b|built|a|1, 1 shared", "c|pending|b|0",
            ], "\(graph)")
        let queue = try await daemon.run("queue")
        #expect(
            queue.lines.map { $0.replacing("\t", with: "|") } == [
                "a|building|2026-11-24T10:00:00Z|pip", "b|queued|2026-11-24T10:01:00Z|commit, group/x",
                "c|suspended|-|",
            ], "\(queue)")
        #expect(
            try daemon.requests() == [
                "GET /api/v1/images ", "GET /api/v1/images ", "GET /api/v1/plan ", "GET /api/v1/plan ",
                "GET /api/v1/plan ", "GET /api/v1/images/a/builds?limit=3&repository=main ", "GET /api/v1/graph ",
                "GET /api/v1/queue ",
            ])
    }

    @Test
    func logsArePrintedAndFollowedToTheirEnd() async throws {
        for arguments in [["logs", "a"], ["logs", "a", "-f"], ["logs", "a", "--build", "2026-11-24"]] {
            let log = try await Command.result(
                VarveProcess.binary(), arguments,
                environment: ["VARVE_SERVER": "http://127.0.0.1:\(daemon.port)", "VARVE_TOKEN": APIStub.token])
            #expect(log.status == 0 && log.stdout == "first\nsecond\n", "\(arguments): \(log)")
        }
        // Half a log is not taken for a whole one.
        let cut = try await daemon.run("logs", "a", "-f", "--repository", "cut")
        #expect(cut.status == 1 && cut.stdout == "first\nsecond\n", "\(cut)")
        #expect(cut.stderr.contains("ended before the build did"), "\(cut)")
        let none = try await daemon.run("logs", "a", "--build", "1999")
        #expect(none.status == 1 && none.stderr.contains("no build '1999'"), "\(none)")
    }

    @Test
    func actingCommandsAskAndDoNotWait() async throws {
        for (arguments, answer) in [
            (["rebuild", "a", "--layer", "pip"], "a will be built\n"), (["rebuild", "a"], "a will be built\n"),
            (["suspend", "a"], "a is suspended\n"), (["resume", "a"], "a is resumed\n"),
            (["reconcile", "a", "b"], "the daemon looks at everything anew; a, b go before others\n"),
            (["reconcile"], "the daemon looks at everything anew\n"),
        ] {
            let result = try await Command.result(
                VarveProcess.binary(),
                arguments + ["--server", "http://127.0.0.1:\(daemon.port)", "--token-file", directory.path("token")])
            #expect(result.status == 0 && result.stdout == answer, "\(arguments): \(result)")
        }
        let led = try await daemon.run("rebuild", "led")
        #expect(
            led.stdout
                == "led will be built once 'elsewhere' no longer leads the repository; ask that daemon to have it sooner\n",
            "\(led)")
        let stopped = try await daemon.run("stop", "a")
        #expect(stopped.status == 1 && stopped.stderr.contains("the image 'a' is not being built"), "\(stopped)")
        #expect(
            try daemon.requests() == [
                #"POST /api/v1/images/a/rebuild {"layer":"pip"}"#, "POST /api/v1/images/a/rebuild {}",
                "POST /api/v1/images/a/suspend {}", "POST /api/v1/images/a/resume {}",
                #"POST /api/v1/reconcile {"images":["a","b"]}"#, #"POST /api/v1/reconcile {"images":[]}"#,
                "POST /api/v1/images/led/rebuild {}", "POST /api/v1/images/a/stop {}",
            ])
    }

    @Test
    func mistakesAreSaidAndNoTokenIsRepeated() async throws {
        func failure(_ arguments: String..., server: String? = nil, token: String? = APIStub.token) async throws
            -> String
        {
            let result = try await Command.result(
                VarveProcess.binary(), arguments + ["--server", server ?? "http://127.0.0.1:\(daemon.port)"],
                environment: ["VARVE_TOKEN": token, "VARVE_TOKEN_FILE": nil])
            #expect(result.status != 0 && !result.stderr.contains(APIStub.token), "\(result)")
            return result.stderr
        }
        #expect(try await failure("status", token: nil).contains("wants a token; give one by --token-file"))
        #expect(try await failure("status", token: "other").contains("not one that the daemon knows"))
        #expect(try await failure("status", token: "two\nlines").contains("other than printable ASCII"))
        #expect(try await failure("history", "secret").contains("Bearer *** has no scope 'read'"))
        #expect(try await failure("history", "moved").contains("points elsewhere (status 302)"))
        #expect(try await failure("history", "broken").contains("not understood"))
        #expect(try await failure("history", "b").contains("there is no image of this name"))
        #expect(try await failure("status", server: "http://127.0.0.1:1").contains("failed to ask http://127.0.0.1:1"))
        #expect(try await failure("status", server: "ftp://h").contains("http or https URL"))
        let credentials = try await failure("status", server: "http://u:\(APIStub.token)@h")
        #expect(credentials.contains("holds credentials"), "\(credentials)")
        #expect(try await failure("status", "--repo", "/tmp").contains("exclude each other"))
        #expect(try await failure("rebuild", "a", "--layer", "pipp").contains("not a kind of layer"))
    }

    @Test
    func certificatesAreCheckedByTheFileOfTheEnvironment() async throws {
        let (certificate, withKey) = try await GitHTTPServer.makeCertificate(in: directory)
        let secure = try await APIStub(in: directory, certificate: withKey)
        let address = "https://localhost:\(secure.port)"
        let trusted = try await secure.run("queue", server: address, environment: ["SSL_CERT_FILE": certificate])
        #expect(trusted.status == 0 && trusted.stdout.contains("building"), "\(trusted)")
        let unknown = try await secure.run("queue", server: address, environment: ["SSL_CERT_FILE": nil])
        #expect(unknown.status == 1 && unknown.stderr.contains("failed to ask \(address)"), "\(unknown)")
    }

    /// What needs no daemon.
    @Test
    func graphAndSuspensionWorkOnAClone() async throws {
        let git = try await GitCommandLine.initialize(directory.path("fleet"))
        let base = "base: {bootstrap: {distribution: debian, suite: bookworm}}\n"
        try await git.commit(
            ["images/a/image.yaml": base, "images/b/image.yaml": "base: a\n"], message: "Define two")
        var varve = VarveProcess(repository: git.folder, state: directory.path("state"))
        varve.environment["VARVE_SERVER"] = .some(nil)
        let graph = try await varve.run("graph")
        #expect(graph.status == 0, "\(graph)")
        #expect(
            graph.lines.map { $0.split(separator: "\t").prefix(2).joined(separator: " ") } == [
                "a pending", "b pending",
            ])
        let json = try JSONValue(parsing: try await varve.run("graph", "--format", "json").stdout)
        #expect(json["images"][1]["parent"].string == "a", "\(json)")

        #expect(try await varve.run("suspend", "b").stdout == "b is suspended\n")
        #expect(try await varve.run("queue").stdout == "b\tsuspended\t-\t\n")
        let unknown = try await varve.run("suspend", "nope")
        #expect(unknown.status == 1 && unknown.stderr.contains("no image 'nope'"), "\(unknown)")
        #expect(try await varve.run("resume", "b").status == 0)
        #expect(try await varve.run("queue").stdout.isEmpty)
        let stop = try await varve.run("stop", "b")
        #expect(stop.status == 1 && stop.stderr.contains("give --server"), "\(stop)")
    }

    /// `rebuild` without a daemon is one pass that builds what is as defined.
    @Test
    func rebuildWithoutADaemonIsAPass() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let script = ["postBuild": "#!/bin/sh\necho one >/word\n"]
        _ = try await fleet.pass(Fleet.image("a", base: base, files: script) + Fleet.image("b", base: base))
        try fleet.shim.reset()
        let result = try await fleet.varve.run("rebuild", "a", "--format", "json")
        #expect(result.status == 0, "\(result)")
        let started = try ReconcilePass(result).events("image-started")
        #expect(started.compactMap { $0["image"].string } == ["a"], "\(started)")
        #expect(started.first?["reasons"][0]["kind"].string == "forced", "\(started)")
        #expect(try fleet.shim.executed().isEmpty)
        let layer = try await fleet.varve.run("rebuild", "a", "--layer", "postBuild", "--format", "json")
        #expect(layer.status == 0, "\(layer)")
        #expect(try fleet.shim.executed() == ["postBuild"])
    }
}
