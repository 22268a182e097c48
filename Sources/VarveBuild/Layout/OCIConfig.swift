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
    /// The version of CUDA that the image says it has, `12.2`.
    var cudaVersion: String?

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
            cudaVersion = fields.config.flatMap(Self.cudaVersion(of:))
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

    /// The labels that give the version of CUDA, the first one wins.
    private static let cudaLabels = ["dev.varve.cuda", "com.nvidia.cuda.version"]

    /// A label speaks for the image and wins over `CUDA_VERSION`, which NVIDIA's images set: `12.2.0`.
    private static func cudaVersion(of config: Fields.Config) -> String? {
        let variable = config.environment?.last { $0.hasPrefix("CUDA_VERSION=") }?.dropFirst("CUDA_VERSION=".count)
        let texts = cudaLabels.map { config.labels?[$0] } + [variable.map { String($0) }]
        return texts.lazy.compactMap { $0.flatMap(majorAndMinor(of:)) }.first
    }

    /// `12.2` of `12.2.0`; nil where the text is no version: it becomes a variable of a build step and part of a key.
    private static func majorAndMinor(of text: String) -> String? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let areNumbers = parts.allSatisfy { part in
            (1...4).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        guard (2...4).contains(parts.count), areNumbers else { return nil }
        return parts.prefix(2).joined(separator: ".")
    }

    private struct Fields: Decodable {
        var os: String?
        var architecture: String?
        var variant: String?
        var rootfs: RootFS?
        var config: Config?

        struct Config: Decodable {
            var environment: [String]?
            var labels: [String: String]?

            enum CodingKeys: String, CodingKey {
                case environment = "Env"
                case labels = "Labels"
            }
        }

        struct RootFS: Decodable {
            var diffIDs: [Digest]?

            enum CodingKeys: String, CodingKey {
                case diffIDs = "diff_ids"
            }
        }
    }
}
