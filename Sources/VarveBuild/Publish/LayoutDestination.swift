// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// One OCI layout for all images of the fleet.
struct LayoutDestination: ImageDestination {
    /// The layout.
    let layout: OCILayout
    private let names: LayoutNames

    /// The layout of a fleet.
    init(layout: OCILayout) {
        self.layout = layout
        names = LayoutNames(layout)
    }

    func location(of image: ImageName) -> String { "oci:\(layout.path):\(image)" }

    func document(of image: ImageName, tag: String) async throws -> OCIDocument? {
        guard let digest = try names.digest(under: name(image, tag)) else { return nil }
        return try? layout.document(digest)
    }

    func document(of image: ImageName, digest: Digest) async throws -> OCIDocument? {
        // A damaged manifest is as good as none: publishing again writes it anew.
        try? layout.document(digest)
    }

    var isWholeReadsOnly: Bool { true }

    func isWhole(_ document: OCIDocument, of image: ImageName) async throws -> Bool {
        // An image without a name is lost to all other tools.
        try layout.contains(document) && names.hold(document.digest, image: image)
    }

    func upload(_ staged: StagedImage, of image: ImageName) async throws {
        try layout.create()
        for layer in staged.manifest.layers {
            try await layout.blobs.link(staged.layout.blobs.path(of: layer.digest), as: layer)
        }
        let config = staged.manifest.config.digest
        try layout.blobs.write(staged.layout.blobs.read(config, limit: staged.manifest.config.size) ?? [], as: config)
        try layout.blobs.sync()
        try layout.blobs.write(staged.manifest.bytes, as: staged.manifest.digest)
        guard layout.contains(staged.manifest) else {
            throw BuildFailure(
                .environment,
                message: "failed to publish image '\(location(of: image))': a blob is missing after writing"
            )
        }
    }

    func upload(_ staged: StagedIndex, of image: ImageName) async throws {
        try layout.blobs.write(staged.index.bytes, as: staged.index.digest)
        guard layout.contains(.index(staged.index)) else {
            throw BuildFailure(
                .environment,
                message: "failed to publish image '\(location(of: image))': a manifest is missing after writing"
            )
        }
    }

    func tag(
        _ document: OCIDocument, of image: ImageName, build: String, moving: [String]
    ) async throws -> OCIDocument {
        var published = document
        let configs = configs(of: document)
        try layout.updateIndex { index in
            if let descriptor = index.descriptor(named: name(image, build)),
                let present = try? layout.document(descriptor.digest), self.configs(of: present) == configs,
                layout.contains(present)
            {
                published = present
            }
            for tag in [build] + moving { index.set(name(image, tag), to: published.descriptor) }
        }
        return published
    }

    /// What tells one image from another: its config, or those of all platforms.
    private func configs(of document: OCIDocument) -> [Digest?] {
        switch document {
        case .manifest(let manifest): [manifest.config.digest]
        case .index(let index): index.manifests.map { (try? layout.manifest($0.digest))?.config.digest }
        }
    }

    private func name(_ image: ImageName, _ tag: String) -> String { "\(image):\(tag)" }
}
