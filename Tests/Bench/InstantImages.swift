// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// An engine and a registry that are done at once: what is left is the time of varve itself.
actor InstantImages: LayerEngine, ImageRegistry {
    private var layers: [LayerKey: BuiltLayer] = [:]
    private var published: Set<Digest> = []

    var name: String { "none" }

    func prepare() {}

    func layer(for key: LayerKey, kind: LayerKind) -> BuiltLayer? { layers[key] }

    func build(_ request: LayerRequest, log: any BuildLog) throws -> BuiltLayer {
        let layer = BuiltLayer(
            key: request.key, kind: request.content.kind, configDigest: try Digest(hex: request.key.hex))
        layers[request.key] = layer
        return layer
    }

    func verify(_ layer: BuiltLayer, script: Script, timeout: Duration, log: any BuildLog) {}

    func resolve(_ reference: ImageReference, platform: Platform) throws -> ResolvedImage {
        throw BuildFailure(.definition, message: "failed to resolve '\(reference)': the benchmark has no registry")
    }

    nonisolated func location(of image: ImageName) -> String { "bench.example.org/\(image)" }

    func publish(_ request: PublishRequest) -> PublishedImage {
        let digest = request.layer.configDigest
        published.insert(digest)
        return PublishedImage(
            reference: "\(location(of: request.image))@\(digest)", manifestDigest: digest, configDigest: digest,
            tags: [request.buildTag] + request.movingTags)
    }

    func contains(_ image: ImageName, manifest: Digest) -> Bool { published.contains(manifest) }

    func digest(of image: ImageName, tag: String) -> Digest? { nil }

    func retag(_ image: ImageName, manifest: Digest, buildTag: String, moving: [String]) {}
}
