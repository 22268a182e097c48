// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// The distribution's `docker-registry` on a loopback port, over plain http, with its storage in a test's folder.
public final class RegistryProcess: Sendable {
    /// The port; it stays the same when the registry is stopped and started again.
    public let port: Int
    /// Where the registry keeps its blobs: a test may delete some.
    public let storage: String
    private let folder: String
    private let process = Mutex<ChildProcess?>(nil)

    /// `127.0.0.1:PORT`: what stands before the first slash of a reference.
    public var host: String { "127.0.0.1:\(port)" }

    /// Starts an empty registry that ends with the test.
    ///
    /// Manifests and blobs can be deleted.
    ///
    /// With `credentials`, `USER:PASSWORD`, every request must carry them by basic authentication. What happens is told to
    /// the address `notifying`, with the header `authorization`. With `certificate`, a file of a certificate and its key, it
    /// speaks TLS.
    ///
    /// - Throws: `FixtureError` when it does not start.
    public init(
        in directory: TemporaryDirectory, credentials: String? = nil, notifying listener: String? = nil,
        authorization: String = "", certificate: String? = nil
    ) async throws {
        let name = "registry-\(UUID().uuidString.prefix(8))"
        folder = try directory.makeFolder(name)
        storage = try directory.makeFolder(name + "/storage")
        port = try Loopback.freePort()
        var configuration = """
            version: 0.1
            log: {level: warn, accesslog: {disabled: true}}
            storage:
              filesystem: {rootdirectory: \(storage)}
              delete: {enabled: true}
              maintenance: {uploadpurging: {enabled: false}}
            http:
              addr: "127.0.0.1:\(port)"

            """
        if let certificate { configuration += "  tls: {certificate: \(certificate), key: \(certificate)}\n" }
        if let parts = credentials?.split(separator: ":", maxSplits: 1).map(String.init), parts.count == 2 {
            let entry = try await Command.run("htpasswd", ["-Bbn", "-C", "4", parts[0], parts[1]]).stdout
            try directory.write(entry, to: name + "/htpasswd")
            configuration += "auth: {htpasswd: {realm: test, path: \(folder)/htpasswd}}\n"
        }
        if let listener {
            configuration += """
                notifications:
                  endpoints:
                  - {name: listener, url: "\(listener)", headers: {Authorization: ["\(authorization)"]}, timeout: 2s, threshold: 5, backoff: 1s}

                """
        }
        try directory.write(configuration, to: name + "/config.yml")
        directory.addCleanup { [self] in await stop() }
        try await start()
    }

    /// Starts the registry again on the same port and storage, after `stop()`.
    ///
    /// - Throws: `FixtureError` when it does not start.
    public func start() async throws {
        let child = try ChildProcess.server("docker-registry", ["serve", folder + "/config.yml"])
        process.withLock { $0 = child }
        try await Loopback.wait(for: "docker-registry", process: child) {
            // 400 is its answer to whoever does not speak TLS.
            [200, 400, 401].contains(Loopback.get(port: port, path: "/v2/")?.status)
        }
    }

    /// Ends the registry; its storage stays.
    public func stop() async {
        let child = process.withLock { process in
            defer { process = nil }
            return process
        }
        await child?.stop()
    }
}

extension RegistryProcess {
    /// Copies an image from `source`, for instance `oci:DIR:TAG`, to `NAME:TAG` in this registry.
    ///
    /// - Throws: `FixtureError` when skopeo fails.
    public func push(_ source: String, to reference: String, options: [String] = []) async throws {
        let destination = "docker://\(host)/\(reference)"
        try await Command.run(
            "skopeo", ["copy", "--quiet", "--dest-tls-verify=false"] + options + [source, destination])
    }

    /// The tags of a repository, sorted; none where there is no such repository.
    ///
    /// - Throws: `FixtureError` when skopeo is not there.
    public func tags(of repository: String) async throws -> [String] {
        let arguments = ["list-tags", "--tls-verify=false", "docker://\(host)/\(repository)"]
        let result = try await Command.result("skopeo", arguments)
        guard result.status == 0 else { return [] }
        return try JSONValue(parsing: result.stdout)["Tags"].array.compactMap(\.string).sorted()
    }

    /// The raw manifest of `NAME:TAG` or `NAME@DIGEST`.
    ///
    /// - Throws: `FixtureError` when there is none.
    public func manifest(of reference: String) async throws -> JSONValue {
        let arguments = ["inspect", "--raw", "--tls-verify=false", "docker://\(host)/\(reference)"]
        return try JSONValue(parsing: await Command.run("skopeo", arguments).stdout)
    }

    /// The digest of the manifest of `NAME:TAG`; nil where there is none.
    ///
    /// - Throws: `FixtureError` when skopeo is not there.
    public func digest(of reference: String) async throws -> String? {
        let arguments = [
            "inspect", "--no-tags", "--format", "{{.Digest}}", "--tls-verify=false", "docker://\(host)/\(reference)",
        ]
        let result = try await Command.result("skopeo", arguments)
        return result.status == 0 ? result.trimmed : nil
    }

    /// The config of `NAME:TAG`: run configuration and diff-ids.
    ///
    /// - Throws: `FixtureError` when there is none.
    public func config(of reference: String) async throws -> JSONValue {
        let arguments = ["inspect", "--config", "--raw", "--tls-verify=false", "docker://\(host)/\(reference)"]
        return try JSONValue(parsing: await Command.run("skopeo", arguments).stdout)
    }
}
