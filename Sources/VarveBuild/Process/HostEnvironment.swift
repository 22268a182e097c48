// SPDX-License-Identifier: Apache-2.0

import SystemPackage

/// The part of varve's own environment that tools and steps may see.
///
/// Everything else stays outside: a `PIP_INDEX_URL` of the host in a step would be an input that is in no key.
struct HostEnvironment: Sendable {
    private let variables: [String: String]

    /// The given environment; at runtime, varve's own.
    init(_ variables: [String: String]) { self.variables = variables }

    /// What every tool is given: where to find programs and files, and the proxies.
    var tools: [String: String] {
        let names = [
            "PATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "SSL_CERT_FILE",
            "SSL_CERT_DIR",
        ]
        var result = variables.filter { names.contains($0.key) }
        result["LC_ALL"] = "C.UTF-8"
        result["PATH"] = path
        return result.merging(proxies) { own, _ in own }
    }

    /// What a tool that speaks to a registry is given beside: what the credential helpers of the clouds read.
    ///
    /// Never for a tool that runs steps.
    var registryTools: [String: String] {
        let prefixes = ["AWS_", "AZURE_", "CLOUDSDK_", "GOOGLE_"]
        return tools.merging(variables.filter { name, _ in prefixes.contains(where: name.hasPrefix) }) { own, _ in own }
    }

    /// The proxy variables, in the spellings in which they are set.
    var proxies: [String: String] {
        let names = ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"]
        return variables.filter { names.contains($0.key.lowercased()) && !$0.value.isEmpty }
    }

    /// Where programs are looked for.
    var path: String {
        guard let path = variables["PATH"], !path.isEmpty else {
            return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        }
        return path
    }

    /// The host's certificate bundle, where it has one.
    var certificates: FilePath? {
        let usual = [
            "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
        ]
        return ([variables["SSL_CERT_FILE"]].compactMap { $0 } + usual).map { FilePath($0) }.first(where: isReadable)
    }

    /// The redaction of everything secret in it.
    var redaction: Redaction { Redaction(environment: variables) }

    private func isReadable(_ path: FilePath) -> Bool {
        guard let file = try? FileDescriptor.open(path, .readOnly) else { return false }
        try? file.close()
        return true
    }
}
