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

    func manifest(of image: ImageName, tag: String) async throws -> OCIManifest? {
        guard let digest = try names.digest(under: name(image, tag)) else { return nil }
        return try? layout.manifest(digest)
    }

    func manifest(of image: ImageName, digest: Digest) async throws -> OCIManifest? {
        // A damaged manifest is as good as none: publishing again writes it anew.
        try? layout.manifest(digest)
    }

    var isWholeReadsOnly: Bool { true }

    func isWhole(_ manifest: OCIManifest, of image: ImageName) async throws -> Bool {
        // An image without a name is lost to all other tools.
        try layout.contains(manifest) && names.hold(manifest.digest, image: image)
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

    func tag(
        _ manifest: OCIManifest, of image: ImageName, build: String, moving: [String]
    ) async throws -> OCIManifest {
        var published = manifest
        try layout.updateIndex { index in
            if let descriptor = index.descriptor(named: name(image, build)),
                let present = try? layout.manifest(descriptor.digest), present.config.digest == manifest.config.digest,
                layout.contains(present)
            {
                published = present
            }
            for tag in [build] + moving { index.set(name(image, tag), to: published.descriptor) }
        }
        return published
    }

    private func name(_ image: ImageName, _ tag: String) -> String { "\(image):\(tag)" }
}
