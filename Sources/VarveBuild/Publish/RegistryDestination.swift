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

    func document(of image: ImageName, tag: String) async throws -> OCIDocument? {
        try await read(reference(image, tag: tag))
    }

    func document(of image: ImageName, digest: Digest) async throws -> OCIDocument? {
        let document = try await read(reference(image).pinned(to: digest))
        return document?.digest == digest ? document : nil
    }

    var isWholeReadsOnly: Bool { false }

    /// Copies the image onto itself.
    ///
    /// skopeo asks for every blob, fetches one only where it is missing, and puts the same manifest again. It is the one way by which skopeo answers without pulling layers.
    func isWhole(_ document: OCIDocument, of image: ImageName) async throws -> Bool {
        let pinned = try SkopeoImage.registry(reference(image).pinned(to: document.digest))
        do {
            try await skopeo.copy(pinned, to: pinned, verb: "check", mode: mode(of: document))
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

    /// The images themselves are there, so that skopeo sends the index alone.
    func upload(_ staged: StagedIndex, of image: ImageName) async throws {
        let pinned = try reference(image).pinned(to: staged.index.digest)
        try await skopeo.copy(staged.source, to: .registry(pinned), verb: "publish", mode: .exactIndex)
        guard try await skopeo.manifest(of: .registry(pinned)) == staged.index.bytes else {
            throw BuildFailure(
                .transient,
                message: "failed to publish image '\(pinned)': the registry gives other bytes than it was sent"
            )
        }
    }

    func tag(
        _ document: OCIDocument, of image: ImageName, build: String, moving: [String]
    ) async throws -> OCIDocument {
        let source = try SkopeoImage.registry(reference(image).pinned(to: document.digest))
        for tag in [build] + moving {
            try await skopeo.copy(
                source, to: .registry(reference(image, tag: tag)), verb: "tag", mode: mode(of: document))
        }
        return document
    }

    private func mode(of document: OCIDocument) -> Skopeo.CopyMode { document.isIndex ? .exactIndex : .exact }

    private func read(_ reference: ImageReference) async throws -> OCIDocument? {
        let bytes: [UInt8]
        do {
            bytes = try await skopeo.manifest(of: .registry(reference))
        } catch let failure as BuildFailure where failure.failureClass == .definition {
            return nil
        }
        return try OCIDocument(bytes, subject: reference.description)
    }

    private func reference(_ image: ImageName, tag: String? = nil) throws -> ImageReference {
        try RegistryAddress.reference(host: host, prefix: prefix, name: image.value, tag: tag)
    }
}
