// SPDX-License-Identifier: Apache-2.0

/// An image in a registry, always named with its registry: `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`.
///
/// Follows the grammar of the distribution project's `reference` package, without its default registry: a bare
/// `debian` could mean an image of this repository or of any registry.
public struct ImageReference: Hashable, Sendable {
    /// The registry's host, with its port where it has one.
    public let host: String
    /// The repository's path below the host.
    public let repository: String
    /// The tag, where one was given.
    public let tag: String?
    /// The manifest digest, where one was given.
    public let digest: Digest?

    /// Puts a reference together from parts that are checked as `init(_:)` checks them.
    ///
    /// - Throws: `ValueError` naming the part that is not well formed.
    public init(host: String, repository: String, tag: String? = nil, digest: Digest? = nil) throws(ValueError) {
        guard Self.isHost(host) else {
            throw ValueError(type: "registry host", value: host, rule: "expected HOST or HOST:PORT")
        }
        guard repository.utf8.count <= 255, !repository.isEmpty,
            repository.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(Self.isRepositoryComponent)
        else {
            throw ValueError(
                type: "repository name", value: repository,
                rule: "expected lower-case path components of letters, digits and single separators"
            )
        }
        if let tag, !Self.isTag(tag) {
            throw ValueError(type: "tag", value: tag, rule: "expected [A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
        }
        self.host = host
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// Reads `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]`.
    ///
    /// - Throws: `ValueError` when the registry is missing or a part is not well formed.
    public init(_ text: String) throws(ValueError) {
        var rest = Substring(text)
        var digest: Digest?
        if let at = rest.lastIndex(of: "@") {
            digest = try Digest(String(rest[rest.index(after: at)...]))
            rest = rest[..<at]
        }
        guard let slash = rest.firstIndex(of: "/") else { throw Self.missingRegistry(text) }
        let host = String(rest[..<slash])
        guard host.contains(".") || host.contains(":") || host == "localhost" else { throw Self.missingRegistry(text) }
        var repository = rest[rest.index(after: slash)...]
        var tag: String?
        if let colon = repository.lastIndex(of: ":") {
            tag = String(repository[repository.index(after: colon)...])
            repository = repository[..<colon]
        }
        try self.init(host: host, repository: String(repository), tag: tag, digest: digest)
    }

    private static func missingRegistry(_ text: String) -> ValueError {
        ValueError(
            type: "image reference", value: text,
            rule: "expected a registry before the first '/', for instance docker.io/library/debian:bookworm-slim"
        )
    }

    /// This reference with another tag and no digest.
    ///
    /// - Throws: `ValueError` when the tag is not well formed.
    public func tagged(_ tag: String) throws(ValueError) -> ImageReference {
        try ImageReference(host: host, repository: repository, tag: tag)
    }

    /// This reference without its digest.
    public var location: String { host + "/" + repository + (tag.map { ":" + $0 } ?? "") }

    /// This reference by digest alone.
    public func pinned(to digest: Digest) -> ImageReference {
        ImageReference(unchecked: host, repository, digest)
    }

    private init(unchecked host: String, _ repository: String, _ digest: Digest) {
        self.host = host
        self.repository = repository
        self.tag = nil
        self.digest = digest
    }

    private static func isHost(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), !parts[0].isEmpty else { return false }
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(parts[1]), port > 0 else {
                return false
            }
        }
        return parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2d }
                && label.first != "-" && label.last != "-"
        }
    }

    /// Words of letters and digits, with one `.`, one or two `_`, or any number of `-` between two of them.
    private static func isRepositoryComponent(_ text: Substring) -> Bool {
        var separators: [UInt8] = []
        var hasWord = false
        for byte in text.utf8 {
            if (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) {
                guard separators.isEmpty || (hasWord && isSeparator(separators)) else { return false }
                separators = []
                hasWord = true
            } else {
                separators.append(byte)
            }
        }
        return hasWord && separators.isEmpty
    }

    private static func isSeparator(_ bytes: [UInt8]) -> Bool {
        bytes == [0x2e] || bytes == [0x5f] || bytes == [0x5f, 0x5f] || bytes.allSatisfy { $0 == 0x2d }
    }

    /// Whether a text is a tag of the OCI distribution specification.
    public static func isTag(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
        return (isAlphanumeric(first) || first == 0x5f)
            && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x5f || $0 == 0x2e || $0 == 0x2d }
    }
}

extension ImageReference: CustomStringConvertible {
    /// The textual form.
    public var description: String {
        host + "/" + repository + (tag.map { ":" + $0 } ?? "") + (digest.map { "@" + $0.description } ?? "")
    }
}

/// Whether a byte is an ASCII letter or digit.
func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
}
