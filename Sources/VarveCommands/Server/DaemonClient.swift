// SPDX-License-Identifier: Apache-2.0

import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOSSL
import VarveModel

/// Speaks to a daemon's HTTP API.
///
/// Redirects are not followed, so the token goes to the one host that was named. Everything that a daemon answers is
/// bounded, and made safe for a terminal where it is shown.
struct DaemonClient: Sendable {
    /// The most that an answer, and a message of failure, can have.
    private static let (answerLimit, errorLimit) = (64 << 20, 64 << 10)
    /// How long an answer can take; a daemon may have to look up bases before it answers.
    private static let patience = TimeAmount.seconds(120)

    private let address: DaemonAddress
    private let token: String?
    private let repository: String?
    private let client: HTTPClient

    init(_ address: DaemonAddress, token: String?, repository: String?) throws {
        self.address = address
        self.token = token
        self.repository = repository
        var tls = TLSConfiguration.makeClientConfiguration()
        if let file = GlobalOptions.environment("SSL_CERT_FILE") { tls.trustRoots = .file(file) }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, redirectConfiguration: .disallow)
        // A followed log has a comment now and then, where nothing is written; see the API.
        configuration.timeout = .init(connect: .seconds(10), read: Self.patience)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        if address.isInTheClear, token != nil {
            Output.note("warning: the token goes to \(address) without TLS")
        }
    }

    func close() async throws { try await client.shutdown() }

    // MARK: Asking

    /// The JSON of an answer.
    func json(_ path: [String], _ query: [(String, String)] = []) async throws -> [UInt8] {
        try await answer(request(path, query))
    }

    /// The value that the JSON of an answer is.
    func value<Value: Decodable>(
        _ type: Value.Type, _ path: [String], _ query: [(String, String)] = []
    ) async throws -> Value {
        try Self.decode(type, try await json(path, query))
    }

    /// What some JSON of a daemon is.
    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw CommandError("the daemon's answer is not understood; is it another version?")
        }
    }

    /// Has the daemon do something.
    @discardableResult
    func post(_ path: [String], _ body: some Encodable) async throws -> [UInt8] {
        var request = request(path, [])
        request.method = .POST
        request.headers.replaceOrAdd(name: "content-type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: try Output.jsonText(body, pretty: false)))
        return try await answer(request)
    }

    /// The text of an answer, piece by piece.
    func text(_ path: [String], _ take: (ArraySlice<UInt8>) -> Void) async throws {
        var request = request(path, [])
        request.headers.replaceOrAdd(name: "accept", value: "text/plain")
        let response = try await send(request, deadline: .hours(1))
        try await reading {
            for try await buffer in response.body { take(Array(buffer.readableBytesView)[...]) }
        }
    }

    /// The events of an answer, until it ends.
    ///
    /// - Parameter take: gets the name and the data of each; `false` ends the reading.
    func events(_ path: [String], _ take: (ServerEvents.Event) -> Bool) async throws {
        var request = request(path, [])
        request.headers.replaceOrAdd(name: "accept", value: "text/event-stream")
        // Builds take as long as they take; silence for longer than a comment is the end of the wait.
        let response = try await send(request, deadline: .hours(24 * 30))
        var events = ServerEvents()
        try await reading {
            for try await buffer in response.body {
                for event in try events.take(buffer.readableBytesView) where !take(event) { return }
            }
            throw CommandError("the connection to \(address) ended before the build did")
        }
    }

    // MARK: Parts

    private func request(_ path: [String], _ query: [(String, String)]) -> HTTPClientRequest {
        var url = address.description + "/api/v1/" + path.map(Self.encoded).joined(separator: "/")
        let all = query + (repository.map { [("repository", $0)] } ?? [])
        if !all.isEmpty { url += "?" + all.map { Self.encoded($0) + "=" + Self.encoded($1) }.joined(separator: "&") }
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "user-agent", value: "varve")
        if let token { request.headers.add(name: "authorization", value: "Bearer " + token) }
        return request
    }

    /// RFC 3986, section 2.3: everything but unreserved characters is encoded.
    private static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let isPlain =
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-._~".utf8.contains(byte)
            if isPlain {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }

    private func answer(_ request: HTTPClientRequest) async throws -> [UInt8] {
        let response = try await send(request, deadline: Self.patience)
        return try await reading {
            Array(try await response.body.collect(upTo: Self.answerLimit).readableBytesView)
        }
    }

    private func send(_ request: HTTPClientRequest, deadline: TimeAmount) async throws -> HTTPClientResponse {
        let response = try await reading { try await client.execute(request, timeout: deadline) }
        guard !(200..<300).contains(Int(response.status.code)) else { return response }
        throw await failure(response)
    }

    /// Says an error of the connection in words, without what may be secret.
    private func reading<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as CommandError { throw error } catch let error
            as CancellationError
        { throw error } catch is NIOTooManyBytesError {
            throw CommandError("the answer of \(address) is too large")
        } catch {
            throw CommandError("failed to ask \(address): \(shown("\(error)"))")
        }
    }

    private struct Failure: Decodable {
        struct Cause: Decodable {
            var code: String
            var message: String
        }
        var error: Cause
    }

    private func failure(_ response: HTTPClientResponse) async -> CommandError {
        let status = Int(response.status.code)
        let bytes = (try? await response.body.collect(upTo: Self.errorLimit)).map { Array($0.readableBytesView) } ?? []
        let said = (try? JSONDecoder().decode(Failure.self, from: Data(bytes)))?.error.message
        let cause = said.map(shown) ?? "status \(status)"
        switch status {
        case 401:
            let hint =
                token == nil ? "give one by --token-file or VARVE_TOKEN_FILE" : "it is not one that the daemon knows"
            return CommandError("\(address) wants a token; \(hint)")
        case 403: return CommandError("\(address) does not let this token do that: \(cause)")
        case 300..<400:
            return CommandError("\(address) points elsewhere (status \(status)); give the URL that it points to")
        case 429, 503: return CommandError("\(address) cannot answer now: \(cause); try again")
        default: return CommandError("\(address): \(cause)")
        }
    }

    private func shown(_ text: String) -> String {
        let safe = redacted(text)
        return singleLine(token.map { safe.replacing($0, with: "***") } ?? safe, limit: 500)
    }
}
