// SPDX-License-Identifier: Apache-2.0

/// One operation: what the router matches, what is checked before it, and what the OpenAPI document says about it.
struct Route: Sendable {
    /// Who may call an operation.
    enum Access: Hashable, Sendable {
        /// Everybody.
        case open
        /// Whose token has the scope.
        case scope(Scope)
    }

    /// A parameter of the query.
    struct Parameter: Sendable {
        var name: String
        var summary: String
        var schema: JSONNode
    }

    /// What an answer holds.
    struct Answer: Sendable {
        var summary: String
        var type = "application/json"
        var schema: JSONNode
    }

    /// `GET` or `POST`.
    var method: String
    /// The path; `{name}` stands for one segment.
    var path: String
    /// The name of the operation.
    var id: String
    /// What it does, for people.
    var summary: String
    var access: Access = .scope(.read)
    var parameters: [Parameter] = []
    /// The schema of the body, which may always be left out; nil where none is taken.
    var body: JSONNode?
    /// The status of a good answer.
    var status = 200
    /// What a good answer holds; the first type is what is given where the client asks for nothing else.
    var answers: [Answer]
    /// The errors that it can answer with, beside those that any operation can.
    var errors: [Int] = []
    var handler: @Sendable (Call) async throws -> APIResponse

    /// The segments of the path.
    var segments: [Substring] { path.split(separator: "/", omittingEmptySubsequences: false) }

    /// The names of the segments that stand for something.
    var segmentNames: [String] { segments.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) } }

    /// The values of the named segments where a path is this route's; nil where it is not.
    func match(_ parts: [Substring]) -> [String: String]? {
        let own = segments
        guard parts.count == own.count else { return nil }
        var values: [String: String] = [:]
        for (segment, part) in zip(own, parts) {
            if segment.hasPrefix("{") {
                guard !part.isEmpty else { return nil }
                values[String(segment.dropFirst().dropLast())] = String(part)
            } else if segment != part {
                return nil
            }
        }
        return values
    }
}

/// One request on its way into a handler.
struct Call: Sendable {
    var request: APIRequest
    /// The decoded segments of the path, by name.
    var segments: [String: String]
    /// The query's parameters, each of which the route knows.
    var parameters: [String: String]
}

/// All operations, and how a request finds its own.
struct RouteTable: Sendable {
    var routes: [Route]
    var tokens: TokenTable

    /// The answer to a request whose body is not read yet: which call it becomes, and of what route.
    ///
    /// Who asks is checked before anything else is said about the path, so that nobody learns from outside what there is.
    ///
    /// - Throws: `APIError`.
    func resolve(_ request: APIRequest) throws(APIError) -> (route: Route, call: Call) {
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false)
        let matches = routes.compactMap { route in route.match(parts).map { (route: route, values: $0) } }
        let method = request.method == "HEAD" ? "GET" : request.method
        let found = matches.first { $0.route.method == method }
        var request = request
        if found?.route.access != .open {
            request.principal = tokens.principal(authorization: request.headers["authorization"])
            guard request.principal != nil else {
                throw APIError(
                    401, "unauthorized", "a bearer token is needed: 'Authorization: Bearer varve_…'",
                    headers: ["www-authenticate": "Bearer realm=\"varve\""])
            }
        }
        guard let found else {
            guard !matches.isEmpty else { throw APIError(404, "not-found", "there is nothing at this path") }
            let methods = Set(matches.map(\.route.method)).sorted()
            throw APIError(
                405, "method-not-allowed", "this path takes \(methods.joined(separator: " and ")) alone",
                headers: ["allow": methods.flatMap { $0 == "GET" ? ["GET", "HEAD"] : [$0] }.joined(separator: ", ")])
        }
        if case .scope(let scope) = found.route.access, request.principal?.scopes.contains(scope) != true {
            throw APIError(403, "forbidden", "the token does not have the scope '\(scope.rawValue)'")
        }
        return (
            found.route,
            Call(
                request: request, segments: try decoded(found.values),
                parameters: try parameters(of: request, for: found.route))
        )
    }

    private func decoded(_ values: [String: String]) throws(APIError) -> [String: String] {
        var result: [String: String] = [:]
        for (name, value) in values {
            guard let text = PercentCoding.decoded(value[...]) else {
                throw APIError(400, "invalid-path", "the path has a '%' that encodes nothing")
            }
            result[name] = text
        }
        return result
    }

    private func parameters(of request: APIRequest, for route: Route) throws(APIError) -> [String: String] {
        var result: [String: String] = [:]
        for parameter in request.query {
            let name = Quoted.text(parameter.name)
            guard route.parameters.contains(where: { $0.name == parameter.name }) else {
                let known = route.parameters.map(\.name).joined(separator: ", ")
                throw APIError(
                    400, "unknown-parameter",
                    "unknown parameter \(name); " + (known.isEmpty ? "none is taken here" : "expected \(known)"))
            }
            guard result.updateValue(parameter.value, forKey: parameter.name) == nil else {
                throw APIError(400, "invalid-parameter", "the parameter \(name) is given twice")
            }
        }
        return result
    }
}
