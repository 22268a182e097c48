// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A proxy in front of an HTTP server of the test that misbehaves by rules, each for as many requests as it says, or by
/// chance, and that can ask for the tokens of a registry.
public struct FaultProxy: Sendable {
    /// What the proxy does to the requests that match.
    public struct Rule: Sendable, Codable {
        /// A regular expression for the whole method; nil matches all.
        public var method: String?
        /// A regular expression searched in the path; nil matches all.
        public var path: String?
        /// How many matching requests pass before the rule bites.
        public var skip: Int
        /// How many requests it bites; nil for all.
        public var count: Int?
        var status: Int?
        var headers: [String: String]?
        var body: String?
        var cut: Int?
        var side: String?

        private init(method: String?, path: String?, skip: Int, count: Int?) {
            (self.method, self.path, self.skip, self.count) = (method, path, skip, count)
        }

        /// The proxy answers by itself with a status: 401, 429, 500.
        public static func answer(
            _ status: Int, headers: [String: String] = [:], body: String = "", method: String? = nil,
            path: String? = nil, skip: Int = 0, count: Int? = 1
        ) -> Rule {
            var rule = Rule(method: method, path: path, skip: skip, count: count)
            (rule.status, rule.headers, rule.body) = (status, headers, body)
            return rule
        }

        /// The proxy closes the connection after `bytes` of the answer's body.
        public static func cutResponse(
            after bytes: Int, method: String? = nil, path: String? = nil, skip: Int = 0, count: Int? = 1
        ) -> Rule {
            var rule = Rule(method: method, path: path, skip: skip, count: count)
            (rule.cut, rule.side) = (bytes, "response")
            return rule
        }

        /// The proxy closes the connection after `bytes` of the request's body.
        public static func cutRequest(
            after bytes: Int, method: String? = nil, path: String? = nil, skip: Int = 0, count: Int? = 1
        ) -> Rule {
            var rule = Rule(method: method, path: path, skip: skip, count: count)
            (rule.cut, rule.side) = (bytes, "request")
            return rule
        }
    }

    /// One request that came through: its status is `cut` where the connection was closed.
    public struct Request: Sendable, CustomStringConvertible {
        /// The method.
        public var method: String
        /// The path with its query.
        public var path: String
        /// The status that was answered, or `cut`.
        public var status: String

        /// Method, path and status.
        public var description: String { "\(method) \(path) \(status)" }
    }

    /// The proxy's own port.
    public let port: Int

    /// `127.0.0.1:PORT`.
    public var host: String { "127.0.0.1:\(port)" }

    /// Starts a proxy in front of the server on `upstream`; it ends with the test and begins without rules.
    ///
    /// - Throws: `FixtureError` when it does not start.
    public init(in directory: TemporaryDirectory, upstream: Int) async throws {
        let process = try ChildProcess.server("python3", [Fixtures.path("programs/fault-proxy.py"), String(upstream)])
        directory.addCleanup { await process.stop() }
        guard let line = await process.lines().first(where: { _ in true }), let port = Int(line) else {
            throw FixtureError("the fault proxy did not start: \(process.errorOutput)")
        }
        self.port = port
    }

    /// Replaces the rules and forgets the requests so far.
    ///
    /// - Throws: `FixtureError` when the proxy does not answer.
    public func set(_ rules: [Rule]) throws {
        try put("rules", String(decoding: try JSONEncoder().encode(rules), as: UTF8.self))
    }

    /// From now on each request that no rule meets meets a fault with the chance `share`: 429 with `Retry-After`, 500, or a
    /// connection that is closed before, in the middle, or when all was done.
    ///
    /// - Throws: `FixtureError` when the proxy does not answer.
    public func misbehave(seed: UInt64, share: Double) throws {
        try put("chance", #"{"seed": \#(seed), "share": \#(share)}"#)
    }

    /// From now on requests below `/v2/` need a Bearer token, which `credentials`, `USER:PASSWORD`, buy, or nothing does,
    /// and which lives for so many seconds.
    ///
    /// - Throws: `FixtureError` when the proxy does not answer.
    public func requireTokens(life seconds: Int, credentials: String? = nil) throws {
        try put("tokens", #"{"life": \#(seconds), "credentials": \#(credentials.map { "\"\($0)\"" } ?? "null")}"#)
    }

    private func put(_ name: String, _ body: String) throws {
        let head = "PUT /__control/\(name) HTTP/1.0\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        guard Loopback.exchange(port: port, send: head + body)?.contains(" 200 ") == true else {
            throw FixtureError("the fault proxy did not take the \(name)")
        }
    }

    /// The requests since the rules were last set.
    ///
    /// - Throws: `FixtureError` when the proxy does not answer.
    public func requests() throws -> [Request] {
        guard let answer = Loopback.get(port: port, path: "/__control/log"),
            let start = answer.text.range(of: "\r\n\r\n")
        else { throw FixtureError("the fault proxy does not answer") }
        return try JSONValue(parsing: String(answer.text[start.upperBound...])).array.map { entry in
            let status = entry["status"]
            return Request(
                method: entry["method"].string ?? "", path: entry["path"].string ?? "",
                status: status.string ?? status.int.map(String.init) ?? ""
            )
        }
    }
}
