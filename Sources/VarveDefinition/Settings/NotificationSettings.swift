// SPDX-License-Identifier: Apache-2.0

/// Somebody who is told when an image fails, recovers, or has a definition that cannot be used.
public struct NotificationSettings: Hashable, Sendable {
    /// What is sent.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// A JSON object, signed where there is a secret.
        case json
        /// A message to an incoming webhook of Slack, or of a service that takes the same.
        case slack
        /// A commit status at GitHub.
        case github
        /// A commit status at Gitea or Forgejo.
        case gitea
    }

    /// A change of an image's state that somebody can be told of.
    public enum Event: String, Codable, CaseIterable, Hashable, Sendable {
        /// The newest attempt failed, and the one before did not.
        case failed
        /// It is good again after it failed or could not be read.
        case recovered
        /// The definition cannot be used any more.
        case invalid
    }

    /// What is sent.
    public var kind: Kind
    /// Where to: an address for `json` and `slack`, the API's for `github` and `gitea`; nil where `urlFile` has it.
    public var url: String?
    /// The file that holds the address, where it is itself a secret.
    public var urlFile: String?
    /// The file that holds the secret of the signature.
    public var secretFile: String?
    /// The file that holds the token of the API.
    public var tokenFile: String?
    /// The address of the repository whose images are meant; nil for all.
    public var repository: String?
    /// The repository at the forge, `OWNER/NAME`; nil takes it from the repository's address.
    public var project: String?
    /// Patterns of the images that are meant; empty for all.
    public var images: [String] = []
    /// What is told.
    public var events: Set<Event> = Set(Event.allCases)

    /// The API of GitHub itself.
    public static let gitHubAPI = "https://api.github.com"

    /// The keys of one of them.
    public static let keys: [KeyDescription] = [
        KeyDescription("kind", .word(Kind.allCases.map(\.rawValue)), default: nil, "What is sent."),
        KeyDescription(
            "url", .text, default: gitHubAPI + " for github", "Where to; for commit statuses the API's root."),
        KeyDescription("urlFile", .text, default: "none", "The file that holds the URL, where that is a secret."),
        KeyDescription("secretFile", .text, default: "none", "json: the file that holds the signature's secret."),
        KeyDescription("tokenFile", .text, default: "none", "github, gitea: the file that holds the API's token."),
        KeyDescription("repository", .text, default: "all", "The repository whose images are meant."),
        KeyDescription(
            "project", .text, default: "from the repository's address", "github, gitea: OWNER/NAME at the forge."),
        KeyDescription("images", .list(.text), default: "all", "Patterns of the names of the images that are meant."),
        KeyDescription(
            "events", .list(.word(Event.allCases.map(\.rawValue))), default: "all", "What is told."),
    ]

    /// Whether an image's changes are told.
    public func watches(_ image: String) -> Bool {
        // The patterns are the operator's own.
        var steps = 1_000_000
        return images.isEmpty || images.contains { InputPattern($0)?.matches([image], steps: &steps) == true }
    }

    /// Reads the value of `notifications`, whose shape is already checked.
    static func read(
        _ value: YamlValue?, repositories: [DaemonSettings.Repository], _ findings: Findings
    ) -> [NotificationSettings] {
        (value?.items ?? []).compactMap { item in
            guard let kind = item["kind"]?.text.flatMap(Kind.init(rawValue:)) else { return nil }
            var settings = NotificationSettings(kind: kind)
            settings.url = item["url"]?.text
            settings.urlFile = item["urlFile"]?.text
            settings.secretFile = item["secretFile"]?.text
            settings.tokenFile = item["tokenFile"]?.text
            settings.repository = item["repository"]?.text
            settings.project = item["project"]?.text
            settings.images = item["images"]?.items?.compactMap(\.text) ?? []
            if let events = item["events"]?.items {
                settings.events = Set(events.compactMap { $0.text.flatMap(Event.init(rawValue:)) })
            }
            check(settings, item, findings)
            checkRepository(item["repository"], among: repositories, findings)
            if kind == .github, settings.urlFile == nil { settings.url = settings.url ?? gitHubAPI }
            return settings
        }
    }

    private static func check(_ settings: NotificationSettings, _ item: YamlValue, _ findings: Findings) {
        let kind = settings.kind
        let isStatus = kind == .github || kind == .gitea
        if let value = item["url"], let text = value.text {
            // The text itself may be a secret, and is not repeated.
            if !["http://", "https://"].contains(where: { text.hasPrefix($0) && text.count > $0.count }) {
                findings.report(.settingValue, at: value.place, "expected a URL with http:// or https:// for 'url'")
            }
            if let other = item["urlFile"] {
                findings.report(.settingValue, at: other.place, "expected one of 'url' and 'urlFile', found both")
            }
        } else if item["urlFile"] == nil, kind != .github {
            findings.report(.missingKey, at: item.place, "the key 'url' is missing; expected a text")
        }
        if isStatus, item["tokenFile"] == nil {
            findings.report(.missingKey, at: item.place, "the key 'tokenFile' is missing; expected a text")
        }
        for (key, isMeant) in [("tokenFile", isStatus), ("project", isStatus), ("secretFile", kind == .json)] {
            guard !isMeant, let value = item[key] else { continue }
            findings.report(.settingValue, at: value.place, "'\(key)' means nothing for the kind '\(kind.rawValue)'")
        }
        if let value = item["project"], let text = value.text, !isProject(text) {
            findings.report(.settingValue, at: value.place, "\(quoted(text)) is not of the form OWNER/NAME")
        }
        for pattern in item["images"]?.items ?? [] {
            guard let text = pattern.text, InputPattern(text) == nil || text.contains("/") else { continue }
            findings.report(
                .settingValue, at: pattern.place, "\(quoted(text)) is not a pattern of image names",
                hint: "write a name, with * for any part of it: 'ds-*'")
        }
    }

    /// Whether a text is `OWNER/NAME`, each a part of a path as forges allow it.
    public static func isProject(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                !part.isEmpty && part != "." && part != ".."
                    && part.utf8.allSatisfy {
                        (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                            || [0x2d, 0x2e, 0x5f].contains($0)
                    }
            }
    }
}
