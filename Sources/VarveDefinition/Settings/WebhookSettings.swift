// SPDX-License-Identifier: Apache-2.0

/// A place where a forge or a registry tells that something may have changed: `POST /webhooks/NAME`.
public struct WebhookSettings: Hashable, Sendable {
    /// Who sends, and so how a request is signed and what it holds.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// GitHub: `X-Hub-Signature-256`.
        case github
        /// GitLab: `X-Gitlab-Token`.
        case gitlab
        /// Gitea: `X-Gitea-Signature`.
        case gitea
        /// Forgejo: `X-Forgejo-Signature`, or Gitea's.
        case forgejo
        /// Anything that can send a request: `X-Varve-Signature`, or a bearer token.
        case generic
        /// A registry's notifications, with a bearer token.
        case registry
    }

    /// The last part of the path; unique.
    public var name: String
    /// Who sends.
    public var kind: Kind
    /// The file that holds the shared secret.
    public var secretFile: String
    /// The address of the repository that it is for; nil for all.
    public var repository: String?

    /// The keys of one of them.
    public static let keys: [KeyDescription] = [
        KeyDescription("name", .text, default: nil, "The last part of the path /webhooks/NAME."),
        KeyDescription("kind", .word(Kind.allCases.map(\.rawValue)), default: nil, "Who sends the requests."),
        KeyDescription("secretFile", .text, default: nil, "The file that holds the secret or the token."),
        KeyDescription(
            "repository", .text, default: "all", "The repository to look at, as `repo` has it under `repositories`."),
    ]

    /// Reads the value of `webhooks`, whose shape is already checked.
    static func read(
        _ value: YamlValue?, repositories: [DaemonSettings.Repository], _ findings: Findings
    ) -> [WebhookSettings] {
        var result: [WebhookSettings] = []
        for item in value?.items ?? [] {
            guard let name = item["name"], let text = name.text, let file = item["secretFile"]?.text,
                let kind = item["kind"]?.text.flatMap(Kind.init(rawValue:))
            else { continue }
            if !isName(text) {
                findings.report(
                    .settingValue, at: name.place, "\(quoted(text)) cannot be part of a path",
                    hint: "use 1 to 64 letters, digits, '-' and '_'")
            }
            if result.contains(where: { $0.name == text }) {
                findings.report(.settingValue, at: name.place, "the name \(quoted(text)) is used twice")
            }
            checkRepository(item["repository"], among: repositories, findings)
            result.append(
                WebhookSettings(name: text, kind: kind, secretFile: file, repository: item["repository"]?.text))
        }
        return result
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                    || $0 == 0x2d || $0 == 0x5f
            }
    }
}

/// Reports a repository that the configuration does not have.
func checkRepository(
    _ value: YamlValue?, among repositories: [DaemonSettings.Repository], _ findings: Findings
) {
    guard let value, let text = value.text else { return }
    let known = repositories.map(\.address)
    guard !known.contains(text) else { return }
    findings.report(
        .settingValue, at: value.place, "\(quoted(text)) is none of the repositories of this file",
        hint: suggestion(for: text, among: known) ?? "write it as 'repo' has it")
}
