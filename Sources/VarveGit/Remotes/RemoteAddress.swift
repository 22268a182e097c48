// SPDX-License-Identifier: Apache-2.0

import CGit2

/// Where a remote is.
struct RemoteAddress: Hashable, Sendable {
    /// What libgit2 is given: an address, or the absolute path of a folder.
    let location: String
    /// The folder, where the remote is on this machine.
    let folder: String?

    /// Reads an address as git does: `scheme://…`, `user@host:path`, else a folder, relative to `base`.
    init(_ text: String, relativeTo base: String) throws(GitError) {
        let colon = text.firstIndex(of: ":")
        let slash = text.firstIndex(of: "/") ?? text.endIndex
        if text.lowercased().hasPrefix("file://") {
            let rest = text.dropFirst(7)
            guard let start = rest.firstIndex(of: "/"), ["", "localhost"].contains(rest[..<start].lowercased()),
                let path = percentDecoded(rest[start...])
            else { throw GitError(.invalid, "read remote address '\(text)'", "expected file:///PATH") }
            location = path
            folder = path
        } else if text.contains("://") || colon.map({ $0 < slash }) == true {
            location = text
            folder = nil
        } else {
            guard !text.isEmpty else { throw GitError(.invalid, "read remote address ''", "it is empty") }
            let path = text.hasPrefix("/") ? text : base + (base.hasSuffix("/") ? "" : "/") + text
            location = path
            folder = path
        }
    }

    /// The address without credentials.
    var redacted: String { withoutCredentials(location) }

    /// The port of the address, nil where it is the scheme's own.
    var port: UInt16? {
        guard let scheme = location.firstRange(of: "://") else { return nil }
        let authority = location[scheme.upperBound...].prefix { $0 != "/" }
        let host = authority.split(separator: "@").last ?? ""
        guard let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") else { return nil }
        return UInt16(host[host.index(after: colon)...])
    }
}

/// The text that an address's `%XX` stand for; nil where they are malformed, name a NUL or are no UTF-8.
func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        guard byte == 0x25 else {
            bytes.append(byte)
            continue
        }
        guard let decoded = VarveGit.bytes(hexDigits: rest.prefix(2)), decoded.count == 1, decoded[0] != 0 else {
            return nil
        }
        bytes += decoded
        rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
}

extension RepositoryHandle {
    /// The folder that relative addresses start from.
    private var baseFolder: String { workingFolder ?? gitFolder }

    /// An address that the caller gives; `url.*.insteadOf` is applied.
    func address(_ text: String, forPush: Bool = false) throws(GitError) -> RemoteAddress {
        let settings = try configuration(startingWith: "url.")
        let pushes = forPush ? Self.rewritten(text, by: settings, key: ".pushinsteadof") : nil
        return try RemoteAddress(
            pushes ?? Self.rewritten(text, by: settings, key: ".insteadof") ?? text, relativeTo: baseFolder)
    }

    /// The address of a configured remote, `url.*.insteadOf` applied; nil where there is no such remote.
    func address(ofRemote name: String, forPush: Bool = false) throws(GitError) -> RemoteAddress? {
        let settings = try configuration(startingWith: "remote.\(name).")
        guard let url = settings.last(where: { $0.name == "remote.\(name).url" }) else { return nil }
        guard forPush, let own = settings.last(where: { $0.name == "remote.\(name).pushurl" }) else {
            return try address(url.value, forPush: forPush)
        }
        // Git rewrites an address that is for pushing alone as any other.
        return try address(own.value)
    }

    /// An address whose longest known start is replaced, as `url.<base>.insteadOf` of git-config(1) says; nil where none is
    /// known.
    private static func rewritten(
        _ text: String, by settings: [(name: String, value: String)], key: String
    ) -> String? {
        var best: (base: Substring, start: String)?
        for (name, start) in settings where name.hasSuffix(key) && text.hasPrefix(start) {
            guard start.utf8.count > best?.start.utf8.count ?? -1 else { continue }
            best = (name.dropFirst(4).dropLast(key.count), start)
        }
        return best.map { String($0.base) + text.dropFirst($0.start.count) }
    }
}
