// SPDX-License-Identifier: Apache-2.0

import SystemPackage
public import VarveModel

/// Where a fleet's images are published.
public enum RegistryAddress: Hashable, Sendable {
    /// In a registry: the image NAME stands at `HOST/PREFIX/NAME`; the prefix may be empty.
    case registry(host: String, prefix: String)
    /// In one OCI layout at an absolute path, each tag under the name `NAME:TAG`.
    case layout(path: String)

    /// Reads `HOST[/PREFIX]` or `oci:DIR`.
    ///
    /// - Throws: `ValueError` when it is neither, or when the directory is not an absolute path without `:`, at which
    ///   other tools cut the name.
    public init(_ text: String) throws(ValueError) {
        if text.hasPrefix("oci:") {
            let path = String(text.dropFirst(4))
            guard path.hasPrefix("/"), !path.contains(":"), singleLine(path) == path else {
                throw ValueError(
                    type: "registry", value: text, rule: "expected oci: and an absolute path without ':'"
                )
            }
            self = .layout(path: FilePath(path).lexicallyNormalized().string)
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        guard let host = parts.first, !text.hasSuffix("/") else {
            throw ValueError(type: "registry", value: text, rule: "expected HOST/PREFIX or oci:DIR")
        }
        let prefix = parts.count == 2 ? parts[1] : ""
        // Other tools take a first part that does not look like a host as a name below docker.io.
        guard host.contains(".") || host.contains(":") || host == "localhost" else {
            throw ValueError(
                type: "registry", value: text,
                rule: "expected a host with a domain or a port, for instance \(host).example.com or \(host):5000; "
                    + "for a repository of Docker Hub write docker.io/\(text)"
            )
        }
        _ = try ImageReference(host: host, repository: prefix.isEmpty ? "x" : prefix)
        self = .registry(host: host, prefix: prefix)
    }

    /// The reference of a repository below a registry's prefix.
    ///
    /// - Throws: `BuildFailure` of class `definition` when it is too long for a reference.
    static func reference(
        host: String, prefix: String, name: String, tag: String? = nil
    ) throws(BuildFailure) -> ImageReference {
        do {
            return try ImageReference(
                host: host, repository: prefix.isEmpty ? name : prefix + "/" + name, tag: tag
            )
        } catch {
            throw BuildFailure(.definition, message: "failed to name image '\(name)' in '\(host)/\(prefix)': \(error)")
        }
    }
}

extension RegistryAddress: CustomStringConvertible {
    /// The textual form.
    public var description: String {
        switch self {
        case .registry(let host, let prefix): prefix.isEmpty ? host : host + "/" + prefix
        case .layout(let path): "oci:" + path
        }
    }
}
