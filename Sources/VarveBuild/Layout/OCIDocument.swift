// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

/// What a registry or a layout gives under a name: one image's manifest, or an index of several.
enum OCIDocument: Hashable, Sendable {
    case manifest(OCIManifest)
    case index(OCIIndex)

    /// The largest document that is read; registries refuse larger ones too.
    static let sizeLimit = 4 << 20

    /// Reads a document of the OCI or of the second Docker schema.
    ///
    /// - Throws: `BuildFailure` of class `definition` for anything else; `subject` is how the message names it.
    init(_ bytes: [UInt8], subject: String) throws(BuildFailure) {
        func refuse(_ cause: String) -> BuildFailure {
            BuildFailure(.definition, message: "failed to read the manifest of '\(subject)': \(cause)")
        }
        guard bytes.count <= Self.sizeLimit else { throw refuse("it has more than \(Self.sizeLimit) bytes") }
        let fields: Fields
        do {
            fields = try JSONDecoder().decode(Fields.self, from: Data(bytes))
        } catch {
            throw refuse("it is not an image manifest")
        }
        let type = fields.mediaType ?? ""
        guard fields.schemaVersion == 2, !type.hasPrefix(MediaType.dockerSchema1) else {
            throw refuse("it is of Docker's first image schema, which carries no config digest; push the image again")
        }
        // A document that could be read in two ways is refused (CVE-2021-41190).
        switch (fields.manifests, fields.config, fields.layers) {
        case (let manifests?, nil, nil):
            guard ["", MediaType.index, MediaType.dockerList].contains(type) else {
                throw refuse("media type '\(type)'")
            }
            self = .index(OCIIndex(bytes: bytes, digest: .of(bytes), manifests: manifests))
        case (nil, let config?, let layers?):
            guard ["", MediaType.manifest, MediaType.dockerManifest].contains(type) else {
                throw refuse("media type '\(type)'")
            }
            guard [MediaType.config, MediaType.dockerConfig].contains(config.mediaType) else {
                throw refuse("it is not a container image but of type '\(config.mediaType)'")
            }
            self = .manifest(
                OCIManifest(
                    bytes: bytes, digest: .of(bytes), mediaType: type.isEmpty ? MediaType.manifest : type,
                    config: config, layers: layers, annotations: fields.annotations ?? [:]
                )
            )
        default: throw refuse("it is neither an image manifest nor an index")
        }
    }

    /// The exact bytes.
    var bytes: [UInt8] {
        switch self {
        case .manifest(let manifest): manifest.bytes
        case .index(let index): index.bytes
        }
    }

    /// Their digest.
    var digest: Digest {
        switch self {
        case .manifest(let manifest): manifest.digest
        case .index(let index): index.digest
        }
    }

    /// A pointer to the document.
    var descriptor: OCIDescriptor {
        switch self {
        case .manifest(let manifest): manifest.descriptor
        case .index(let index):
            OCIDescriptor(mediaType: MediaType.index, digest: index.digest, size: index.bytes.count)
        }
    }

    /// Whether it is an index.
    var isIndex: Bool { if case .index = self { true } else { false } }

    private struct Fields: Decodable {
        var schemaVersion: Int
        var mediaType: String?
        var config: OCIDescriptor?
        var layers: [OCIDescriptor]?
        var manifests: [OCIDescriptor]?
        var annotations: [String: String]?
    }
}

/// An index: the images of several platforms under one name.
struct OCIIndex: Hashable, Sendable {
    /// The exact bytes.
    var bytes: [UInt8]
    /// Their digest.
    var digest: Digest
    /// The entries.
    var manifests: [OCIDescriptor]

    /// An index that was read.
    init(bytes: [UInt8], digest: Digest, manifests: [OCIDescriptor]) {
        self.bytes = bytes
        self.digest = digest
        self.manifests = manifests
    }

    /// A new index; equal input gives equal bytes.
    ///
    /// - Throws: `BuildFailure` when it cannot be encoded.
    init(manifests: [OCIDescriptor], annotations: [String: String]) throws(BuildFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let fields = Fields(manifests: manifests, annotations: annotations.isEmpty ? nil : annotations)
        do {
            let bytes = try Array(encoder.encode(fields))
            self.init(bytes: bytes, digest: .of(bytes), manifests: manifests)
        } catch {
            throw BuildFailure(.unknown, message: "failed to encode an image index: \(error)")
        }
    }

    private struct Fields: Encodable {
        let schemaVersion = 2
        let mediaType = MediaType.index
        let manifests: [OCIDescriptor]
        let annotations: [String: String]?
    }

    /// The entry of a platform; nil where there is none.
    ///
    /// A missing variant means the architecture's usual one, as containerd's `platforms` package has it: `v8` of arm64,
    /// `v7` of arm.
    func entry(for platform: Platform) -> OCIDescriptor? {
        manifests.first { entry in
            guard let fields = entry.platform, fields.os == platform.os, fields.architecture == platform.architecture
            else { return false }
            return Self.variant(fields.variant, of: fields.architecture)
                == Self.variant(platform.variant, of: platform.architecture)
        }
    }

    /// The platforms in words, for an error message.
    var platforms: String {
        let names = manifests.compactMap(\.platform).filter { $0.os != "unknown" }.map { fields in
            [fields.os, fields.architecture, fields.variant ?? ""].filter { !$0.isEmpty }.joined(separator: "/")
        }
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    /// A variant, or the usual one of the architecture where none is named.
    static func variant(_ variant: String?, of architecture: String) -> String {
        if let variant, !variant.isEmpty { return variant }
        return ["arm64": "v8", "arm": "v7"][architecture] ?? ""
    }
}
