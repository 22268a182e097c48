// SPDX-License-Identifier: Apache-2.0

import SystemPackage
public import VarveModel

/// Publishes images to a registry or to one OCI layout, and finds bases, by skopeo.
public struct SkopeoImageRegistry: ImageRegistry {
    /// Where images are published.
    public let address: RegistryAddress
    private let store: BuildahStore
    let skopeo: Skopeo
    let stateDirectory: String
    private let exporter: ImageExporter
    private let destination: any ImageDestination
    private let resolver: ImageResolver

    /// A registry for the images of one store.
    ///
    /// - Parameters:
    ///   - address: Where images are published.
    ///   - store: Where finished layers are.
    ///   - stateDirectory: Where half-made exports and compressed layers are kept; an absolute path.
    ///   - access: How registries are reached.
    ///   - environment: varve's own environment; tools see the part that they need.
    ///   - memory: What earlier lookups learned; one for the process.
    public init(
        address: RegistryAddress, store: BuildahStore, stateDirectory: String, access: RegistryAccess,
        environment: [String: String], memory: RegistryMemory = RegistryMemory()
    ) {
        self.address = address
        self.store = store
        self.stateDirectory = stateDirectory
        skopeo = Skopeo(environment: environment, access: access)
        resolver = ImageResolver(
            skopeo: skopeo, probe: ManifestProbe(access: access, environment: environment, memory: memory),
            memory: memory)
        exporter = ImageExporter(skopeo: skopeo, stateDirectory: FilePath(stateDirectory))
        destination =
            switch address {
            case .registry(let host, let prefix): RegistryDestination(host: host, prefix: prefix, skopeo: skopeo)
            case .layout(let path): LayoutDestination(layout: OCILayout(FilePath(path)))
            }
    }

    /// Removes what a crash left of exports; to be called once at start, before the first publish.
    ///
    /// - Throws: `BuildFailure` when the state directory cannot be written.
    public func prepare() async throws { try exporter.prepare() }

    /// What brings bases into the engine's store.
    public var basePuller: any BaseImagePuller {
        SkopeoBasePuller(skopeo: skopeo, exporter: exporter, destination: destination)
    }

    /// The cache of finished layers in the registry; nil for a layout.
    public var layerCache: (any LayerCache)? {
        guard case .registry(let host, let prefix) = address else { return nil }
        return RegistryLayerCache(host: host, prefix: prefix, skopeo: skopeo, exporter: exporter)
    }

    /// Finds the platform's manifest and config of a reference, without pulling a layer.
    public func resolve(_ reference: ImageReference, platform: Platform) async throws -> ResolvedImage {
        try await resolver.resolve(reference, platform: platform)
    }

    /// Where an image of this repository is published, without tag or digest.
    public func location(of image: ImageName) -> String { destination.location(of: image) }

    /// Whether a published manifest is still there and, where that can be told without writing, its config and all its
    /// layers.
    ///
    /// A registry keeps what a manifest names for as long as it keeps the manifest; what was lost behind its back is seen
    /// and mended when the image is published again.
    public func contains(_ image: ImageName, manifest: Digest) async throws -> Bool {
        guard let document = try await destination.document(of: image, digest: manifest) else { return false }
        return destination.isWholeReadsOnly ? try await destination.isWhole(document, of: image) : true
    }

    /// The digest of the manifest or index that a tag of an image stands on; nil where there is no such tag.
    public func digest(of image: ImageName, tag: String) async throws -> Digest? {
        try await destination.document(of: image, tag: tag)?.digest
    }

    /// Puts the bytes of a published manifest under tags again.
    ///
    /// - Throws: `BuildFailure`; of class `definition` where the manifest is not there.
    public func retag(_ image: ImageName, manifest: Digest, buildTag: String, moving: [String]) async throws {
        guard let document = try await destination.document(of: image, digest: manifest) else {
            throw BuildFailure(
                .definition, message: "failed to tag image '\(location(of: image))@\(manifest)': it is not there")
        }
        _ = try await destination.tag(document, of: image, build: buildTag, moving: moving)
    }

    /// Publishes a finished image and moves its tags.
    ///
    /// The build tag is never moved from one image to another. Where it already stands on the same image, that manifest is
    /// the published one and no bytes are sent, whatever annotations were asked for; so a publish that is done again ends
    /// in the same digest. Only where that image is no longer whole is it replaced.
    ///
    /// - Throws: `BuildFailure`; of class `definition` where the build tag stands on another image.
    public func publish(_ request: PublishRequest) async throws -> PublishedImage {
        let image = request.image
        try checkTags(request)
        var document: OCIDocument
        if let published = try await published(request) {
            for manifest in try await destination.manifests(of: published, image: image) ?? [] {
                try checkSize(manifest, request)
            }
            document = published
        } else {
            document = try await upload(request)
        }
        var moving: [String] = []
        for tag in request.movingTags where tag != request.buildTag && !moving.contains(tag) { moving.append(tag) }
        try await request.beforeTagging?()
        document = try await destination.tag(document, of: image, build: request.buildTag, moving: moving)
        let manifests = try await destination.manifests(of: document, image: image) ?? []
        var published = PublishedImage(
            reference: "\(location(of: image))@\(document.digest)", manifestDigest: document.digest,
            configDigest: manifests.first?.config.digest ?? request.layer.configDigest,
            tags: [request.buildTag] + moving
        )
        if document.isIndex {
            published.platforms = manifests.map {
                PublishedPlatform(manifestDigest: $0.digest, configDigest: $0.config.digest)
            }
        }
        return published
    }

    /// Refuses an image of a platform whose layers, compressed as they are published, are larger than allowed.
    private func checkSize(_ manifest: OCIManifest, _ request: PublishRequest) throws {
        let size = manifest.layers.reduce(0) { $0 + $1.size }
        guard let limit = request.maximumSize, size > limit else { return }
        throw BuildFailure(
            .definition,
            message: "failed to publish image '\(request.image)': its layers have \(size) bytes, "
                + "and 'policy.maximumSize' (varve.yaml) allows \(limit)"
        )
    }

    private func checkTags(_ request: PublishRequest) throws {
        for tag in [request.buildTag] + request.movingTags where !ImageReference.isTag(tag) {
            throw BuildFailure(
                .definition, message: "failed to publish image '\(request.image)': '\(tag)' is not a tag")
        }
    }

    /// What the build tag stands on, where it is this image, whole.
    private func published(_ request: PublishRequest) async throws -> OCIDocument? {
        guard let document = try await buildTagDocument(request) else { return nil }
        guard let manifests = try await destination.manifests(of: document, image: request.image) else { return nil }
        guard document.isIndex != request.others.isEmpty, manifests.map(\.config.digest) == request.configDigests else {
            throw BuildFailure(
                .definition,
                message:
                    "failed to publish image '\(location(of: request.image)):\(request.buildTag)': the tag already "
                    + "stands on another image, \(manifests.map(\.config.digest.description).joined(separator: " "))"
            )
        }
        return try await destination.isWhole(document, of: request.image) ? document : nil
    }

    private func buildTagDocument(_ request: PublishRequest) async throws -> OCIDocument? {
        do {
            return try await destination.document(of: request.image, tag: request.buildTag)
        } catch let failure as BuildFailure where failure.failureClass == .unauthorized {
            // Some registries answer so for a repository that the first push makes; the push tells the two apart.
            return nil
        }
    }

    private func upload(_ request: PublishRequest) async throws -> OCIDocument {
        let first = try await upload(request.layer, annotations: request.annotations, of: request)
        guard !request.others.isEmpty else { return .manifest(first.manifest) }
        var images = [first]
        for other in request.others {
            images.append(try await upload(other.layer, annotations: other.annotations, of: request))
        }
        // What the index stands for is no single base.
        let annotations = request.annotations.filter { !$0.key.hasPrefix("org.opencontainers.image.base.") }
        return try await exporter.withIndex(of: images, annotations: annotations) { staged in
            try await destination.upload(staged, of: request.image)
            return .index(staged.index)
        }
    }

    private func upload(
        _ layer: BuiltLayer, annotations: [String: String], of request: PublishRequest
    ) async throws -> UploadedImage {
        let source = SkopeoImage.store(store, name: "@" + layer.configDigest.hex)
        return try await exporter.withExport(of: source, annotations: annotations) { staged in
            guard staged.manifest.config.digest == layer.configDigest else {
                throw BuildFailure(
                    .unknown,
                    message: "failed to export image '\(layer.configDigest)': "
                        + "the store gave the config of another image, \(staged.manifest.config.digest)"
                )
            }
            try checkSize(staged.manifest, request)
            try await destination.upload(staged, of: request.image)
            let config = try staged.layout.blobs.read(layer.configDigest, limit: staged.manifest.config.size) ?? []
            return UploadedImage(
                manifest: staged.manifest, config: try OCIConfig(config, subject: location(of: request.image)))
        }
    }
}

extension PublishRequest {
    /// The configs of all platforms, in order.
    fileprivate var configDigests: [Digest] { [layer.configDigest] + others.map(\.layer.configDigest) }
}
