// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// How registries are reached.
public struct RegistryAccess: Hashable, Sendable {
    /// The hosts that are spoken to without TLS, or without checking it: `HOST:PORT`, or `HOST` for all its ports.
    public var plainHTTPHosts: Set<String>
    /// The file with the credentials; nil means the usual files, which skopeo finds itself, with their helpers.
    public var authFile: String?

    /// How registries are reached; by default with TLS and the usual files.
    public init(plainHTTPHosts: Set<String> = [], authFile: String? = nil) {
        self.plainHTTPHosts = plainHTTPHosts
        self.authFile = authFile
    }

    /// Whether a host is spoken to without TLS.
    func isPlain(_ host: String) -> Bool {
        plainHTTPHosts.contains(host) || plainHTTPHosts.contains(String(host.prefix { $0 != ":" }))
    }

    /// The files in which credentials are looked for, in order, as containers/image does (`containers-auth.json(5)`).
    func authFiles(environment: [String: String]) -> [String] {
        if let authFile { return [authFile] }
        if let file = environment["REGISTRY_AUTH_FILE"], !file.isEmpty { return [file] }
        let home = environment["HOME"] ?? ""
        return [
            (environment["XDG_RUNTIME_DIR"] ?? "/run/containers/<uid>") + "/containers/auth.json",
            home + "/.config/containers/auth.json",
            (environment["DOCKER_CONFIG"] ?? home + "/.docker") + "/config.json",
        ].map { $0.replacing("<uid>/containers/", with: "<uid>/") }
    }
}
