// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

/// One image's manifest, with the exact bytes it was read from or is published as.
struct OCIManifest: Hashable, Sendable {
    /// The exact bytes.
    var bytes: [UInt8]
    /// Their digest.
    var digest: Digest
    /// The media type.
    var mediaType: String
    /// The config.
    var config: OCIDescriptor
    /// The layers, the lowest first.
    var layers: [OCIDescriptor]
    /// The annotations.
    var annotations: [String: String]

    /// A manifest that was read.
    init(
        bytes: [UInt8], digest: Digest, mediaType: String, config: OCIDescriptor, layers: [OCIDescriptor],
        annotations: [String: String]
    ) {
        self.bytes = bytes
        self.digest = digest
        self.mediaType = mediaType
        self.config = config
        self.layers = layers
        self.annotations = annotations
    }

    /// A new manifest; equal input gives equal bytes.
    ///
    /// - Throws: `BuildFailure` when it cannot be encoded.
    init(config: OCIDescriptor, layers: [OCIDescriptor], annotations: [String: String]) throws(BuildFailure) {
        let fields = Fields(
            config: config, layers: layers, annotations: annotations.isEmpty ? nil : annotations
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do {
            bytes = try Array(encoder.encode(fields))
        } catch {
            throw BuildFailure(.unknown, message: "failed to encode the manifest of '\(config.digest)': \(error)")
        }
        self.init(
            bytes: bytes, digest: .of(bytes), mediaType: MediaType.manifest, config: config, layers: layers,
            annotations: annotations
        )
    }

    /// A pointer to this manifest.
    var descriptor: OCIDescriptor { OCIDescriptor(mediaType: mediaType, digest: digest, size: bytes.count) }

    private struct Fields: Encodable {
        let schemaVersion = 2
        let mediaType = MediaType.manifest
        let config: OCIDescriptor
        let layers: [OCIDescriptor]
        let annotations: [String: String]?
    }
}
