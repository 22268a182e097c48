// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Finds what a reference means for a platform, without pulling a layer.
struct ImageResolver: Sendable {
    private let skopeo: Skopeo
    /// How many indexes may stand one in another.
    private static let depthLimit = 3

    /// A resolver that asks by skopeo.
    init(skopeo: Skopeo) { self.skopeo = skopeo }

    /// The platform's manifest of a reference.
    ///
    /// What was asked for by digest is checked against it, so every step from the index to the config's digest is.
    ///
    /// - Throws: `BuildFailure` of class `definition` where the name, the platform or a usable manifest is missing.
    func resolve(_ reference: ImageReference, platform: Platform) async throws -> ResolvedImage {
        func refuse(_ cause: String) -> BuildFailure {
            BuildFailure(.definition, message: "failed to resolve image '\(reference)': \(cause)")
        }
        var current = reference
        var chosenByIndex = false
        for _ in 0..<Self.depthLimit {
            let bytes = try await skopeo.manifest(of: .registry(current))
            if let expected = current.digest, Digest.of(bytes) != expected {
                throw BuildFailure(
                    .transient, message: "failed to resolve image '\(current)': the registry gave other bytes"
                )
            }
            switch try OCIDocument(bytes, subject: current.description) {
            case .index(let index):
                guard let entry = index.entry(for: platform) else {
                    throw refuse("it is not there for \(platform), only for: \(index.platforms)")
                }
                current = reference.pinned(to: entry.digest)
                chosenByIndex = true
            case .manifest(let manifest):
                let config = try await self.config(of: manifest, reference: reference)
                // A single manifest does not say its platform; its config does.
                guard chosenByIndex || config.matches(platform) else {
                    throw refuse("it is for \(config.platform), not for \(platform)")
                }
                return ResolvedImage(
                    reference: reference.description, manifestDigest: manifest.digest,
                    configDigest: manifest.config.digest, cudaVersion: config.cudaVersion
                )
            }
        }
        throw refuse("more than \(Self.depthLimit) indexes stand one in another")
    }

    /// The manifest's config, checked against its digest.
    private func config(of manifest: OCIManifest, reference: ImageReference) async throws -> OCIConfig {
        let pinned = reference.pinned(to: manifest.digest)
        let bytes = try await skopeo.config(of: .registry(pinned))
        let config = try OCIConfig(bytes, subject: reference.description)
        guard config.digest == manifest.config.digest else {
            throw BuildFailure(
                .transient, message: "failed to resolve image '\(reference)': the registry gave another config"
            )
        }
        return config
    }
}
