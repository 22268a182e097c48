// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
public import Hummingbird
import NIOCore
public import VarveDefinition

/// `POST /webhooks/NAME`: rings the loops that an event may concern.
///
/// A request is refused before its body is looked at, and a body that the secret does not sign before it is parsed. What
/// a payload says chooses which loops look; what they find there is theirs to read.
public struct WebhookRoutes: Sendable {
    /// What became of a request.
    public enum Outcome: String, CaseIterable, Hashable, Sendable {
        /// Loops were rung, where any follows the branch.
        case accepted
        /// An event that says nothing about definitions or bases.
        case ignored
        /// The sender tried out the way.
        case ping
        /// The sender does not know the secret.
        case refused
        /// The body is too large.
        case oversized = "too-large"
    }

    /// The largest body that is read.
    public static let bodyLimit = 1 << 20

    private let hooks: [String: Webhook]
    private let targets: [WebhookTarget]
    private let observe: @Sendable (WebhookSettings.Kind, Outcome) -> Void

    /// Routes for webhooks; `observe` is told of each request, for metrics.
    public init(
        _ hooks: [Webhook], targets: [WebhookTarget],
        observe: @escaping @Sendable (WebhookSettings.Kind, Outcome) -> Void = { _, _ in }
    ) {
        self.hooks = Dictionary(hooks.map { ($0.settings.name, $0) }) { first, _ in first }
        self.targets = targets
        self.observe = observe
    }

    /// What a request is answered.
    public struct Answer: Hashable, Sendable {
        /// The status code.
        public var status: Int
        /// The text for people, of the type `text/plain`.
        public var text: String
    }

    /// Adds the routes; they need no token of the API.
    public func addRoutes<Context: RequestContext>(to router: some RouterMethods<Context>) {
        router.post("webhooks/:name") { request, context in
            var headers: [String: String] = [:]
            for field in request.headers {
                let name = field.name.canonicalName
                headers[name] = headers[name].map { $0 + ", " + field.value } ?? field.value
            }
            let answer = try await answer(name: context.parameters.get("name") ?? "", headers: headers) {
                try await Self.body(of: request)
            }
            return Response(
                status: .init(code: answer.status), headers: [.contentType: "text/plain; charset=utf-8"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: answer.text)))
        }
    }

    private static func body(of request: Request) async throws -> [UInt8]? {
        if let length = request.headers[.contentLength].flatMap(Int.init), length > bodyLimit { return nil }
        var body: [UInt8] = []
        for try await part in request.body {
            guard body.count + part.readableBytes <= bodyLimit else { return nil }
            body += part.readableBytesView
        }
        return body
    }

    /// Takes a request.
    ///
    /// - Parameters:
    ///   - name: the last part of the path.
    ///   - headers: the headers by their names in lower case.
    ///   - body: reads the body; nil where it has more than `bodyLimit`.
    public func answer(
        name: String, headers: [String: String], body: () async throws -> [UInt8]?
    ) async rethrows -> Answer {
        guard let hook = hooks[name] else { return Answer(status: 404, text: "there is no such webhook\n") }
        let outcome = try await outcome(hook, headers, body)
        observe(hook.settings.kind, outcome)
        return switch outcome {
        case .accepted, .ignored: Answer(status: 202, text: outcome.rawValue + "\n")
        case .ping: Answer(status: 200, text: "ok\n")
        case .refused: Answer(status: 401, text: "the signature or the token is missing or wrong\n")
        case .oversized: Answer(status: 413, text: "the body has more than \(Self.bodyLimit) bytes\n")
        }
    }

    private func outcome(
        _ hook: Webhook, _ headers: [String: String], _ read: () async throws -> [UInt8]?
    ) async rethrows -> Outcome {
        let proof = hook.proof(in: headers)
        if case .none = proof { return .refused }
        guard let body = try await read(), body.count <= Self.bodyLimit else { return .oversized }
        if case .signature(let signature) = proof, !hook.secret.signs(body, as: signature) { return .refused }
        switch hook.hint(headers: headers, body: body) {
        case .ping: return .ping
        case .other: return .ignored
        case .image:
            await ring(candidates(of: hook), looksOutside: true)
            return .accepted
        case .push(let branch, let addresses):
            var candidates = candidates(of: hook)
            let named = candidates.filter { addresses.contains(WebhookHint.comparable($0.address)) }
            // A mirror, or a name that this machine does not know it by: better look once too often.
            if !named.isEmpty { candidates = named }
            await ring(candidates.filter { $0.follows(branch) }, looksOutside: false)
            return .accepted
        }
    }

    private func candidates(of hook: Webhook) -> [WebhookTarget] {
        guard let repository = hook.settings.repository else { return targets }
        return targets.filter { $0.address == repository }
    }

    private func ring(_ targets: [WebhookTarget], looksOutside: Bool) async {
        await withDiscardingTaskGroup { group in
            for target in targets { group.addTask { await target.note(looksOutside: looksOutside) } }
        }
    }
}

extension WebhookRoutes: WebhookResponder {
    /// Answers a request whose body was read already.
    public func respond(to request: APIRequest) async -> APIResponse {
        let name = request.path.split(separator: "/").last.map(String.init) ?? ""
        let answer = await answer(name: name, headers: request.headers) { request.body }
        return APIResponse(status: answer.status, type: "text/plain; charset=utf-8", text: answer.text)
    }
}
