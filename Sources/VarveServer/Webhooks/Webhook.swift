// SPDX-License-Identifier: Apache-2.0

public import VarveDefinition

/// A webhook with its secret.
public struct Webhook: Sendable {
    /// What the configuration says of it.
    public var settings: WebhookSettings
    let secret: Secret

    /// A webhook whose secret is known already.
    public init(_ settings: WebhookSettings, secret: Secret) {
        self.settings = settings
        self.secret = secret
    }

    /// Reads the secret of a webhook.
    ///
    /// - Parameter path: makes the absolute path of a file of the configuration.
    /// - Throws: `SecretFileError`.
    public init(_ settings: WebhookSettings, path: (String) -> String) throws(SecretFileError) {
        self.init(settings, secret: try Secret(file: path(settings.secretFile)))
    }

    /// What the headers of a request prove.
    enum Proof {
        /// Who sends knows the secret.
        case token
        /// Who sends knows the secret if this is the body's signature, in hexadecimal digits.
        case signature(String)
        /// Nothing.
        case none
    }

    /// Reads the headers, by their names in lower case; nothing of the body is needed to refuse a request that has none of
    /// what it must have.
    func proof(in headers: [String: String]) -> Proof {
        func signature(_ name: String, prefix: String = "") -> Proof? {
            guard let value = headers[name] else { return nil }
            return value.hasPrefix(prefix) ? .signature(String(value.dropFirst(prefix.count))) : Proof.none
        }
        func token(_ value: String?) -> Proof { value.map(secret.equals) == true ? .token : .none }
        switch settings.kind {
        case .github: return signature("x-hub-signature-256", prefix: "sha256=") ?? .none
        case .gitlab: return token(headers["x-gitlab-token"])
        case .gitea: return signature("x-gitea-signature") ?? .none
        case .forgejo: return signature("x-forgejo-signature") ?? signature("x-gitea-signature") ?? .none
        case .generic:
            return signature("x-varve-signature", prefix: "sha256=") ?? token(Self.bearer(headers["authorization"]))
        case .registry: return token(Self.bearer(headers["authorization"]))
        }
    }

    private static func bearer(_ value: String?) -> String? {
        guard let value, value.prefix(7).lowercased() == "bearer " else { return nil }
        return String(value.dropFirst(7))
    }

    /// What a request whose sender is known asks for.
    func hint(headers: [String: String], body: [UInt8]) -> WebhookHint {
        switch settings.kind {
        case .github: WebhookHint(event: headers["x-github-event"], body: body)
        case .gitea: WebhookHint(event: headers["x-gitea-event"], body: body)
        case .forgejo: WebhookHint(event: headers["x-forgejo-event"] ?? headers["x-gitea-event"], body: body)
        case .gitlab: WebhookHint(gitlab: headers["x-gitlab-event"], body: body)
        case .generic: WebhookHint(event: "push", body: body)
        case .registry: WebhookHint(registry: body)
        }
    }
}
