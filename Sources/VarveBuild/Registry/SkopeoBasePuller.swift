// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Pulls bases by digest: from their registry, or from where this repository's images are published.
struct SkopeoBasePuller: BaseImagePuller {
    let skopeo: Skopeo
    let exporter: ImageExporter
    let destination: any ImageDestination

    func pull(_ image: ResolvedImage, platform: Platform, into store: BuildahStore, as name: String) async throws {
        let target = SkopeoImage.store(store, name: name)
        if let own = image.image, let layout = (destination as? LayoutDestination)?.layout {
            guard let manifest = try await destination.manifest(of: own, digest: image.manifestDigest) else {
                throw BuildFailure(
                    .definition, message: "failed to pull image '\(image.reference)@\(image.manifestDigest)': not found"
                )
            }
            try check(manifest, against: image)
            try await exporter.withView(of: manifest, in: layout) { view in
                try await skopeo.copy(view.source, to: target, verb: "pull", platform: platform)
            }
            return
        }
        let pinned: ImageReference
        do {
            pinned = try ImageReference(image.reference).pinned(to: image.manifestDigest)
        } catch {
            throw BuildFailure(.definition, message: "failed to pull image '\(image.reference)': \(error)")
        }
        let bytes = try await skopeo.manifest(of: .registry(pinned))
        guard case .manifest(let manifest) = try OCIDocument(bytes, subject: pinned.description) else {
            throw BuildFailure(.definition, message: "failed to pull image '\(pinned)': it is an index")
        }
        try check(manifest, against: image)
        try await skopeo.copy(
            .registry(pinned), to: target, verb: "pull", origin: image.image == nil ? .outside : .own,
            platform: platform
        )
    }

    /// Checked before the pull: skopeo in turn checks config and layers against the manifest.
    private func check(_ manifest: OCIManifest, against image: ResolvedImage) throws {
        guard manifest.digest == image.manifestDigest, manifest.config.digest == image.configDigest else {
            throw BuildFailure(
                .definition,
                message: "failed to pull image '\(image.reference)@\(image.manifestDigest)': "
                    + "its config is \(manifest.config.digest), expected \(image.configDigest)"
            )
        }
    }
}
