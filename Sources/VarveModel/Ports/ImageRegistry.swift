// SPDX-License-Identifier: Apache-2.0

/// Where images are published and bases are found.
///
/// All failures are thrown as `BuildFailure`; a name that does not exist is of class `definition`.
public protocol ImageRegistry: Sendable {
    /// Finds the platform's manifest and config of a reference, without pulling a layer.
    func resolve(_ reference: ImageReference, platform: Platform) async throws -> ResolvedImage

    /// Where an image of this repository is published, without tag or digest: `registry.example.com/ds-python`, or
    /// `oci:DIR:NAME` for a layout.
    func location(of image: ImageName) -> String

    /// Publishes a finished image and moves its tags, in this order: blobs, manifest, read back and compared, tags.
    /// Publishing again puts the same bytes.
    func publish(_ request: PublishRequest) async throws -> PublishedImage

    /// Whether a published manifest is still there, whole.
    func contains(_ image: ImageName, manifest: Digest) async throws -> Bool

    /// The digest of the manifest or index that a tag of an image stands on; nil where there is no such tag.
    func digest(of image: ImageName, tag: String) async throws -> Digest?

    /// Puts the bytes of a published manifest under tags again. The build tag stands on it already.
    func retag(_ image: ImageName, manifest: Digest, buildTag: String, moving: [String]) async throws
}

/// An image that exists, as it was found for one platform.
public struct ResolvedImage: Hashable, Sendable {
    /// The reference that was asked for, or where the image of this repository is published.
    public var reference: String
    /// The digest of the platform's manifest: what is pulled; never part of a key.
    public var manifestDigest: Digest
    /// The config digest: the identity.
    public var configDigest: Digest
    /// The image of this repository that it is, where it is one.
    public var image: ImageName?
    /// The version of CUDA that the image says it has, `12.2`: by its label or its variable `CUDA_VERSION`; nil where it
    /// has none.
    public var cudaVersion: String?

    /// An image that exists.
    public init(
        reference: String, manifestDigest: Digest, configDigest: Digest, image: ImageName? = nil,
        cudaVersion: String? = nil
    ) {
        self.cudaVersion = cudaVersion
        self.reference = reference
        self.manifestDigest = manifestDigest
        self.configDigest = configDigest
        self.image = image
    }
}

/// A finished image to publish.
public struct PublishRequest: Sendable {
    /// The image's name.
    public var image: ImageName
    /// Its last layer.
    public var layer: BuiltLayer
    /// The tag that is never moved: `2026.11.23-0123456789ab`.
    public var buildTag: String
    /// The tags that are moved: `latest` and what the definition asks for.
    public var movingTags: [String]
    /// Annotations of the manifest: source and revision.
    public var annotations: [String: String]
    /// The last layers for the other platforms; with any, an index is published and the tags stand on it.
    public var others: [PlatformLayer] = []
    /// The bytes that the image's layers can have as they are published, in all; nil for any.
    public var maximumSize: Int?
    /// Asked when the image is wholly there and no tag stands on it yet; what it throws ends the publishing.
    public var beforeTagging: (@Sendable () async throws -> Void)?

    /// A finished image to publish.
    public init(
        image: ImageName, layer: BuiltLayer, buildTag: String, movingTags: [String], annotations: [String: String]
    ) {
        self.image = image
        self.layer = layer
        self.buildTag = buildTag
        self.movingTags = movingTags
        self.annotations = annotations
    }
}

/// The last layer of an image for one platform.
public struct PlatformLayer: Hashable, Sendable {
    /// The layer.
    public var layer: BuiltLayer
    /// Annotations of the platform's manifest.
    public var annotations: [String: String]

    /// A last layer.
    public init(layer: BuiltLayer, annotations: [String: String]) {
        self.layer = layer
        self.annotations = annotations
    }
}

/// An image as it was published.
public struct PublishedImage: Hashable, Sendable {
    /// The image by digest: `registry.example.com/ds-python@sha256:…` or `oci:DIR:NAME@sha256:…`.
    public var reference: String
    /// The digest of the manifest, or of the index of several platforms.
    public var manifestDigest: Digest
    /// The config's digest; that of the first platform where there are several.
    public var configDigest: Digest
    /// The tags that now stand on the manifest.
    public var tags: [String]
    /// The manifests and configs of several platforms, in the request's order; empty where there is one.
    public var platforms: [PublishedPlatform] = []

    /// An image as it was published.
    public init(reference: String, manifestDigest: Digest, configDigest: Digest, tags: [String]) {
        self.reference = reference
        self.manifestDigest = manifestDigest
        self.configDigest = configDigest
        self.tags = tags
    }
}

/// One platform's part of an index that was published.
public struct PublishedPlatform: Hashable, Sendable {
    /// The digest of its manifest.
    public var manifestDigest: Digest
    /// The digest of its config.
    public var configDigest: Digest

    /// One platform's part.
    public init(manifestDigest: Digest, configDigest: Digest) {
        self.manifestDigest = manifestDigest
        self.configDigest = configDigest
    }
}

/// A reference as it is looked up: what it means depends on the platform.
public struct PlatformReference: Hashable, Sendable {
    /// The reference.
    public var reference: ImageReference
    /// The platform.
    public var platform: Platform

    /// A reference for a platform.
    public init(_ reference: ImageReference, for platform: Platform) {
        self.reference = reference
        self.platform = platform
    }
}
