// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

/// Where the API of a registry has a repository (OCI distribution specification 1.1).
struct RegistryEndpoint: Hashable, Sendable {
    /// `http` or `https`.
    let scheme: String
    /// The host with its port.
    let host: String
    /// The repository below it.
    let repository: String

    /// The endpoint of a reference; Docker Hub's is not at the host that references name.
    init(_ reference: ImageReference, access: RegistryAccess) {
        scheme = access.isPlain(reference.host) ? "http" : "https"
        if ["docker.io", "index.docker.io"].contains(reference.host) {
            host = "registry-1.docker.io"
            repository = reference.repository.contains("/") ? reference.repository : "library/" + reference.repository
        } else {
            (host, repository) = (reference.host, reference.repository)
        }
    }

    /// The address of the manifest under a tag or a digest.
    func manifest(_ reference: ImageReference) -> String {
        "\(scheme)://\(host)/v2/\(repository)/manifests/\(reference.digest?.description ?? reference.tag ?? "latest")"
    }

    /// Where a token is asked for.
    struct Realm: Hashable, Sendable {
        var address: String
        /// The host with its port.
        var host: String
    }

    /// Where a `Bearer` challenge has a token asked for to pull from this repository (distribution's token specification).
    ///
    /// nil where credentials must not go there: without TLS they go to hosts alone that are named for it.
    func realm(_ challenge: AuthenticationChallenge, access: RegistryAccess) -> Realm? {
        guard let text = challenge.parameters["realm"], var address = URLComponents(string: text),
            let name = address.host, !name.isEmpty, address.user == nil, address.password == nil
        else { return nil }
        let host = name + (address.port.map { ":\($0)" } ?? "")
        guard address.scheme == "https" || (address.scheme == "http" && access.isPlain(host)) else { return nil }
        var items = address.queryItems ?? []
        if let service = challenge.parameters["service"] { items.append(URLQueryItem(name: "service", value: service)) }
        let scope = challenge.parameters["scope"] ?? "repository:\(repository):pull"
        address.queryItems = items + [URLQueryItem(name: "scope", value: scope)]
        // Servers read a plus sign as a space.
        address.percentEncodedQuery = address.percentEncodedQuery?.replacing("+", with: "%2B")
        address.fragment = nil
        return address.string.map { Realm(address: $0, host: host) }
    }
}
