// SPDX-License-Identifier: Apache-2.0

import Foundation
import VarveBuild
import VarveModel
import VarveTestSupport

/// A store with images of a few files, and registries that publish from it.
struct PublishingFixture: Sendable {
    let directory: TemporaryDirectory
    let state: String
    let store: BuildahStore
    let path: String
    /// The file that stands for SSL_CERT_FILE; nil for none.
    var certificates: String?

    /// A fixture with an empty store; `path` stands for PATH.
    init(path: String? = nil) async throws {
        directory = try TemporaryDirectory.required()
        self.path = path ?? ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        (state, store) = try await Self.makeStore(in: directory)
    }

    private init(directory: TemporaryDirectory, path: String) async throws {
        self.directory = directory
        self.path = path
        (state, store) = try await Self.makeStore(in: directory)
    }

    /// A second fixture in the same test, as if the state directory had been lost.
    func withNewState() async throws -> PublishingFixture {
        try await PublishingFixture(directory: directory, path: path)
    }

    private static func makeStore(in directory: TemporaryDirectory) async throws -> (String, BuildahStore) {
        let state = try directory.makeFolder("state-\(UUID().uuidString.prefix(8))")
        let store = try await BuildahStore.open(stateDirectory: state, environment: ProcessInfo.processInfo.environment)
        directory.addCleanup {
            // The driver leaves its own folder mounted.
            _ = try? await Command.result("umount", [store.root + "/overlay"])
        }
        return (state, store)
    }

    /// The environment of varve in this test: no credentials of the machine.
    var environment: [String: String] {
        var environment = ["PATH": path, "HOME": directory.path("home")]
        environment["SSL_CERT_FILE"] = certificates
        return environment
    }

    /// A registry that publishes this store's images.
    func registry(
        _ address: String, plainHTTP: [String] = [], authFile: String? = nil
    ) async throws -> SkopeoImageRegistry {
        let registry = try SkopeoImageRegistry(
            address: RegistryAddress(address), store: store, stateDirectory: state,
            access: RegistryAccess(plainHTTPHosts: Set(plainHTTP), authFile: authFile), environment: environment
        )
        try await registry.prepare()
        return registry
    }

    /// A registry on a loopback port, over plain http.
    func registry(at host: String) async throws -> SkopeoImageRegistry {
        try await registry("\(host)/team", plainHTTP: [host])
    }

    /// Puts an image of one file into the store, on top of another one where that is given.
    func layer(_ text: String, kind: LayerKind = .apt, on parent: BuiltLayer? = nil) async throws -> BuiltLayer {
        let key = LayerKey(bytes: Array((text + String(repeating: "\0", count: 32)).utf8.prefix(32)))
        try directory.write(text, to: "files/\(key.short)/file-\(key.short)")
        let from = parent.map { BuildahStore.name(of: $0.key, kind: $0.kind) } ?? "scratch"
        let container = try await buildah(["from", "--pull-never", from])
        try await buildah(["copy", "--quiet", container, directory.path("files/\(key.short)"), "/"])
        let id = try await buildah([
            "commit", "--quiet", "--rm", "--omit-history", "--timestamp", "315532800", container,
            BuildahStore.name(of: key, kind: kind),
        ])
        return try BuiltLayer(key: key, kind: kind, configDigest: VarveModel.Digest(hex: id))
    }

    @discardableResult
    private func buildah(_ arguments: [String]) async throws -> String {
        try await Command.run(
            "buildah", store.arguments + arguments, environment: store.environment.mapValues(Optional.some)
        ).trimmed
    }

    /// The config digest of an image of the store; nil where there is none of that name.
    func configDigest(ofLocal name: String) async throws -> VarveModel.Digest? {
        let result = try await Command.result(
            "buildah", store.arguments + ["inspect", "--type", "image", "--format", "{{.FromImageID}}", name],
            environment: store.environment.mapValues(Optional.some)
        )
        return result.status == 0 ? try VarveModel.Digest(hex: result.trimmed) : nil
    }

    /// What is left in the folder of half-made exports.
    func leftovers() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: state + "/staging").filter { $0 != "lock" }
    }
}

extension PublishRequest {
    /// A request under the build tag `2026.11.23-<12 digits>`.
    init(
        _ image: String, _ layer: BuiltLayer, moving: [String] = ["latest"],
        annotations: [String: String] = ["org.opencontainers.image.revision": "abc"], date: String = "2026.11.23"
    ) throws {
        self.init(
            image: try ImageName(image), layer: layer, buildTag: "\(date)-\(layer.configDigest.hex.prefix(12))",
            movingTags: moving, annotations: annotations
        )
    }
}

/// Runs a body that must fail as a build does, and returns the failure.
func buildFailure(_ body: () async throws -> Void) async throws -> BuildFailure {
    do {
        try await body()
    } catch let failure as BuildFailure {
        return failure
    }
    throw FixtureError("nothing failed")
}
