// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import VarveModel

/// What the auth files have for a repository, found in the order of `containers-auth.json(5)`.
enum RegistryCredentials: Hashable, Sendable {
    /// Nothing.
    case none
    /// A user and a password, as basic authentication writes them.
    case basic(String)
    /// Something that only skopeo knows how to use: a credential helper, a token of another kind, a damaged file.
    case unclear

    /// Looks into the files, the first that has something for the repository decides.
    init(for reference: ImageReference, files: [String]) {
        self = .none
        for file in files where self == .none {
            let path = file.replacing("<uid>", with: String(getuid()))
            guard FileManager.default.fileExists(atPath: path) else { continue }
            guard let data = FileManager.default.contents(atPath: path) else {
                self = .unclear
                return
            }
            self = Self.read(data, for: reference)
        }
    }

    private struct File: Decodable {
        var auths: [String: Entry]?
        var credHelpers: [String: String]?
        var credsStore: String?
    }

    private struct Entry: Decodable {
        var auth: String?
        var identitytoken: String?
        var registrytoken: String?
    }

    /// What one file has.
    static func read(_ data: Data, for reference: ImageReference) -> RegistryCredentials {
        guard let file = try? JSONDecoder().decode(File.self, from: data) else { return .unclear }
        let host = registry(reference.host)
        if !(file.credsStore ?? "").isEmpty || (file.credHelpers ?? [:]).keys.contains(where: { registry($0) == host })
        {
            return .unclear
        }
        let auths = file.auths ?? [:]
        // The most telling path first, then what older tools wrote: `https://HOST/v1/`.
        var path = reference.host + "/" + reference.repository
        while true {
            if let entry = auths[path] { return read(entry) }
            guard let slash = path.lastIndex(of: "/") else { break }
            path = String(path[..<slash])
        }
        let older = auths.filter { !$0.key.contains("/") || $0.key.contains("://") }.sorted { $0.key < $1.key }
        return older.first { registry($0.key) == host }.map { read($0.value) } ?? .none
    }

    private static func read(_ entry: Entry) -> RegistryCredentials {
        guard (entry.identitytoken ?? "").isEmpty, (entry.registrytoken ?? "").isEmpty else { return .unclear }
        guard let auth = entry.auth, !auth.isEmpty else { return .none }
        guard let data = Data(base64Encoded: auth), var text = String(bytes: data, encoding: .utf8) else {
            return .unclear
        }
        // Docker ended passwords so.
        while text.last == "\0" { text.removeLast() }
        guard text.contains(":"), !text.hasPrefix(":") else { return .unclear }
        return .basic(Data(text.utf8).base64EncodedString())
    }

    /// The registry that a key of an auth file means; Docker Hub has several names.
    private static func registry(_ key: String) -> Substring {
        let start = key.firstRange(of: "://")?.upperBound ?? key.startIndex
        let host = key[start...].prefix { $0 != "/" }
        return ["index.docker.io", "registry-1.docker.io"].contains(host) ? "docker.io" : host
    }
}
