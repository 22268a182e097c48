// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// One kind of place that images are published to.
///
/// All failures are thrown as `BuildFailure`.
protocol ImageDestination: Sendable {
    /// The image there, without tag or digest.
    func location(of image: ImageName) -> String

    /// The manifest under a tag; nil where there is none.
    func manifest(of image: ImageName, tag: String) async throws -> OCIManifest?

    /// The manifest of a digest; nil where there is none.
    func manifest(of image: ImageName, digest: Digest) async throws -> OCIManifest?

    /// Whether `isWhole` only reads.
    var isWholeReadsOnly: Bool { get }

    /// Whether everything that a manifest names is there.
    func isWhole(_ manifest: OCIManifest, of image: ImageName) async throws -> Bool

    /// Brings blobs, then the manifest, and reads back that both arrived. No tag is touched.
    func upload(_ staged: StagedImage, of image: ImageName) async throws

    /// Puts a manifest that is wholly there under the build tag and then under the others, in order.
    ///
    /// Gives the manifest that the tags stand on: another one of the same image, where that has come under the build tag
    /// in the meantime.
    func tag(
        _ manifest: OCIManifest, of image: ImageName, build: String, moving: [String]
    ) async throws -> OCIManifest
}
