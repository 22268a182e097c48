// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Where a webhook says that something may have changed: enough to look at less, never enough to believe anything.
enum WebhookHint: Hashable, Sendable {
    /// A branch moved; nil where the payload does not say which, or of which repository.
    case push(branch: String?, addresses: Set<String>)
    /// Images were pushed to these repositories of a registry; to unknown ones where there is none.
    case images(Set<String>)
    /// The sender tries out the way.
    case ping
    /// Something else happened.
    case other

    /// Reads what GitHub, Gitea, Forgejo and senders of one's own tell.
    init(event: String?, body: [UInt8]) {
        switch event {
        case "push": self = Self.push(in: body)
        case "ping": self = .ping
        default: self = .other
        }
    }

    /// Reads what GitLab tells: of a project, or of the whole server by a system hook.
    init(gitlab event: String?, body: [UInt8]) {
        switch event {
        case "Push Hook": self = Self.push(in: body)
        case "System Hook":
            let payload = Self.decode(Push.self, body)
            self = (payload?.kind) == "push" ? Self.push(in: body) : .other
        default: self = .other
        }
    }

    /// Reads the notifications of a registry: one request tells several events, and blobs beside manifests.
    init(registry body: [UInt8]) {
        guard let envelope = Self.decode(Envelope.self, body), let events = envelope.events else {
            self = .images([])
            return
        }
        let pushes = events.filter { event in
            guard event.action == "push" else { return false }
            guard let type = event.target?.mediaType, event.target?.tag == nil else { return true }
            return type.contains("manifest") || type.contains("image.index")
        }
        let repositories = pushes.compactMap { $0.target?.repository }
        // One that does not say where it went may have gone anywhere.
        self = pushes.isEmpty ? .other : .images(repositories.count < pushes.count ? [] : Set(repositories))
    }

    private static func push(in body: [UInt8]) -> WebhookHint {
        guard let payload = decode(Push.self, body) else { return .push(branch: nil, addresses: []) }
        let places = [payload.repository, payload.project].compactMap(\.self)
        let addresses = Set(places.flatMap(\.addresses).map(Self.comparable))
        guard let ref = payload.ref else { return .push(branch: payload.branch, addresses: addresses) }
        if ref.hasPrefix("refs/heads/") { return .push(branch: String(ref.dropFirst(11)), addresses: addresses) }
        // Tags and notes: no definition is read from them.
        return ref.hasPrefix("refs/") ? .other : .push(branch: ref, addresses: addresses)
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ body: [UInt8]) -> Value? {
        try? JSONDecoder().decode(type, from: Data(body))
    }

    /// An address in a form in which https and ssh of one repository are equal: host and path alone.
    static func comparable(_ address: String) -> String {
        var rest = Substring(address)
        let scheme = rest.firstRange(of: "://")
        if let scheme { rest = rest[scheme.upperBound...] }
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        if let at = rest[..<end].lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        var text = String(rest)
        // git@host:path, as opposed to host:port/path
        let head = text.prefix { $0 != "/" }
        if let colon = head.firstIndex(of: ":") {
            let number = head[head.index(after: colon)...]
            if scheme != nil {
                text.replaceSubrange(colon..<number.endIndex, with: "")
            } else {
                text.replaceSubrange(colon...colon, with: "/")
            }
        }
        while text.hasSuffix("/") { text.removeLast() }
        if text.hasSuffix(".git") { text.removeLast(4) }
        return text.lowercased()
    }
}

/// The few members of a push event that are read; the names are the senders'.
private struct Push: Decodable {
    struct Place: Decodable {
        var addresses: [String]

        init(from decoder: any Decoder) throws {
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                addresses = [text]
                return
            }
            let container = try decoder.container(keyedBy: Key.self)
            addresses = [
                "clone_url", "ssh_url", "git_http_url", "git_ssh_url", "git_url", "html_url", "http_url", "url",
            ]
            .compactMap { name in
                Key(stringValue: name).flatMap { try? container.decode(String.self, forKey: $0) }
            }
        }
    }

    struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    var ref: String?
    var branch: String?
    /// What GitLab calls the event.
    var kind: String?
    var repository: Place?
    var project: Place?

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        // One member of another type must not hide the others.
        func text(_ name: String) -> String? {
            Key(stringValue: name).flatMap { try? container.decode(String.self, forKey: $0) }
        }
        func place(_ name: String) -> Place? {
            Key(stringValue: name).flatMap { try? container.decode(Place.self, forKey: $0) }
        }
        ref = text("ref")
        branch = text("branch")
        kind = text("object_kind") ?? text("event_name")
        repository = place("repository")
        project = place("project")
    }
}

/// A registry's notification.
private struct Envelope: Decodable {
    struct Event: Decodable {
        struct Target: Decodable {
            var mediaType: String?
            var tag: String?
            var repository: String?
        }
        var action: String?
        var target: Target?
    }
    var events: [Event]?
}
