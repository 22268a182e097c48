// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

/// The daemon's HTTP API: who may ask, what is answered, and what no client can do to the loop.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct ServerTests {
    private static func files(_ fleet: Fleet, _ image: String, _ word: String) async throws -> [String: String?] {
        Fleet.image(image, base: try await fleet.base(.tiny), files: ["postBuild": "#!/bin/sh\necho \(word) >/word\n"])
    }

    @Test
    func noRouteAnswersWithoutItsScope() async throws {
        let fleet = try await Fleet()
        let served = try await ServedDaemon(fleet)
        let document = try served.client.get("/api/v1/openapi.json").json()
        var seen: Set<String> = []
        for (path, operations) in document["paths"].members {
            for (method, operation) in operations.members {
                let target = path.replacing("{name}", with: "a").replacing("{id}", with: "0123456789ab")
                let method = method.uppercased()
                seen.insert("\(method) \(path)")
                let stranger = try served.stranger.send(method, target)
                if operation["security"].array.isEmpty {
                    #expect(["/healthz", "/readyz"].contains(path) && [200, 503].contains(stranger.status))
                    continue
                }
                #expect(stranger.status == 401 && stranger.headers["www-authenticate"] != nil, "\(method) \(path)")
                #expect(try stranger.json()["error"]["code"].string == "unauthorized")
                var unknown = served.client
                unknown.token = "varve_" + String(repeating: "a", count: 43)
                #expect(try unknown.send(method, target).status == 401, "\(method) \(path)")
                let wrong = method == "GET" ? served.actor : served.reader
                #expect(try wrong.send(method, target).status == 403, "\(method) \(path)")
                let right = try (method == "GET" ? served.reader : served.actor).send(method, target)
                #expect(![401, 403, 500].contains(right.status), "\(method) \(path): \(right)")
            }
        }
        #expect(seen.count == 18, "\(seen)")
        #expect(try served.stranger.get("/nothing").status == 401)
        #expect(try served.client.get("/nothing").status == 404)
        let other = try served.client.send("DELETE", "/api/v1/images")
        #expect(other.status == 405 && other.headers["allow"] == "GET, HEAD")
        #expect(try served.stranger.get("/healthz").json()["alive"].bool == true)
    }

    @Test
    func answersAreThoseOfTheCommandLine() async throws {
        let fleet = try await Fleet()
        try await fleet.git.commit(
            Self.files(fleet, "a", "one") + Fleet.image("b", base: "a", files: ["postBuild": "#!/bin/sh\ntrue\n"])
                + ["images/c/image.yaml": "base: nowhere\n"])
        let served = try await ServedDaemon(fleet)
        _ = try await served.daemon.event("pass-finished")
        for _ in 0..<2 {
            for (path, command) in [
                ("/api/v1/images", ["status"]), ("/api/v1/plan", ["plan"]),
                ("/api/v1/images/a/builds", ["history", "a"]),
                ("/api/v1/images/b/builds?limit=1", ["history", "b", "--limit", "1"]),
            ] {
                let answer = try served.reader.get(path)
                let result = try await Command.result(
                    VarveProcess.binary(), command + ["--format", "json"] + fleet.varve.options,
                    environment: fleet.varve.environment)
                #expect(answer.status == 200 && answer.headers["content-type"] == "application/json")
                #expect(try answer.json() == JSONValue(parsing: result.stdout), "\(path): \(answer)")
            }
            // Once more with something that is to be built and cannot: the loop looks at it in ten hours.
            if try served.reader.get("/api/v1/plan").json()["images"].array.count == 3 {
                try await fleet.git.commit(["images/d/image.yaml": "bas: nothing\n"])
                _ = try await served.daemon.event("pass-finished")
            }
        }
        let build = try #require(try await fleet.history("a").first)
        let id = try #require(build["id"].string)
        #expect(try served.reader.get("/api/v1/builds/\(id)").json() == build)
        let log = try served.reader.get("/api/v1/builds/\(id)/log")
        #expect(try await fleet.varve.run("logs", "a").stdout == log.body)
        #expect(log.headers["content-type"] == "text/plain; charset=utf-8" && log.body.contains("config: published "))
        let image = try served.reader.get("/api/v1/images/a").json()
        #expect(
            image["latest"] == build && image["status"].string == "built" && image["plan"]["action"].string == "none")
        let graph = try served.reader.get("/api/v1/graph").json()
        #expect(graph["images"].array.first { $0["name"].string == "b" }?["parent"].string == "a")
        let repositories = try served.reader.get("/api/v1/repositories").json()
        #expect(repositories[0]["ready"].bool == true && repositories[0]["lastPass"]["commit"].string != nil)
        #expect(try served.stranger.get("/readyz").json()["ready"].bool == true)
    }

    @Test
    func requestsReachTheLoop() async throws {
        let fleet = try await Fleet()
        try await fleet.git.commit(Self.files(fleet, "a", "one"))
        let served = try await ServedDaemon(fleet)
        _ = try await served.daemon.event("pass-finished")
        #expect(try served.reader.post("/api/v1/images/a/rebuild").status == 403)
        #expect(try served.client.post("/api/v1/images/a/rebuild", "{\"layer\": \"postBuild\"}").status == 202)
        var asked: [JSONValue] = []
        let built = try await served.daemon.event("image-finished") {
            $0["status"].string == "built"
        } meanwhile: {
            if $0["event"].string == "asked" { asked.append($0) }
        }
        #expect(built != nil, "\(served.daemon.process.errorOutput)")
        #expect(asked.map { $0["user"].string } == ["ada"])
        #expect(asked.map { $0["request"].string } == ["rebuild"] && asked[0]["layer"].string == "postBuild")
        _ = try await served.daemon.event("pass-finished")
        #expect(try await fleet.history("a").map { $0["trigger"].string } == ["rebuild by ada", "daemon"])

        #expect(try served.client.post("/api/v1/reconcile", "{\"images\": [\"a\"]}").status == 202)
        #expect(try await served.daemon.event("pass-planned") != nil)
        #expect(try served.client.post("/api/v1/reconcile", "{\"images\": [\"z\"]}").status == 404)
        #expect(try served.client.post("/api/v1/images/a/stop").status == 409)

        #expect(try served.client.post("/api/v1/images/a/suspend").status == 202)
        #expect(try await served.daemon.event("asked") { $0["request"].string == "suspend" }?["image"].string == "a")
        let rows = try JSONValue(parsing: try await fleet.varve.run("status", "--format", "json").stdout)
        #expect(rows[0]["status"].string == "suspended")
        #expect(try served.reader.get("/api/v1/images").json() == rows)
        #expect(try served.client.post("/api/v1/images/a/resume").status == 202)
        #expect(try served.reader.get("/api/v1/images").json()[0]["status"].string == "built")
    }

    @Test
    func stopIsPartOfTheHistory() async throws {
        let fleet = try await Fleet()
        let step = HeldStep()
        try await fleet.git.commit(
            Fleet.image("a", base: try await fleet.base(.tiny), files: ["postBuild": step.script]))
        let served = try await ServedDaemon(fleet)
        try await step.reached()
        #expect(try served.client.post("/api/v1/images/a/stop").status == 202)
        let finished = try await served.daemon.event("image-finished")
        #expect(finished?["status"].string == "error", "\(finished ?? .null)")
        _ = try await served.daemon.event("pass-finished")
        let build = try served.reader.get("/api/v1/images/a/builds").json()[0]
        #expect(build["error"]["class"].string == "cancelled" && build["error"]["message"].string == "stopped by ada")
        let log = try await fleet.git("log", "-1", "--notes=varve/log", "--format=%N", "--", "images/a")
        #expect(log.contains(" a error in ") && log.contains("; stopped by ada"), "\(log)")
    }

    @Test
    func logsAreFollowedByManyWhileTheLoopGoesOn() async throws {
        let fleet = try await Fleet()
        let step = HeldStep()
        try await fleet.git.commit(
            Fleet.image("a", base: try await fleet.base(.tiny), files: ["postBuild": step.script]))
        let served = try await ServedDaemon(fleet, more: "interval: 1s\n")
        try await step.reached()
        let id = try #require(try served.runningBuild("a"))
        let count = repetitions(50, soak: 1_000)
        let before = try served.daemon.memory()
        let request = served.reader.request(
            "GET", "/api/v1/builds/\(id)/log", headers: ["accept": "text/event-stream"])
        let streams = try (0..<count).map { _ in try HTTPConnection(port: served.port, patience: 120) }
        for stream in streams { stream.send(request) }
        for (index, stream) in streams.enumerated() {
            let text = String(decoding: stream.read { $0.contains("data: postBuild: before\n\n") }, as: UTF8.self)
            #expect(
                text.hasPrefix("HTTP/1.1 200 ") && text.contains("data: postBuild: before\n\n"), "\(index): \(text)")
        }
        let grown = try served.daemon.memory() - before
        print("\(count) followed logs: \(before) kB and \(grown) kB more")
        #expect(grown < 20_000 + 100 * count)
        // Others go away in the middle, and nobody minds.
        for _ in 0..<10 {
            let gone = try HTTPConnection(port: served.port)
            gone.send(request)
            _ = gone.read { $0.contains("data: ") }
        }
        #expect(try served.client.get("/api/v1/images").json()[0]["status"].string == "building")
        #expect(try served.stranger.get("/healthz").status == 200)
        step.release()
        for (index, stream) in streams.enumerated() {
            let text = String(decoding: stream.read(), as: UTF8.self)
            #expect(text.contains("data: postBuild: after\n\n") && text.contains("event: end\n"), "\(index): \(text)")
        }
        #expect(try await served.daemon.built("a"), "\(served.daemon.process.errorOutput)")
        try await fleet.git.commit(Self.files(fleet, "b", "one"))
        #expect(try await served.daemon.built("b"), "\(served.daemon.process.errorOutput)")

        // Afterwards it is all there at once, and from any event on.
        let whole = try served.reader.get("/api/v1/builds/\(id)/log?follow=true").body
        let ids = whole.split(separator: "\n").filter { $0.hasPrefix("id: ") }.map { $0.dropFirst(4) }
        let lines = whole.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { $0.dropFirst(6) }
        let plain = try served.reader.get("/api/v1/builds/\(id)/log").body
        #expect(lines.dropLast().joined(separator: "\n") + "\n" == plain)
        let rest = try served.reader.get(
            "/api/v1/builds/\(id)/log?follow=true", headers: ["last-event-id": String(ids[1])]
        ).body
        #expect(rest.contains("data: \(lines[2])\n") && !rest.contains("data: \(lines[1])\n"))
    }

    @Test
    func daemonEndsAlthoughALogIsFollowed() async throws {
        let fleet = try await Fleet()
        let step = HeldStep()
        try await fleet.git.commit(
            Fleet.image("a", base: try await fleet.base(.tiny), files: ["postBuild": step.script]))
        let served = try await ServedDaemon(fleet)
        try await step.reached()
        let id = try #require(try served.runningBuild("a"))
        let stream = try HTTPConnection(port: served.port)
        stream.send(served.reader.request("GET", "/api/v1/builds/\(id)/log?follow=true"))
        _ = stream.read { $0.contains("before") }
        let idle = try HTTPConnection(port: served.port)
        served.daemon.process.send(SIGTERM)
        #expect(await served.daemon.process.exitStatus() == 0)
        #expect(stream.isClosedByPeer() && idle.isClosedByPeer())
    }

    @Test
    func hostileClientsAreRefusedAndTheLoopGoesOn() async throws {
        let fleet = try await Fleet()
        try await fleet.git.commit(Self.files(fleet, "a", "one"))
        let served = try await ServedDaemon(fleet)
        _ = try await served.daemon.event("pass-finished")
        // A file that a careless server would hand out.
        try TemporaryDirectory.write("secret\n", to: fleet.varve.state + "/logs/secret-0123456789ab.log")
        let id = try #require(try await fleet.history("a").first?["id"].string)
        for path in [
            "/api/v1/images/..", "/api/v1/images/%2e%2e%2f%2e%2e", "/api/v1/images/../../../../etc/passwd",
            "/api/v1/images/a%00", "/api/v1/images/..%2flogs/builds", "/../../etc/passwd", "//etc/passwd",
            "/api/v1/builds/../../logs/secret-0123456789ab.log", "/api/v1/builds/..%2fsecret-0123456789ab/log",
            "/api/v1/builds/0123456789ab/log", "/api/v1/builds/\(id)%2f..%2f../log", "/api/v1/builds/\(id)/log/../..",
            "/api/v1/builds/\(id)/log?repository=../..", "/" + String(repeating: "a/", count: 5_000),
        ] {
            let answer = try served.client.get(path)
            #expect([400, 404].contains(answer.status) && !answer.body.contains("secret\n"), "\(path): \(answer)")
        }
        #expect(try served.client.get("/" + String(repeating: "a", count: 200_000)).status == 400)
        let body = "{\"images\": [" + String(repeating: " ", count: 1 << 20) + "]}"
        #expect(try served.client.post("/api/v1/reconcile", body).status == 413)

        // Clients that never finish what they say, or never read what they asked for.
        let head = served.client.request("POST", "/api/v1/reconcile").replacing("\r\n\r\n", with: "\r\n")
        let slow = try (0..<200).map { index in
            let connection = try HTTPConnection(port: served.port)
            switch index % 4 {
            case 0: break
            case 1: connection.send("GET /api/v1/images HT")
            case 2: connection.send(head + "content-type: application/json\r\ncontent-length: 1000\r\n\r\n{")
            default: connection.send(String(repeating: served.client.request("GET", "/api/v1/graph"), count: 3))
            }
            return connection
        }
        try await fleet.git.commit(Self.files(fleet, "a", "two"))
        #expect(try served.client.post("/api/v1/reconcile").status == 202)
        #expect(try await served.daemon.built("a"), "\(served.daemon.process.errorOutput)")
        // Those that asked for much and read nothing have had their turn, or are refused theirs.
        try await Loopback.wait(for: "an answer") { try served.client.get("/api/v1/images").status == 200 }
        #expect(slow.count == 200)
    }

    @Test
    func certificateOfFilesIsServed() async throws {
        let fleet = try await Fleet()
        let made = try await TestCertificate(in: fleet.directory)
        let certificate = made.certificate
        let served = try await ServedDaemon(fleet, server: "  certificate: \(certificate)\n  key: \(made.key)\n")
        let program = """
            import ssl, sys, urllib.request
            context = ssl.create_default_context(cafile=sys.argv[1])
            request = urllib.request.Request(sys.argv[2], headers={'Authorization': 'Bearer ' + sys.argv[3]})
            print(urllib.request.urlopen(request, context=context, timeout=30).read().decode())
            """
        let url = "https://127.0.0.1:\(served.port)/api/v1/images"
        let token = try #require(served.client.token)
        let result = try await Command.run("python3", ["-c", program, certificate, url, token])
        #expect(try JSONValue(parsing: result.stdout).array.isEmpty)
        // Plain HTTP is not understood there.
        let connection = try HTTPConnection(port: served.port)
        connection.send(served.client.request("GET", "/healthz"))
        #expect(!String(decoding: connection.read(), as: UTF8.self).contains("200 OK"))
    }

    @Test
    func descriptionHoldsUnderGeneratedRequests() async throws {
        let fleet = try await Fleet()
        try await fleet.git.commit(Self.files(fleet, "a", "one"))
        let served = try await ServedDaemon(fleet)
        _ = try await served.daemon.event("pass-finished")
        let document = try fleet.directory.write(try served.reader.get("/api/v1/openapi.json").body, to: "openapi.json")
        let token = try #require(served.client.token)
        let result = try await Command.result(
            "schemathesis",
            [
                "run", document, "--url", "http://127.0.0.1:\(served.port)", "--header",
                "Authorization: Bearer \(token)",
                "--seed", "20261124", "--max-examples", String(repetitions(8, soak: 200)), "--workers", "1",
                "--checks", "all", "--no-color",
            ], in: fleet.directory.path)
        #expect(result.status == 0, "\(result)")
        #expect(try served.stranger.get("/healthz").status == 200)
    }
}
