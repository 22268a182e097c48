// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemPackage
import VarveModel

/// An OCI image layout that holds one image of one uncompressed layer, under the name `base`.
struct BootstrapLayout: Sendable {
    /// The layout's folder.
    let folder: String

    /// Takes a tar into a new layout, by its name alone, and writes config, manifest and index around it.
    ///
    /// A `user` is the image's USER, and its home the working directory. HOME is left to whoever runs the image: as a variable,
    /// root would have it too and fill the user's home with files of its own.
    ///
    /// - Throws: `BuildFailure` of class `diskFull` or `environment`.
    @concurrent
    func write(tar: String, platform: Platform, user: String? = nil) async throws {
        do {
            let layout = OCILayout(FilePath(folder))
            try layout.create()
            let archive = DurableDirectory(FilePath(tar).removingLastComponent())
            let layer = OCIDescriptor(
                mediaType: MediaType.layer, digest: try .ofFile(at: FilePath(tar)),
                size: archive.size(of: FilePath(tar).lastComponent?.string ?? "") ?? 0
            )
            try layout.blobs.adopt(FilePath(tar), as: layer)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let bytes = try Array(
                encoder.encode(
                    ImageConfig(
                        created: Recipe.created, architecture: platform.architecture, os: platform.os,
                        variant: platform.variant,
                        config: .init(
                            user: user, env: ["PATH=" + BuildahEngine.path], cmd: ["/bin/bash"],
                            workingDir: user.map { "/home/" + $0 }
                        ),
                        rootfs: .init(type: "layers", diffIDs: [layer.digest])
                    )
                ))
            let config = OCIDescriptor(mediaType: MediaType.config, content: bytes)
            let manifest = try OCIManifest(config: config, layers: [layer], annotations: [:])
            try layout.blobs.write(bytes, as: config.digest)
            try layout.blobs.write(manifest.bytes, as: manifest.digest)
            try layout.updateIndex { $0.set("base", to: manifest.descriptor) }
        } catch {
            throw BuildFailure.ofFile(error, verb: "write", path: folder, layer: .base)
        }
    }

    private struct ImageConfig: Encodable {
        struct Run: Encodable {
            var user: String?
            var env: [String]
            var cmd: [String]
            var workingDir: String?

            enum CodingKeys: String, CodingKey {
                case user = "User"
                case env = "Env"
                case cmd = "Cmd"
                case workingDir = "WorkingDir"
            }
        }

        struct RootFS: Encodable {
            var type: String
            var diffIDs: [Digest]

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
}
