// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
public import Logging
public import VarveModel

/// Builds layers with the distribution's buildah: one commit a step is one layer, found again by a local name that is its
/// key.
public struct BuildahEngine: LayerEngine {
    let buildah: Buildah
    let puller: any BaseImagePuller
    let cache: (any LayerCache)?
    let logger: Logger

    /// An engine on a store.
    ///
    /// - Parameters:
    ///   - store: Where layers are kept; shared with no other process.
    ///   - isolation: How steps are set apart from the host.
    ///   - environment: varve's own environment; steps see its proxies and nothing else of it.
    ///   - puller: Brings base images into the store.
    ///   - cache: Is asked for a layer that the store does not have, and given every layer that was built.
    ///   - logger: Is told of a cache that fails.
    public init(
        store: BuildahStore, isolation: Isolation, environment: [String: String], puller: any BaseImagePuller,
        cache: (any LayerCache)?, logger: Logger
    ) {
        let host = HostEnvironment(environment)
        buildah = Buildah(
            store: store, isolation: isolation, host: host, runner: CommandRunner(redaction: host.redaction)
        )
        self.puller = puller
        self.cache = cache
        self.logger = logger
    }

    /// The engine and its version.
    public var name: String {
        get async { (try? await buildah.version()) ?? "buildah" }
    }

    /// Removes every working container, every image without a name and every half-made file of an earlier run.
    ///
    /// - Throws: `BuildFailure` of class `environment` when buildah is missing, `diskFull` or `unknown` when the store cannot
    ///   be written.
    public func prepare() async throws {
        try buildah.store.create()
        _ = try await buildah.check(["rm", "--all"], layer: nil, verb: "remove orphaned containers")
        _ = try await buildah.run(["rmi", "--prune"])
        let temporary = buildah.store.temporary
        for name in (try? FileManager.default.contentsOfDirectory(atPath: temporary)) ?? [] {
            try? FileManager.default.removeItem(atPath: temporary + "/" + name)
        }
    }

    /// The finished layer of a key, from the store or else from the layer cache; nil where there is none, or where the cache
    /// cannot be asked.
    public func layer(for key: LayerKey, kind: LayerKind) async throws -> BuiltLayer? {
        if let layer = try await stored(key, kind) { return layer }
        guard let cache else { return nil }
        do {
            return try await cache.fetch(key, kind: kind, into: buildah.store) ? stored(key, kind) : nil
        } catch let failure as BuildFailure where failure.failureClass != .cancelled {
            // A cache spares work; without it there is more to do, and nothing wrong.
            logger.warning(
                "layer cache could not be asked",
                metadata: ["layer_key": "\(key)", "cause": "\(failure.message)"]
            )
            return nil
        }
    }

    /// Builds one layer with one execution, and hands it to the layer cache.
    public func build(_ request: LayerRequest, log: any BuildLog) async throws -> BuiltLayer {
        do {
            try await make(request, log: log)
        } catch let failure as BuildFailure {
            throw failure.ofStep(
                "build layer '\(request.content.kind)'", request.content.kind, timeout: request.timeout)
        }
        guard let layer = try await stored(request.key, request.content.kind) else {
            throw BuildFailure(
                .unknown, layer: request.content.kind,
                message: "failed to find layer '\(request.key.short)': the store lost it after the commit"
            )
        }
        await save(layer)
        return layer
    }

    private func make(_ request: LayerRequest, log: any BuildLog) async throws {
        switch request.content {
        case .base(.image(let digest)): try await pull(digest, request)
        case .base(.bootstrap(let specification)):
            try await Bootstrap(buildah: buildah).make(specification, request: request, log: log)
        case .base(.containerfile(let content)): try await build(content, request, log)
        case .apt(let content): try await run(AptStep.make(content), request, log)
        case .conda(let content): try await run(CondaStep.make(content), request, log)
        case .cran(let content): try await run(RStep.make(content), request, log)
        case .bioconductor(let content): try await run(RStep.make(content), request, log)
        case .remotes(let content): try await run(RStep.make(content), request, log)
        case .installR(let content): try await run(RStep.make(content), request, log)
        case .kernel: try await run(KernelStep.make(), request, log)
        case .pip(let content):
            let user = try await inspect(parent: request).configuration.user ?? ""
            try await run(PipStep.make(content, user: user), request, log)
        case .postBuild(let content): try await run(PostBuildStep.make(content), request, log)
        case .config(let content): try await configure(content, request)
        }
    }

    /// The layer below a request's.
    func parent(_ request: LayerRequest) throws -> BuiltLayer {
        guard let parent = request.parent else {
            throw BuildFailure(.unknown, message: "failed to build a layer: it has no layer below it")
        }
        return parent
    }

    /// What the store knows of the layer below a request's.
    func inspect(parent request: LayerRequest) async throws -> ImageInspection {
        let parent = try parent(request)
        guard let found = try await buildah.inspect(parent.configDigest.hex) else {
            throw BuildFailure(
                .unknown, message: "failed to find the layer '\(parent.key.short)' below: it is not in the store"
            )
        }
        return found
    }

    private func stored(_ key: LayerKey, _ kind: LayerKind) async throws -> BuiltLayer? {
        guard let image = try await buildah.inspect(BuildahStore.name(of: key, kind: kind)) else { return nil }
        LayerUses(buildah.store).note(key)
        return BuiltLayer(
            key: key, kind: kind, configDigest: image.configDigest, diffID: image.diffIDs.last, size: image.size
        )
    }

    private func save(_ layer: BuiltLayer) async {
        guard let cache else { return }
        do {
            try await cache.save(layer.key, kind: layer.kind, from: buildah.store)
        } catch {
            logger.warning(
                "layer cache did not take a layer",
                metadata: ["layer_key": "\(layer.key)", "cause": "\(error)"]
            )
        }
    }

    /// Gives the base's image the local name of the key, pulling it where the store does not have it.
    private func pull(_ digest: Digest, _ request: LayerRequest) async throws {
        let name = BuildahStore.name(of: request.key, kind: .base)
        if try await buildah.inspect(digest.hex) == nil {
            guard let image = request.baseImage, image.configDigest == digest else {
                throw BuildFailure(.unknown, message: "failed to pull base '\(digest)': nothing says where it is")
            }
            try await puller.pull(image, platform: request.platform, into: buildah.store, as: name)
            guard try await buildah.inspect(digest.hex) != nil else {
                throw BuildFailure(
                    .transient, message: "failed to pull base '\(image.reference)': its config is not \(digest)"
                )
            }
        }
        try await buildah.name(digest, as: name)
    }
}
