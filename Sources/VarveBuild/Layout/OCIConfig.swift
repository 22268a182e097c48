// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

/// What varve reads of an image's config.
struct OCIConfig: Hashable, Sendable {
    /// The exact bytes.
    var bytes: [UInt8]
    /// Their digest: the image's identity.
    var digest: Digest
    /// The operating system.
    var os: String
    /// The architecture.
    var architecture: String
    /// The variant of the architecture.
    var variant: String?
    /// The digests of the uncompressed layers, the lowest first.
    var diffIDs: [Digest]

    /// Reads a config.
    ///
    /// - Throws: `BuildFailure` of class `definition` when it is none; `subject` is how the message names it.
    init(_ bytes: [UInt8], subject: String) throws(BuildFailure) {
        do {
            let fields = try JSONDecoder().decode(Fields.self, from: Data(bytes))
            self.bytes = bytes
            digest = .of(bytes)
            os = fields.os ?? ""
            architecture = fields.architecture ?? ""
            variant = fields.variant
            diffIDs = fields.rootfs?.diffIDs ?? []
        } catch {
            throw BuildFailure(
                .definition, message: "failed to read the config of '\(subject)': it is not an image config")
        }
    }

    /// Whether the image runs on a platform.
    func matches(_ platform: Platform) -> Bool {
        os == platform.os && architecture == platform.architecture
            && OCIIndex.variant(variant, of: architecture) == OCIIndex.variant(platform.variant, of: architecture)
    }

    /// The platform in words.
    var platform: String { [os, architecture, variant ?? ""].filter { !$0.isEmpty }.joined(separator: "/") }

    private struct Fields: Decodable {
        var os: String?
        var architecture: String?
        var variant: String?
        var rootfs: RootFS?

        struct RootFS: Decodable {
            var diffIDs: [Digest]?

            enum CodingKeys: String, CodingKey {
                case diffIDs = "diff_ids"
            }
        }
    }
}
