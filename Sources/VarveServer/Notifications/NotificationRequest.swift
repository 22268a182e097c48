// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import VarveDefinition
import VarveModel

/// A request that tells somebody of a change: always a POST of JSON.
struct NotificationRequest: Hashable, Sendable {
    var url: String
    var headers: [String: String]
    var body: [UInt8]
}

/// Somebody who is told about the images of one repository, with the secrets that it takes.
struct NotificationChannel: Sendable {
    let settings: NotificationSettings
    /// Tells channels apart across restarts; says nothing of what it was made from.
    let key: String
    /// The kind and the host: all that a log may say of it.
    let name: String
    private let url: String
    private let secret: Secret?
    private let token: Secret?
    private let project: String?

    /// A channel for a repository; nil where it is not meant for it.
    ///
    /// - Parameters:
    ///   - repository: the address as the configuration gives it.
    ///   - path: makes the absolute path of a file of the configuration.
    /// - Throws: `SecretFileError`, `NotificationError`.
    init?(_ settings: NotificationSettings, repository: String, path: (String) -> String) throws {
        guard settings.repository == nil || settings.repository == repository else { return nil }
        self.settings = settings
        secret = try settings.secretFile.map { try Secret(file: path($0)) }
        token = try settings.tokenFile.map { try Secret(file: path($0)) }
        var url = try settings.urlFile.map { try Secret(file: path($0)).text } ?? settings.url ?? ""
        while url.hasSuffix("/") { url.removeLast() }
        guard let host = Self.host(of: url) else {
            throw NotificationError(kind: settings.kind, cause: "expected a URL with http:// or https://")
        }
        self.url = url
        name = "\(settings.kind.rawValue) at \(singleLine(host, limit: 100))"
        switch settings.kind {
        case .github, .gitea:
            project = settings.project ?? Self.project(of: repository)
            guard project != nil else {
                throw NotificationError(
                    kind: settings.kind,
                    cause:
                        "the address '\(redacted(repository))' names no OWNER/NAME; give 'project', and 'repository' "
                        + "where it is meant for one of several")
            }
        case .json, .slack: project = nil
        }
        let parts = [settings.kind.rawValue, url, project ?? "", settings.repository ?? ""].map {
            "\($0.utf8.count):\($0)"
        }
        key = String(Secret(parts.joined()).signature(of: Array("varve notification channel".utf8)).prefix(16))
    }

    /// Whether a change is told here.
    func takes(_ notification: Notification) -> Bool {
        guard settings.events.contains(notification.event), settings.watches(notification.image) else { return false }
        switch settings.kind {
        case .json, .slack: return !notification.isRepeated
        // A status belongs to a commit: one that fails like the one before is news for it.
        case .github, .gitea: return notification.commit != nil
        }
    }

    /// The request that tells it.
    func request(_ notification: Notification) throws -> NotificationRequest {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var headers = ["Content-Type": "application/json", "User-Agent": "varve"]
        switch settings.kind {
        case .json:
            let body = Array(try encoder.encode(Plain(notification)))
            headers["X-Varve-Event"] = notification.event.rawValue
            headers["X-Varve-Delivery"] = notification.id
            if let secret { headers["X-Varve-Signature"] = "sha256=" + secret.signature(of: body) }
            return NotificationRequest(url: url, headers: headers, body: body)
        case .slack:
            let body = Array(try encoder.encode(["text": Self.slackText(notification)]))
            return NotificationRequest(url: url, headers: headers, body: body)
        case .github, .gitea:
            let isGitHub = settings.kind == .github
            headers["Authorization"] = (isGitHub ? "Bearer " : "token ") + (token?.text ?? "")
            headers["Accept"] = isGitHub ? "application/vnd.github+json" : "application/json"
            if isGitHub { headers["X-GitHub-Api-Version"] = "2022-11-28" }
            let root = isGitHub || url.hasSuffix("/api/v1") ? url : url + "/api/v1"
            return NotificationRequest(
                url: "\(root)/repos/\(project ?? "")/statuses/\(notification.commit ?? "")", headers: headers,
                body: Array(try encoder.encode(CommitStatus(notification))))
        }
    }

    private static func slackText(_ notification: Notification) -> String {
        var text = "*\(escaped(notification.image))* "
        switch notification.event {
        case .failed: text += "failed" + (notification.layer.map { " in layer \($0)" } ?? "")
        case .recovered: text += "is good again"
        case .invalid: text += "has a definition that cannot be used"
        }
        if !notification.message.isEmpty { text += ": " + escaped(notification.message) }
        text += "\n" + escaped(notification.repository)
        if let commit = notification.commit { text += " at \(commit.prefix(12))" }
        if let reference = notification.reference { text += "\n" + escaped(reference) }
        return text
    }

    /// The three characters that Slack gives a meaning: what a build says can mention nobody.
    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    private static func host(of url: String) -> String? {
        for scheme in ["https://", "http://"] where url.hasPrefix(scheme) {
            let authority = url.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
            let host = authority.split(separator: "@").last.map(String.init)
            return host?.isEmpty == false && !url.contains(where: \.isWhitespace) ? host : nil
        }
        return nil
    }

    /// `OWNER/NAME` of `https://HOST/OWNER/NAME.git`, `ssh://…` or `git@HOST:OWNER/NAME`; nil for a folder.
    static func project(of address: String) -> String? {
        var path: Substring
        if let scheme = address.firstRange(of: "://") {
            let rest = address[scheme.upperBound...]
            guard !address.hasPrefix("file:"), let slash = rest.firstIndex(of: "/") else { return nil }
            path = rest[rest.index(after: slash)...]
        } else {
            guard let colon = address.firstIndex(of: ":"), !address[..<colon].contains("/") else { return nil }
            path = address[address.index(after: colon)...]
        }
        while path.hasSuffix("/") { path.removeLast() }
        if path.hasSuffix(".git") { path.removeLast(4) }
        let text = path.split(separator: "/").joined(separator: "/")
        return NotificationSettings.isProject(text) ? text : nil
    }
}

/// A notification that cannot be sent as it is configured.
public struct NotificationError: Error, Hashable, Sendable {
    /// What was to be sent.
    public var kind: NotificationSettings.Kind
    /// The cause in words.
    public var cause: String
}

extension NotificationError: CustomStringConvertible {
    /// What could not be done, and why.
    public var description: String { "failed to prepare notification '\(kind.rawValue)': \(cause)" }
}

/// The generic JSON object.
private struct Plain: Encodable {
    struct Failure: Encodable {
        var `class`: String
        var layer: String?
        var message: String
        var tail: String
    }

    var version = 1
    var id: String
    var event: String
    var image: String
    var repository: String
    var commit: String?
    var reference: String?
    var time: String
    var failure: Failure?

    init(_ notification: Notification) {
        id = notification.id
        event = notification.event.rawValue
        image = notification.image
        repository = notification.repository
        commit = notification.commit
        reference = notification.reference
        time = notification.time.description
        failure = notification.failureClass.map {
            Failure(
                class: $0, layer: notification.layer, message: notification.message, tail: notification.tail)
        }
    }
}

/// A commit status, as GitHub and Gitea take it.
private struct CommitStatus: Encodable {
    var state: String
    var context: String
    var description: String

    init(_ notification: Notification) {
        context = "varve/" + notification.image
        let words: String
        switch notification.event {
        case .recovered:
            state = "success"
            words = "built"
        case .failed:
            let isFault = notification.failureClass == BuildFailure.Class.definition.rawValue
            state = isFault ? "failure" : "error"
            words = notification.message
        case .invalid:
            state = "failure"
            words = notification.message
        }
        // GitHub refuses more than 140 characters.
        description = singleLine(words, limit: 139)
    }
}
