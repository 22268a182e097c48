// SPDX-License-Identifier: Apache-2.0

public import VarveDefinition

/// `POST /webhooks/NAME`: rings the loops that an event may concern.
///
/// A body that the secret does not sign is not parsed. What a payload says chooses which loops look; what they find there
/// is theirs to read.
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
    }

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

    private func outcome(_ hook: Webhook, _ headers: [String: String], _ body: [UInt8]) async -> Outcome {
        switch hook.proof(in: headers) {
        case .none: return .refused
        case .signature(let signature): if !hook.secret.signs(body, as: signature) { return .refused }
        case .token: break
        }
        switch hook.hint(headers: headers, body: body) {
        case .ping: return .ping
        case .other: return .ignored
        case .images(let repositories):
            await ring(candidates(of: hook).filter { $0.mayStand(on: repositories) }, looksOutside: true)
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
    /// Refuses a name that is none, and a sender who shows neither signature nor token.
    public func refusal(of request: APIRequest) -> APIResponse? {
        guard let hook = hook(of: request) else { return unknown }
        guard case .none = hook.proof(in: request.headers) else { return nil }
        observe(hook.settings.kind, .refused)
        return answer(.refused)
    }

    /// Answers a request in plain text.
    public func respond(to request: APIRequest) async -> APIResponse {
        guard let hook = hook(of: request) else { return unknown }
        let outcome = await outcome(hook, request.headers, request.body)
        observe(hook.settings.kind, outcome)
        return answer(outcome)
    }

    private func hook(of request: APIRequest) -> Webhook? {
        request.path.split(separator: "/").last.flatMap { hooks[String($0)] }
    }

    private var unknown: APIResponse { text(404, "there is no such webhook") }

    private func answer(_ outcome: Outcome) -> APIResponse {
        switch outcome {
        case .accepted, .ignored: text(202, outcome.rawValue)
        case .ping: text(200, "ok")
        case .refused: text(401, "the signature or the token is missing or wrong")
        }
    }

    private func text(_ status: Int, _ text: String) -> APIResponse {
        APIResponse(status: status, type: "text/plain; charset=utf-8", text: text + "\n")
    }
}
