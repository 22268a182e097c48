// SPDX-License-Identifier: Apache-2.0

/// A request, read whole: its body is bounded.
public struct APIRequest: Sendable {
    /// The method: `GET` or `POST`, or whatever else was sent.
    public var method: String
    /// The path as it was sent, without the query.
    public var path: String
    /// The query's parameters, decoded, in order.
    public var query: [Parameter]
    /// The headers by their names in lower case; values of one name are joined by a comma.
    public var headers: [String: String]
    /// The body.
    public var body: [UInt8]
    /// Who asks; nil on a route that takes no token.
    public var principal: Principal?

    /// One parameter of a query.
    public struct Parameter: Hashable, Sendable {
        /// The name.
        public var name: String
        /// The value; empty where there is none.
        public var value: String

        /// A parameter.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A request.
    public init(
        method: String, path: String, query: [Parameter] = [], headers: [String: String] = [:], body: [UInt8] = [],
        principal: Principal? = nil
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.principal = principal
    }
}

/// An answer.
public struct APIResponse: Sendable {
    enum Content: Sendable {
        case bytes([UInt8])
        /// A log as server-sent events; each write waits for the client.
        case followedLog(FollowedLog)
        /// The content of a file, up to a size.
        case file(OpenFile, size: Int)
    }

    /// A log that is sent as it grows.
    struct FollowedLog: Sendable {
        var tail: LogTail
        /// The place to begin at.
        var start: Int
    }

    /// The status code.
    public var status: Int
    /// The headers.
    public var headers: [String: String]
    var content: Content

    init(status: Int, headers: [String: String], content: Content) {
        self.status = status
        self.headers = headers
        self.content = content
    }

    /// An answer of some type.
    public init(status: Int, type: String, text: String) {
        self.init(status: status, headers: ["content-type": type], content: .bytes(Array(text.utf8)))
    }

    /// A value as JSON with sorted keys.
    ///
    /// - Throws: `EncodingError` for a number that JSON does not know.
    public static func json(_ value: some Encodable, status: Int = 200) throws -> APIResponse {
        APIResponse(
            status: status, type: "application/json", text: try SortedJSON.text(value, isPretty: false) + "\n")
    }

    /// An error: `{"error": {"code", "message"}}`.
    public static func failure(_ error: APIError) -> APIResponse {
        let body: JSONNode = ["error": ["code": .text(error.code), "message": .text(error.message)]]
        let text = (try? SortedJSON.text(body, isPretty: false)) ?? "{}"
        var response = APIResponse(status: error.status, type: "application/json", text: text + "\n")
        for (name, value) in error.headers { response.headers[name] = value }
        return response
    }
}

/// Why a request is not answered as asked.
public struct APIError: Error, Sendable {
    /// The status code.
    public var status: Int
    /// The word for programs.
    public var code: String
    /// The sentence for people; what came with the request is quoted in it, bounded and on one line.
    public var message: String
    /// Further headers.
    public var headers: [String: String] = [:]

    /// An error.
    public init(_ status: Int, _ code: String, _ message: String, headers: [String: String] = [:]) {
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers
    }
}

extension APIError: Equatable {
    /// Compares status and code; the message is wording.
    public static func == (left: APIError, right: APIError) -> Bool {
        left.status == right.status && left.code == right.code
    }
}

/// Answers `POST /webhooks/…`, the one part of the server that takes no bearer token.
///
/// It checks by itself who asks, by a signature or a secret of the hook.
public protocol WebhookResponder: Sendable {
    /// Why a request is answered without its body being read; nil where the body decides.
    func refusal(of request: APIRequest) async -> APIResponse?
    /// Answers a push event whose body was read, and is bounded; the path is whole, `/webhooks/…`.
    func respond(to request: APIRequest) async -> APIResponse
}
