// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import VarveModel

/// Turns requests of the wire into calls, and answers into responses of the wire.
struct APIResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let table: RouteTable
    let webhooks: (any WebhookResponder)?
    let bodyLimit: Int

    func respond(to request: Request, context: Context) async throws -> Response {
        let answer: APIResponse
        do {
            answer = try await self.answer(to: request)
        } catch let error as APIError {
            answer = .failure(error)
        }
        let response = response(answer)
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// - Throws: `APIError`, or the error of a connection that broke while the request was read.
    private func answer(to request: Request) async throws -> APIResponse {
        var headers: [String: String] = [:]
        for field in request.headers {
            let name = field.name.canonicalName
            headers[name] = headers[name].map { $0 + ", " + field.value } ?? field.value
        }
        let target = (request.head.path ?? "/").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var read = APIRequest(
            method: request.method.rawValue, path: String(target.first ?? "/"), headers: headers)
        if let webhooks, read.method == "POST", read.path.hasPrefix("/webhooks/") {
            read.query = try PercentCoding.parameters(target.count > 1 ? target[1] : "")
            if let refusal = await webhooks.refusal(of: read) { return refusal }
            read.body = try await body(of: request)
            return await webhooks.respond(to: read)
        }
        // Who asks is known before anything is said about the query.
        let parsed = Result { () throws(APIError) in try PercentCoding.parameters(target.count > 1 ? target[1] : "") }
        if case .success(let parameters) = parsed { read.query = parameters }
        var (route, call) = try table.resolve(read)
        _ = try parsed.get()
        if route.body != nil { call.request.body = try await body(of: request) }
        do {
            return try await route.handler(call)
        } catch let error as APIError {
            throw error
        } catch is CancellationError {
            throw APIError(503, "stopping", "the daemon is being stopped")
        } catch {
            throw APIError(500, "internal", singleLine(redacted("\(error)"), limit: 500))
        }
    }

    private func body(of request: Request) async throws -> [UInt8] {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > bodyLimit { throw tooLarge }
        do {
            return Array(buffer: try await request.body.collect(upTo: bodyLimit))
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
    }

    private var tooLarge: APIError { APIError(413, "too-large", "the body has more than \(bodyLimit) bytes") }

    private func response(_ answer: APIResponse) -> Response {
        var fields = HTTPFields()
        for (name, value) in answer.headers {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        if let name = HTTPField.Name("x-content-type-options") { fields[name] = "nosniff" }
        if fields[.cacheControl] == nil { fields[.cacheControl] = "no-store" }
        return Response(status: .init(code: answer.status), headers: fields, body: body(of: answer))
    }

    private func body(of answer: APIResponse) -> ResponseBody {
        switch answer.content {
        case .bytes(let bytes): return ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .file(let file, let size):
            return ResponseBody(contentLength: size) { writer in
                var offset = 0
                while offset < size {
                    let bytes = file.read(at: offset, upTo: min(65_536, size - offset))
                    // A file that became shorter: the connection is cut, so that nobody takes this for the whole.
                    guard !bytes.isEmpty else { throw CancellationError() }
                    try await writer.write(ByteBuffer(bytes: bytes))
                    offset += bytes.count
                }
                try await writer.finish(nil)
            }
        case .followedLog(let log):
            return ResponseBody { writer in
                var events = log.tail.events(from: log.start)
                while let text = await events.next() { try await writer.write(ByteBuffer(string: text)) }
                // A log that was cut short has no proper end, so that nobody takes it for the whole.
                guard events.isComplete else { throw CancellationError() }
                try await writer.finish(nil)
            }
        }
    }
}
