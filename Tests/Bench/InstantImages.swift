// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// An engine and a registry that are done at once, and remember as little as they can: what is left is the time and the
/// memory of varve itself.
actor InstantImages: LayerEngine, ImageRegistry {
    private var layers: Set<LayerKey> = []

    var name: String { "none" }

    func prepare() {}

    func layer(for key: LayerKey, kind: LayerKind) throws -> BuiltLayer? {
        layers.contains(key) ? try made(key, kind) : nil
    }

    func build(_ request: LayerRequest, log: any BuildLog) throws -> BuiltLayer {
        layers.insert(request.key)
        return try made(request.key, request.content.kind)
    }

    private func made(_ key: LayerKey, _ kind: LayerKind) throws -> BuiltLayer {
        BuiltLayer(key: key, kind: kind, configDigest: try Digest(hex: key.hex))
    }

    func verify(_ layer: BuiltLayer, script: Script, timeout: Duration, log: any BuildLog) {}

    func resolve(_ reference: ImageReference, platform: Platform) throws -> ResolvedImage {
        throw BuildFailure(.definition, message: "failed to resolve '\(reference)': the benchmark has no registry")
    }

    nonisolated func location(of image: ImageName) -> String { "bench.example.org/\(image)" }

    func publish(_ request: PublishRequest) -> PublishedImage {
        let digest = request.layer.configDigest
        return PublishedImage(
            reference: "\(location(of: request.image))@\(digest)", manifestDigest: digest, configDigest: digest,
            tags: [request.buildTag] + request.movingTags)
    }

    func contains(_ image: ImageName, manifest: Digest) -> Bool { true }

    func digest(of image: ImageName, tag: String) -> Digest? { nil }

    func retag(_ image: ImageName, manifest: Digest, buildTag: String, moving: [String]) {}
}
