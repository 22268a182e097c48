// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveReconcile
import VarveServer
import VarveTestSupport

/// Clients that do not hold up the server, which is in the same process.
extension HTTPClient {
    fileprivate func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil
    ) async throws -> HTTPAnswer {
        try await blocking { [self] in try answer(to: request(method, path, headers: headers, body: body)) }
    }
    fileprivate func get(_ path: String) async throws -> HTTPAnswer { try await send("GET", path) }
    fileprivate func post(_ path: String, _ body: String) async throws -> HTTPAnswer {
        try await send("POST", path, headers: ["content-type": "application/json"], body: body)
    }
}

/// The server on a loopback port: what a client may take of time and room.
@Suite(.temporaryDirectory, .timeLimit(.minutes(2)))
struct HTTPServiceTests {
    /// Answers with what it was given.
    private struct Echo: WebhookResponder {
        func refusal(of request: APIRequest) -> APIResponse? {
            guard request.path == "/webhooks/none" else { return nil }
            return APIResponse(status: 404, type: "text/plain", text: "none")
        }

        func respond(to request: APIRequest) async -> APIResponse {
            let body = String(decoding: request.body, as: UTF8.self)
            let hub = request.headers["x-hub-signature-256"] ?? "-"
            return APIResponse(status: 202, type: "text/plain", text: "\(request.path) \(hub) \(body)")
        }
    }

    private func withService(
        _ change: (inout HTTPSettings.Limits) -> Void = { _ in }, _ body: (HTTPClient) async throws -> Void
    ) async throws {
        let state = StateDirectory(path: try TemporaryDirectory.required().path, repository: "/repository")
        try state.prepare()
        let now = { @Sendable in Timestamp(seconds: 1_795_432_508) }
        let survey = Survey(
            source: MemoryDefinitionSource(), records: MemoryRecordStore(), registry: FakeRegistry(),
            journal: Journal(path: state.journal), state: state, platform: try Platform("linux/amd64"))
        let repository = ServedRepository(
            name: "one", survey: survey, control: try LoopControl(state, bell: Bell(), now: now), state: state,
            interval: .seconds(60), now: now)
        let token = AccessToken()
        var tokens = TokenTable()
        let principal = Principal(user: "ada", name: "Ada", email: nil, groups: [], scopes: [.read, .act])
        let isAdded = tokens.add(sha256: token.sha256, principal)
        try #require(isAdded)
        var settings = HTTPSettings(host: "127.0.0.1", port: 0, tls: nil, tokens: tokens, areMetricsOpen: false)
        change(&settings.limits)
        let service = try HTTPService(
            settings, repositories: [repository], metrics: { String(repeating: "varve_up 1\n", count: 3_000_000) },
            webhooks: Echo())
        let (urls, continuation) = AsyncStream<String>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run { continuation.yield($0) } }
            let url = await urls.first { _ in true }
            let port = try #require(url.flatMap { Int($0.split(separator: ":").last ?? "") })
            try await body(HTTPClient(port: port, token: token.text))
            group.cancelAll()
        }
    }

    @Test
    func connectionWithoutARequestIsClosed() async throws {
        try await withService({ $0.idle = .milliseconds(200) }) { client in
            for text in ["", "GET /healthz HTTP/1.1\r\nhost: a\r\nx: "] {
                let connection = try HTTPConnection(port: client.port)
                connection.send(text)
                #expect(try await blocking { connection.isClosedByPeer() })
            }
            #expect(try await client.get("/healthz").status == 200)
        }
    }

    @Test
    func requestThatTricklesInIsClosed() async throws {
        try await withService({ $0.request = .milliseconds(300) }) { client in
            let connection = try HTTPConnection(port: client.port)
            let head = client.request("POST", "/api/v1/reconcile").replacing("\r\n\r\n", with: "\r\n")
            connection.send(head + "content-type: application/json\r\ncontent-length: 100\r\n\r\n")
            for _ in 0..<5 {
                connection.send(" ")
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(try await blocking { connection.isClosedByPeer() })
        }
    }

    @Test
    func readerThatDoesNotReadIsClosed() async throws {
        // Long enough for a reader that does read, on a machine that has much to do.
        try await withService({ $0.write = .seconds(3) }) { client in
            let connection = try HTTPConnection(port: client.port)
            connection.send(client.request("GET", "/metrics"))
            let whole = "varve_up 1\n".utf8.count * 3_000_000
            #expect(try await blocking { connection.waitsToBeRead() })
            // A reader that does not read on for longer than that: what is under test.
            try await Task.sleep(for: .seconds(5))
            #expect(try await blocking { connection.read().count } < whole)
            #expect(try await client.get("/metrics").body.utf8.count == whole)
        }
    }

    @Test
    func bodyIsBounded() async throws {
        try await withService { client in
            let most = "{\"images\": []" + String(repeating: " ", count: (1 << 20) - 14) + "}"
            #expect(try await client.post("/api/v1/reconcile", most).status == 202)
            let answer = try await client.send(
                "POST", "/api/v1/reconcile", headers: ["content-type": "application/json", "content-length": "1048577"])
            #expect(answer.status == 413, "\(answer)")
            // Without a length it is counted.
            let connection = try HTTPConnection(port: client.port)
            let head = client.request("POST", "/webhooks/a").replacing("\r\n\r\n", with: "\r\n")
            connection.send(head + "transfer-encoding: chunked\r\n\r\n")
            let counted = try await blocking {
                for _ in 0..<33 { connection.send("8000\r\n" + String(repeating: "x", count: 32_768) + "\r\n") }
                connection.send("0\r\n\r\n")
                return String(decoding: connection.read(), as: UTF8.self)
            }
            #expect(counted.hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test
    func webhooksTakeNoBearerTokenAndOnlyPost() async throws {
        try await withService { client in
            let stranger = HTTPClient(port: client.port)
            let answer = try await stranger.send(
                "POST", "/webhooks/github?a=b", headers: ["X-Hub-Signature-256": "sha256=0"], body: "{}")
            #expect(answer.status == 202 && answer.body == "/webhooks/github sha256=0 {}")
            // Whose body is not wanted need not send it.
            let refused = try await stranger.send("POST", "/webhooks/none", headers: ["content-length": "1000"])
            #expect(refused.status == 404 && refused.body == "none")
            #expect(try await stranger.get("/webhooks/github").status == 401)
            #expect(try await client.get("/webhooks/github").status == 404)
        }
    }

    @Test
    func headIsAGetWithoutABody() async throws {
        try await withService { client in
            let answer = try await client.send("HEAD", "/api/v1/images")
            #expect(answer.status == 200 && answer.body.isEmpty && answer.headers["content-length"] == "3")
        }
    }

    @Test(arguments: [
        "GET nothing\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "POST / HTTP/1.1\r\n\r\n",
    ])
    func whatIsNoRequestIsAnsweredOrClosed(_ text: String) async throws {
        try await withService({ $0.idle = .milliseconds(200) }) { client in
            let connection = try HTTPConnection(port: client.port)
            connection.send(text)
            #expect(try await blocking { connection.isClosedByPeer() })
            #expect(try await client.get("/healthz").status == 200)
        }
    }

    @Test
    func furtherConnectionsWaitForOneToEnd() async throws {
        try await withService({
            $0.connections = 16
            $0.idle = .milliseconds(500)
        }) { client in
            let idle = try (0..<40).map { _ in try HTTPConnection(port: client.port) }
            #expect(try await client.get("/healthz").status == 200)
            #expect(try await blocking { idle.allSatisfy { $0.isClosedByPeer() } })
        }
    }

    @Test
    func endsInGoodOrderWhileConnectionsAreComing() async throws {
        for _ in 0..<20 {
            try await withService { client in
                // They are still being accepted when the server is told to end; one of them asks for something.
                let connections = try (0..<50).map { _ in try HTTPConnection(port: client.port) }
                connections[0].send(client.request("GET", "/healthz"))
            }
        }
    }

    @Test
    func portThatIsTakenIsSaid() async throws {
        try await withService { client in
            let settings = HTTPSettings(
                host: "127.0.0.1", port: client.port, tls: nil, tokens: TokenTable(), areMetricsOpen: false)
            let second = try HTTPService(settings, repositories: [], metrics: { "" })
            await #expect {
                try await second.run { _ in }
            } throws: {
                "\($0)".contains("failed to listen on '127.0.0.1:\(client.port)'")
            }
        }
    }

    /// The certificate that a server shows.
    private static func shown(_ port: Int) async throws -> String {
        let program = "import ssl, sys; print(ssl.get_server_certificate(('127.0.0.1', int(sys.argv[1])), timeout=30))"
        return try await Command.run("python3", ["-c", program, String(port)]).trimmed
    }

    @Test
    func renewedCertificateIsShownWithoutARestart() async throws {
        let directory = try TemporaryDirectory.required()
        let (first, second) = (
            try await TestCertificate(in: directory, named: "first"),
            try await TestCertificate(in: directory, named: "second")
        )
        let texts = try [first, second].map { made in
            try String(contentsOfFile: made.certificate, encoding: .utf8).trimmingCharacters(
                in: .whitespacesAndNewlines)
        }
        var settings = HTTPSettings(
            host: "127.0.0.1", port: 0, tls: .init(certificate: first.certificate, key: first.key),
            tokens: TokenTable(), areMetricsOpen: false)
        settings.renewal = .milliseconds(20)
        let service = try HTTPService(settings, repositories: [], metrics: { "" })
        let (urls, listening) = AsyncStream<String>.makeStream()
        let (warnings, warned) = AsyncStream<String>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await service.run {
                    listening.yield($0)
                } warn: {
                    warned.yield($0)
                }
            }
            let url = await urls.first { _ in true }
            let port = try #require(url.flatMap { Int($0.split(separator: ":").last ?? "") })
            #expect(try await Self.shown(port) == texts[0])
            // A certificate whose key is not there yet changes nothing, and is said once.
            try TemporaryDirectory.write(texts[1], to: first.certificate)
            let warning = await warnings.first { _ in true }
            #expect(warning?.contains("the one that was read before stays in use") == true, "\(warning ?? "")")
            #expect(try await Self.shown(port) == texts[0])
            try FileManager.default.removeItem(atPath: first.key)
            try FileManager.default.copyItem(atPath: second.key, toPath: first.key)
            try await Loopback.wait(for: "the renewed certificate", deadline: .seconds(30)) {
                try await Self.shown(port) == texts[1]
            }
            group.cancelAll()
        }
    }

    @Test
    func certificateOfAnotherKeyIsSaid() async throws {
        let directory = try TemporaryDirectory.required()
        let (first, second) = (
            try await TestCertificate(in: directory, named: "first"),
            try await TestCertificate(in: directory, named: "second")
        )
        let settings = HTTPSettings(
            host: "127.0.0.1", port: 0, tls: .init(certificate: first.certificate, key: second.key),
            tokens: TokenTable(), areMetricsOpen: false)
        #expect {
            try HTTPService(settings, repositories: [], metrics: { "" })
        } throws: {
            "\($0)".contains("failed to use certificate '\(first.certificate)' with key '\(second.key)'")
        }
    }

    @Test
    func certificateThatIsNotThereIsSaid() throws {
        let settings = HTTPSettings(
            host: "127.0.0.1", port: 0, tls: .init(certificate: "/nowhere.pem", key: "/nowhere.key"),
            tokens: TokenTable(), areMetricsOpen: false)
        #expect {
            try HTTPService(settings, repositories: [], metrics: { "" })
        } throws: {
            "\($0)".contains("failed to use certificate '/nowhere.pem'")
        }
    }
}
