// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// One kind of place that images are published to.
///
/// All failures are thrown as `BuildFailure`.
protocol ImageDestination: Sendable {
    /// The image there, without tag or digest.
    func location(of image: ImageName) -> String

    /// What stands under a tag; nil where there is nothing.
    func document(of image: ImageName, tag: String) async throws -> OCIDocument?

    /// The manifest or index of a digest; nil where there is none.
    func document(of image: ImageName, digest: Digest) async throws -> OCIDocument?

    /// Whether `isWhole` only reads.
    var isWholeReadsOnly: Bool { get }

    /// Whether everything that a manifest or an index names is there.
    func isWhole(_ document: OCIDocument, of image: ImageName) async throws -> Bool

    /// Brings blobs, then the manifest, and reads back that both arrived. No tag is touched.
    func upload(_ staged: StagedImage, of image: ImageName) async throws

    /// Brings an index whose manifests have been uploaded. No tag is touched.
    func upload(_ staged: StagedIndex, of image: ImageName) async throws

    /// Puts a manifest or an index that is wholly there under the build tag and then under the others, in order.
    ///
    /// Gives the one that the tags stand on: another one of the same image, where that has come under the build tag
    /// in the meantime.
    func tag(
        _ document: OCIDocument, of image: ImageName, build: String, moving: [String]
    ) async throws -> OCIDocument
}

extension ImageDestination {
    /// The manifest of a digest; nil where there is none.
    func manifest(of image: ImageName, digest: Digest) async throws -> OCIManifest? {
        guard case .manifest(let manifest) = try await document(of: image, digest: digest) else { return nil }
        return manifest
    }

    /// The manifests of a document's images, in order; nil where one is not there.
    func manifests(of document: OCIDocument, image: ImageName) async throws -> [OCIManifest]? {
        guard case .index(let index) = document else {
            guard case .manifest(let manifest) = document else { return nil }
            return [manifest]
        }
        var result: [OCIManifest] = []
        for entry in index.manifests {
            guard let manifest = try await manifest(of: image, digest: entry.digest) else { return nil }
            result.append(manifest)
        }
        return result
    }
}
