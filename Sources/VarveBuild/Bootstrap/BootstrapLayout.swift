// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemPackage
import VarveModel

import struct Crypto.SHA256

/// An OCI image layout that holds one image of one uncompressed layer.
///
/// https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
struct BootstrapLayout: Sendable {
    /// The layout's folder.
    let folder: String

    /// Moves a tar into a new layout and writes config, manifest and index around it.
    ///
    /// - Throws: `BuildFailure` of class `diskFull` or `environment`.
    @concurrent
    func write(tar: String, platform: Platform) async throws {
        do {
            let files = FileManager.default
            try files.createDirectory(atPath: folder + "/blobs/sha256", withIntermediateDirectories: true)
            let (layer, layerSize) = try Self.digest(of: tar)
            try files.moveItem(atPath: tar, toPath: folder + "/blobs/sha256/" + layer.hex)
            let config = try writeBlob(
                ImageConfig(
                    created: Recipe.created, architecture: platform.architecture, os: platform.os,
                    variant: platform.variant,
                    config: .init(env: ["PATH=" + BuildahEngine.path], cmd: ["/bin/bash"]),
                    rootfs: .init(type: "layers", diffIDs: [layer.description])
                ),
                mediaType: "application/vnd.oci.image.config.v1+json"
            )
            var manifest = try writeBlob(
                Manifest(
                    schemaVersion: 2, mediaType: Self.manifestType, config: config,
                    layers: [
                        Descriptor(
                            mediaType: "application/vnd.oci.image.layer.v1.tar", digest: layer.description,
                            size: layerSize
                        )
                    ]
                ),
                mediaType: Self.manifestType
            )
            manifest.annotations = ["org.opencontainers.image.ref.name": "base"]
            try encode(Index(schemaVersion: 2, manifests: [manifest])).write(to: URL(filePath: folder + "/index.json"))
            try Data(#"{"imageLayoutVersion":"1.0.0"}"#.utf8).write(to: URL(filePath: folder + "/oci-layout"))
        } catch {
            throw BuildFailure.ofFile(error, verb: "write", path: folder, layer: .base)
        }
    }

    private static let manifestType = "application/vnd.oci.image.manifest.v1+json"

    private struct ImageConfig: Encodable {
        struct Run: Encodable {
            var env: [String]
            var cmd: [String]

            enum CodingKeys: String, CodingKey {
                case env = "Env"
                case cmd = "Cmd"
            }
        }

        struct RootFS: Encodable {
            var type: String
            var diffIDs: [String]

            enum CodingKeys: String, CodingKey {
                case type
                case diffIDs = "diff_ids"
            }
        }

        var created: String
        var architecture: String
        var os: String
        var variant: String?
        var config: Run
        var rootfs: RootFS
    }

    private struct Descriptor: Encodable {
        var mediaType: String
        var digest: String
        var size: Int
        var annotations: [String: String]?
    }

    private struct Manifest: Encodable {
        var schemaVersion: Int
        var mediaType: String
        var config: Descriptor
        var layers: [Descriptor]
    }

    private struct Index: Encodable {
        var schemaVersion: Int
        var manifests: [Descriptor]
    }

    private func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    private func writeBlob(_ value: some Encodable, mediaType: String) throws -> Descriptor {
        let data = try encode(value)
        let digest = try Digest(hex: hexadecimal(SHA256.hash(data: data)))
        try data.write(to: URL(filePath: folder + "/blobs/sha256/" + digest.hex))
        return Descriptor(mediaType: mediaType, digest: digest.description, size: data.count)
    }

    private static func digest(of path: String) throws -> (Digest, Int) {
        let file = try FileDescriptor.open(FilePath(path), .readOnly)
        defer { try? file.close() }
        var hash = SHA256()
        var size = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { break }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            size += count
        }
        return (try Digest(hex: hexadecimal(hash.finalize())), size)
    }
}

/// Bytes as lower-case hexadecimal digits.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
