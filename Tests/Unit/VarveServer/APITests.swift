// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

@testable import VarveServer

/// The operations of the API, without a wire.
@Suite(.temporaryDirectory, .timeLimit(.minutes(1)))
struct APITests {
    private let rig: Rig
    private let control: LoopControl
    private let table: RouteTable
    private let token = AccessToken()
    private let reader = AccessToken()

    init() async throws {
        rig = try await Rig()
        let now = { @Sendable [clock = rig.clock] in clock.now() }
        let survey = Survey(
            source: rig.source, records: rig.store, registry: rig.registry, journal: rig.journal,
            state: rig.state, platform: try Platform("linux/amd64"))
        let (state, control) = (rig.state, try LoopControl(rig.state, bell: Bell(), now: now))
        self.control = control
        let repositories = ["one", "two"].map { name in
            ServedRepository(
                name: name, survey: survey, control: control, state: state, interval: .seconds(60),
                leader: { name == "two" ? "elsewhere" : nil }, now: now)
        }
        let api = API(
            repositories: repositories, metrics: { "varve_up 1\n" }, areMetricsOpen: false, logs: LogWatch(),
            streamLimit: 8)
        var tokens = TokenTable()
        let both = Principal(user: "ada", name: "Ada", email: nil, groups: [], scopes: [.read, .act])
        let read = Principal(user: "bob", name: "Bob", email: nil, groups: [], scopes: [.read])
        let areAdded = tokens.add(sha256: token.sha256, both) && tokens.add(sha256: reader.sha256, read)
        try #require(areAdded)
        table = RouteTable(routes: api.routes, tokens: tokens)
    }

    /// The status, the code of an error, and the body.
    private func send(
        _ method: String, _ target: String, body: String? = nil, type: String = "application/json",
        token: AccessToken? = nil
    ) async throws -> (status: Int, code: String?, body: JSONValue) {
        let parts = target.split(separator: "?", maxSplits: 1)
        var answer: APIResponse
        do {
            var request = APIRequest(method: method, path: String(parts[0]))
            request.query = try PercentCoding.parameters(parts.count > 1 ? parts[1] : "")
            request.headers = ["authorization": "Bearer \((token ?? self.token).text)", "content-type": type]
            request.body = Array((body ?? "").utf8)
            let (route, call) = try table.resolve(request)
            answer = try await route.handler(call)
        } catch let error as APIError {
            answer = .failure(error)
        }
        guard case .bytes(let bytes) = answer.content else { return (answer.status, nil, .null) }
        let text = String(decoding: bytes, as: UTF8.self)
        let json = (try? JSONValue(parsing: text)) ?? .text(text)
        return (answer.status, json["error"]["code"].string, json)
    }

    private func define(_ name: String = "a") async throws {
        _ = try await rig.source.commit(["images/\(name)/image.yaml": "base: \(Rig.debian)\n"])
    }

    // MARK: The table

    @Test
    func everyRouteIsInTheOpenAPIDocument() async throws {
        let document = try await send("GET", "/api/v1/openapi.json").body
        #expect(document["openapi"].string == "3.1.0")
        var described = 0
        for members in document["paths"].members.values { described += members.members.count }
        #expect(described == table.routes.count)
        for route in table.routes {
            let operation = document["paths"][route.path][route.method.lowercased()]
            #expect(operation["operationId"].string == route.id, "\(route.path)")
            #expect(operation["security"].array.isEmpty == (route.access == .open), "\(route.path)")
            let names = operation["parameters"].array.compactMap { $0["name"].string }
            #expect(Set(names) == Set(route.segmentNames + route.parameters.map(\.name)), "\(route.path)")
        }
        #expect(Set(table.routes.map(\.id)).count == table.routes.count)
    }

    @Test
    func onlyHealthAnswersWithoutAToken() throws {
        #expect(table.routes.filter { $0.access == .open }.map(\.path) == ["/healthz", "/readyz"])
        for route in table.routes where route.access != .open {
            let path = route.path.replacing("{name}", with: "a").replacing("{id}", with: "0123456789ab")
            #expect(throws: APIError(401, "unauthorized", "")) {
                try table.resolve(APIRequest(method: route.method, path: path))
            }
        }
        #expect(throws: APIError(401, "unauthorized", "")) {
            try table.resolve(APIRequest(method: "GET", path: "/nothing"))
        }
    }

    @Test(arguments: [
        ("GET", "/nothing", 404, "not-found"), ("GET", "/api/v1/images/", 404, "not-found"),
        ("GET", "/api/v1//images", 404, "not-found"), ("DELETE", "/api/v1/images", 405, "method-not-allowed"),
        ("GET", "/api/v1/reconcile", 405, "method-not-allowed"),
        ("GET", "/api/v1/images", 400, "repository-needed"),
        ("GET", "/api/v1/images?repository=three", 404, "no-repository"),
        ("GET", "/api/v1/images?repository=one&repository=two", 400, "invalid-parameter"),
        ("GET", "/api/v1/images?repo=one", 400, "unknown-parameter"),
        ("GET", "/api/v1/images?repository=%zz", 400, "invalid-query"),
        ("GET", "/api/v1/images/%2e%2e?repository=one", 400, "invalid-name"),
        ("GET", "/api/v1/images/..%2f..%2fetc?repository=one", 400, "invalid-name"),
        ("GET", "/api/v1/images/%ff?repository=one", 400, "invalid-path"),
        ("GET", "/api/v1/images/b?repository=one", 404, "no-image"),
        ("GET", "/api/v1/images/a/builds?repository=one", 404, "no-record"),
        ("GET", "/api/v1/images/a/builds?repository=one&limit=0", 400, "invalid-parameter"),
        ("GET", "/api/v1/images/a/builds?repository=one&limit=9999999999999999999", 400, "invalid-parameter"),
        ("GET", "/api/v1/builds/..", 400, "invalid-id"), ("GET", "/api/v1/builds/0123456789ab", 404, "no-build"),
        ("GET", "/api/v1/builds/0123456789ab/log?follow=yes", 400, "invalid-parameter"),
        ("GET", "/api/v1/plan?repository=one&bases=none", 400, "invalid-parameter"),
    ])
    func wrongRequestsAreRefused(_ method: String, _ target: String, _ status: Int, _ code: String) async throws {
        try await define()
        let answer = try await send(method, target)
        #expect(answer.status == status && answer.code == code, "\(answer)")
    }

    @Test(
        arguments: [
            ("{", "application/json", 400, "invalid-body"), ("[]", "application/json", 400, "invalid-body"),
            ("null", "application/json", 400, "invalid-body"), ("{}", "text/plain", 415, "unsupported-media-type"),
            ("{\"layers\": \"pip\"}", "application/json", 400, "invalid-body"),
            ("{\"layer\": \"pop\"}", "application/json", 400, "invalid-body"),
            ("{\"layer\": 1}", "application/json", 400, "invalid-body"),
            (String(repeating: "[", count: 100_000), "application/json", 400, "invalid-body"),
            ("{\"layer\": \"pip\"}", "application/json; charset=utf-8", 202, nil), ("", "", 202, nil),
        ] as [(String, String, Int, String?)])
    func bodiesAreChecked(_ body: String, _ type: String, _ status: Int, _ code: String?) async throws {
        try await define()
        let answer = try await send("POST", "/api/v1/images/a/rebuild?repository=one", body: body, type: type)
        #expect(answer.status == status && answer.code == code, "\(answer)")
    }

    @Test
    func readerMayNotAct() async throws {
        try await define()
        for route in table.routes where route.access == .scope(.act) {
            let path = route.path.replacing("{name}", with: "a")
            #expect(try await send("POST", path, token: reader).status == 403)
        }
        #expect(try await send("GET", "/metrics", token: reader).body.string == "varve_up 1\n")
    }

    // MARK: What is answered

    @Test
    func emptyRepositoryIsAStateLikeAnyOther() async throws {
        #expect(try await send("GET", "/api/v1/images?repository=one").body.array.isEmpty)
        #expect(try await send("GET", "/api/v1/plan?repository=one").body["images"].array.isEmpty)
        #expect(try await send("GET", "/api/v1/graph?repository=one").body["layers"].array.isEmpty)
        #expect(try await send("GET", "/readyz").status == 503)
    }

    @Test
    func daemonIsReadyWhileItsFirstPassBuilds() async throws {
        try await define()
        let (gate, control) = (Gate(), control)
        await rig.engine.onBuild { _ in await gate.wait() }
        let reconciler = try rig.reconciler { control.note($0) }
        #expect(try await send("GET", "/readyz").status == 503)
        async let result = reconciler.reconcile()
        try await settle { await !rig.engine.executions.isEmpty }
        #expect(try await send("GET", "/readyz").status == 200)
        await gate.open()
        #expect(try await result.isGood)
    }

    @Test
    func imagesShareLayersInTheGraph() async throws {
        _ = try await rig.source.commit([
            "images/a/image.yaml": "base: \(Rig.debian)\nbuild: {apt: [git]}\n",
            "images/b/image.yaml": "base: \(Rig.debian)\nbuild: {apt: [git], pip: [six]}\n",
            "images/c/image.yaml": "base: a\n",
        ])
        try await rig.reconcile()
        let graph = try await send("GET", "/api/v1/graph?repository=one").body
        let apt = graph["layers"].array.filter { $0["kind"].string == "apt" }
        #expect(apt.map { $0["images"].strings } == [["a", "b"]])
        let images = Dictionary(graph["images"].array.map { ($0["name"].string ?? "", $0) }) { $1 }
        #expect(images["c"]?["parent"].string == "a" && images["a"]?["base"].string == Rig.debian)
    }

    @Test
    func suspendedImageSaysSoAndIsResumed() async throws {
        try await define()
        #expect(try await send("POST", "/api/v1/images/a/suspend?repository=one").status == 202)
        #expect(control.snapshot.suspended.map(\.value) == ["a"])
        #expect(try rig.state.suspendedImages().map(\.value) == ["a"])
        let image = try await send("GET", "/api/v1/images/a?repository=one").body
        #expect(image["status"].string == "suspended" && image["plan"]["action"].string == "none")
        let plan = "/api/v1/plan?repository=one"
        #expect(try await send("GET", plan).body["images"].array.map { $0["status"].string } == ["suspended"])
        #expect(try await send("POST", "/api/v1/images/a/resume?repository=one").status == 202)
        #expect(try await send("GET", plan).body["images"].array.map { $0["status"].string } == ["pending"])
        #expect(control.snapshot.suspended.isEmpty)
        #expect(try await send("POST", "/api/v1/images/b/suspend?repository=one").code == "no-image")
        #expect(try await send("POST", "/api/v1/images/a/stop?repository=one").code == "not-building")
        // Another daemon leads there.
        #expect(try await send("POST", "/api/v1/images/a/rebuild?repository=one").body["leader"] == .null)
        let rebuild = try await send("POST", "/api/v1/images/a/rebuild?repository=two")
        #expect(rebuild.status == 202 && rebuild.body["leader"].string == "elsewhere")
        for (verb, isSuspended) in [("suspend", true), ("resume", false)] {
            #expect(try await send("POST", "/api/v1/images/a/\(verb)?repository=one").body["leader"] == .null)
            let answer = try await send("POST", "/api/v1/images/a/\(verb)?repository=two")
            #expect(answer.status == 202 && answer.body["leader"].string == "elsewhere", "\(verb)")
            #expect(answer.body["suspended"].bool == isSuspended)
        }
        let stop = try await send("POST", "/api/v1/images/a/stop?repository=two")
        #expect(stop.body["error"]["message"].string?.contains("'elsewhere' leads the repository") == true)
    }

    @Test
    func buildAndItsLogAreFoundByIdWhileItRunsAndAfterwards() async throws {
        try await define()
        let during = Gate()
        await rig.engine.onBuild { _ in await during.open() }
        let control = control
        let reconciler = try rig.reconciler { control.note($0) }
        _ = try await reconciler.reconcile()
        let record = try #require(await rig.store.records().records.last)
        #expect(try await send("GET", "/api/v1/builds/\(record.id)").body["id"].string == record.id)
        #expect(try await send("GET", "/api/v1/builds/\(record.id.prefix(12))").status == 200)
        let builds = try await send("GET", "/api/v1/images/a/builds?repository=one").body.array
        #expect(builds.map { $0["id"].string } == [record.id])

        let log = "\(rig.state.logs(of: record.image))/2026-11-24T00:00:00Z-ffffffffffff.log"
        control.note(.imageStarted(record.image, reasons: [], log: log))
        let running = try await send("GET", "/api/v1/builds/ffffffffffff").body
        #expect(running["status"].string == "building" && running["image"].string == "a")
        #expect(try await send("GET", "/api/v1/builds/ffffffffffff/log").code == "no-log")
        let queue = try await send("GET", "/api/v1/queue?repository=one").body
        #expect(queue["running"][0]["build"].string == "ffffffffffff")
        #expect(try await send("GET", "/api/v1/images/a?repository=one").body["running"]["step"].string == "base")
    }

    @Test
    func requestsReachTheLoop() async throws {
        try await define()
        let answer = try await send("POST", "/api/v1/reconcile", body: "{\"images\": []}")
        #expect(answer.status == 202 && answer.body["repositories"].strings == ["one", "two"])
        let named = try await send("POST", "/api/v1/reconcile?repository=one", body: "{\"images\": [\"a\"]}")
        #expect(named.status == 202 && named.body["images"].strings == ["a"])
        let unknown = try await send("POST", "/api/v1/reconcile?repository=one", body: "{\"images\": [\"z\"]}")
        #expect(unknown.code == "no-image")
        let hostile = try await send("POST", "/api/v1/reconcile?repository=one", body: "{\"images\": [\"../a\"]}")
        #expect(hostile.code == "invalid-body")
    }
}
