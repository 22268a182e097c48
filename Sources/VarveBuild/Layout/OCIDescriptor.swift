// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// A pointer to content, as the OCI image specification defines it (`descriptor.md`).
///
/// Fields that varve does not read are not kept: documents of others are passed on as bytes, never re-encoded.
struct OCIDescriptor: Codable, Hashable, Sendable {
    /// The platform of an entry in an index.
    struct PlatformFields: Codable, Hashable, Sendable {
        var architecture: String
        var os: String
        var variant: String?
    }

    /// The media type of the content; empty where a document leaves it out.
    var mediaType: String
    /// The digest of the content.
    var digest: Digest
    /// The size of the content in bytes.
    var size: Int
    /// The platform, in an index.
    var platform: PlatformFields?
    /// The annotations.
    var annotations: [String: String]?

    /// A pointer to content.
    init(
        mediaType: String, digest: Digest, size: Int, platform: PlatformFields? = nil,
        annotations: [String: String]? = nil
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
        self.annotations = annotations
    }

    /// A pointer to the given bytes.
    init(mediaType: String, content: [UInt8]) {
        self.init(mediaType: mediaType, digest: .of(content), size: content.count)
    }

    /// The name of the annotation by which a layout's index names an image.
    static let referenceName = "org.opencontainers.image.ref.name"
}

/// The media types that varve reads or writes.
enum MediaType {
    static let manifest = "application/vnd.oci.image.manifest.v1+json"
    static let index = "application/vnd.oci.image.index.v1+json"
    static let config = "application/vnd.oci.image.config.v1+json"
    static let layer = "application/vnd.oci.image.layer.v1.tar"
    static let gzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip"
    static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
    static let dockerConfig = "application/vnd.docker.container.image.v1+json"
    /// What the media types of the refused first schema begin with.
    static let dockerSchema1 = "application/vnd.docker.distribution.manifest.v1+"
}
