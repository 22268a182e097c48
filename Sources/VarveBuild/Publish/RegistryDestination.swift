// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// A registry of the OCI distribution specification, reached by skopeo.
struct RegistryDestination: ImageDestination {
    /// The registry's host.
    let host: String
    /// What stands before every image's name.
    let prefix: String
    /// What reaches it.
    let skopeo: Skopeo

    func location(of image: ImageName) -> String {
        host + "/" + (prefix.isEmpty ? "" : prefix + "/") + image.value
    }

    func manifest(of image: ImageName, tag: String) async throws -> OCIManifest? {
        try await read(reference(image, tag: tag))
    }

    func manifest(of image: ImageName, digest: Digest) async throws -> OCIManifest? {
        let manifest = try await read(reference(image).pinned(to: digest))
        return manifest?.digest == digest ? manifest : nil
    }

    var isWholeReadsOnly: Bool { false }

    /// Copies the image onto itself.
    ///
    /// skopeo asks for every blob, fetches one only where it is missing, and puts the same manifest again. It is the one way by which skopeo answers without pulling layers.
    func isWhole(_ manifest: OCIManifest, of image: ImageName) async throws -> Bool {
        let pinned = try SkopeoImage.registry(reference(image).pinned(to: manifest.digest))
        do {
            try await skopeo.copy(pinned, to: pinned, verb: "check")
            return true
        } catch let failure as BuildFailure where failure.failureClass == .definition {
            return false
        }
    }

    func upload(_ staged: StagedImage, of image: ImageName) async throws {
        let pinned = try reference(image).pinned(to: staged.manifest.digest)
        try await skopeo.copy(staged.source, to: .registry(pinned), verb: "publish")
        guard try await skopeo.manifest(of: .registry(pinned)) == staged.manifest.bytes else {
            throw BuildFailure(
                .transient,
                message: "failed to publish image '\(pinned)': the registry gives other bytes than it was sent"
            )
        }
    }

    func tag(
        _ manifest: OCIManifest, of image: ImageName, build: String, moving: [String]
    ) async throws -> OCIManifest {
        let source = try SkopeoImage.registry(reference(image).pinned(to: manifest.digest))
        for tag in [build] + moving {
            try await skopeo.copy(source, to: .registry(reference(image, tag: tag)), verb: "tag")
        }
        return manifest
    }

    private func read(_ reference: ImageReference) async throws -> OCIManifest? {
        let bytes: [UInt8]
        do {
            bytes = try await skopeo.manifest(of: .registry(reference))
        } catch let failure as BuildFailure where failure.failureClass == .definition {
            return nil
        }
        guard case .manifest(let manifest) = try OCIDocument(bytes, subject: reference.description) else {
            throw BuildFailure(
                .definition,
                message: "failed to read image '\(reference)': an index stands in the place of varve's image"
            )
        }
        return manifest
    }

    private func reference(_ image: ImageName, tag: String? = nil) throws -> ImageReference {
        try RegistryAddress.reference(host: host, prefix: prefix, name: image.value, tag: tag)
    }
}
