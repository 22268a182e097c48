// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

/// What the store knows of an image: its identity, its layers and its run configuration.
struct ImageInspection: Sendable {
    /// The run configuration of the OCI image specification, as far as varve reads it.
    struct Configuration: Decodable, Hashable, Sendable {
        var user: String?
        var environment: [String]?
        var entrypoint: [String]?
        var command: [String]?
        /// What a Containerfile on top would run first; in images of Docker's form alone.
        var onBuild: [String]?

        enum CodingKeys: String, CodingKey {
            case user = "User"
            case environment = "Env"
            case entrypoint = "Entrypoint"
            case command = "Cmd"
            case onBuild = "OnBuild"
        }

        /// The value of a variable, nil where it is not set.
        func variable(_ name: String) -> String? {
            environment?.last { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
        }
    }

    /// The config digest.
    var configDigest: Digest
    /// The diff-ids, lowest first.
    var diffIDs: [Digest]
    /// The size of the topmost layer in bytes as the manifest says it, where it is known; compressed in one that was pulled.
    var size: Int?
    /// The run configuration.
    var configuration: Configuration

    /// Reads the answer of `buildah inspect --type image`.
    ///
    /// - Throws: `DecodingError` or `ValueError` when it is not of the form that buildah writes.
    init(json: [UInt8]) throws {
        let answer = try JSONDecoder().decode(Answer.self, from: Data(json))
        let config = try JSONDecoder().decode(Config.self, from: Data(answer.config.utf8))
        configDigest = try Digest(hex: answer.id)
        diffIDs = try config.rootfs.diffIDs.map { text in try Digest(text) }
        configuration = config.config ?? Configuration()
        size = (try? JSONDecoder().decode(Manifest.self, from: Data(answer.manifest.utf8)))?.layers?.last?.size
    }

    private struct Answer: Decodable {
        var id: String
        var config: String
        var manifest: String

        enum CodingKeys: String, CodingKey {
            case id = "FromImageID"
            case config = "Config"
            case manifest = "Manifest"
        }
    }

    private struct Config: Decodable {
        struct RootFS: Decodable {
            var diffIDs: [String]

            enum CodingKeys: String, CodingKey {
                case diffIDs = "diff_ids"
            }
        }

        var rootfs: RootFS
        var config: Configuration?
    }

    private struct Manifest: Decodable {
        struct Layer: Decodable {
            var size: Int
        }

        var layers: [Layer]?
    }
}
