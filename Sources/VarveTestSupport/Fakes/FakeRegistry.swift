// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// A registry in memory: bases by reference, published images by name and manifest.
public actor FakeRegistry: ImageRegistry {
    /// Every publication, in order.
    public private(set) var publications: [PublishRequest] = []
    /// How many lookups of bases there were.
    public private(set) var lookups = 0
    private var bases: [ImageReference: ResolvedImage] = [:]
    private var manifests: [ImageName: Set<Digest>] = [:]
    private var tags: [ImageName: [String: Digest]] = [:]
    private var publishing: @Sendable (PublishRequest) async throws -> Void = { _ in }
    private var resolving: @Sendable (ImageReference) async -> Void = { _ in }
    private var failure: BuildFailure?

    /// An empty registry.
    public init() {}

    /// Puts content under a reference, as a push does.
    public func push(_ content: String, to reference: ImageReference, manifest: String? = nil) {
        bases[reference] = ResolvedImage(
            reference: reference.description, manifestDigest: Digest(hashing: "manifest \(manifest ?? content)"),
            configDigest: Digest(hashing: content))
    }

    /// Takes what happens in each publication before the tags are moved.
    public func onPublish(_ body: @escaping @Sendable (PublishRequest) async throws -> Void) { publishing = body }

    /// Takes what is waited for in each lookup of a base.
    public func onResolve(_ gate: @escaping @Sendable (ImageReference) async -> Void) { resolving = gate }

    /// Makes every call fail until it is called with nil.
    public func fail(_ failure: BuildFailure?) { self.failure = failure }

    /// Forgets what was counted.
    public func resetCounts() {
        publications = []
        lookups = 0
    }

    /// Loses the manifests of an image.
    public func lose(_ image: ImageName) { manifests[image] = nil }

    /// The base under a reference.
    public func resolve(_ reference: ImageReference, platform: Platform) async throws -> ResolvedImage {
        lookups += 1
        await resolving(reference)
        if let failure { throw failure }
        guard let base = bases[reference] else {
            throw BuildFailure(.definition, message: "failed to resolve image '\(reference)': not found")
        }
        return base
    }

    /// `registry.example.com/NAME`.
    public nonisolated func location(of image: ImageName) -> String { "registry.example.com/\(image)" }

    /// Keeps the image; equal requests give equal digests.
    public func publish(_ request: PublishRequest) async throws -> PublishedImage {
        if let failure { throw failure }
        publications.append(request)
        let annotations = request.annotations.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let layers = [request.layer] + request.others.map(\.layer)
        let configs = layers.map(\.configDigest.description).joined(separator: " ")
        let manifest = Digest(hashing: "\(configs) \(annotations.joined(separator: " "))")
        manifests[request.image, default: []].insert(manifest)
        try await publishing(request)
        try await request.beforeTagging?()
        for tag in [request.buildTag] + request.movingTags { tags[request.image, default: [:]][tag] = manifest }
        var published = PublishedImage(
            reference: "\(location(of: request.image))@\(manifest)", manifestDigest: manifest,
            configDigest: request.layer.configDigest, tags: [request.buildTag] + request.movingTags)
        if layers.count > 1 {
            published.platforms = layers.map {
                PublishedPlatform(
                    manifestDigest: Digest(hashing: "manifest \($0.configDigest)"), configDigest: $0.configDigest)
            }
        }
        return published
    }

    /// Puts a tag somewhere else, as another writer does.
    public func move(_ tag: String, of image: ImageName, to manifest: Digest) {
        tags[image, default: [:]][tag] = manifest
    }

    /// What a tag was put on last.
    public func digest(of image: ImageName, tag: String) async throws -> Digest? {
        if let failure { throw failure }
        return tags[image]?[tag]
    }

    /// Moves the tags.
    public func retag(_ image: ImageName, manifest: Digest, buildTag: String, moving: [String]) async throws {
        if let failure { throw failure }
        for tag in [buildTag] + moving { tags[image, default: [:]][tag] = manifest }
    }

    /// Whether the manifest was published and not lost.
    public func contains(_ image: ImageName, manifest: Digest) async throws -> Bool {
        if let failure { throw failure }
        return manifests[image]?.contains(manifest) == true
    }
}
