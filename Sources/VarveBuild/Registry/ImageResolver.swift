// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Finds what a reference means for a platform, without pulling a layer.
///
/// What was found once is taken again for as long as the registry answers `HEAD` with the same digest.
struct ImageResolver: Sendable {
    private let skopeo: Skopeo
    private let probe: ManifestProbe
    private let memory: RegistryMemory
    /// How many indexes may stand one in another.
    private static let depthLimit = 3

    /// A resolver that asks by skopeo where the probe does not say that nothing changed.
    init(skopeo: Skopeo, probe: ManifestProbe, memory: RegistryMemory) {
        self.skopeo = skopeo
        self.probe = probe
        self.memory = memory
    }

    /// The platform's manifest of a reference.
    ///
    /// What was asked for by digest is checked against it, so every step from the index to the config's digest is.
    ///
    /// A lookup never takes the answer of another one that runs: that one may have asked before what this one is to see.
    ///
    /// - Throws: `BuildFailure`; of class `definition` where the name, the platform or a usable manifest is missing.
    func resolve(_ reference: ImageReference, platform: Platform) async throws -> ResolvedImage {
        let wanted = PlatformReference(reference, for: platform)
        if let known = memory.meaning(of: wanted) {
            if try await probe.digest(of: reference) == known.top { return known.image }
        } else {
            try await probe.waitForTurn(of: reference)
        }
        let found = try await find(reference, platform: platform)
        memory.keep(found, of: wanted)
        return found.image
    }

    private func find(_ reference: ImageReference, platform: Platform) async throws -> RegistryMemory.Meaning {
        func refuse(_ cause: String) -> BuildFailure {
            BuildFailure(.definition, message: "failed to resolve image '\(reference)': \(cause)")
        }
        var current = reference
        var top: Digest?
        var chosenByIndex = false
        for _ in 0..<Self.depthLimit {
            let bytes = try await skopeo.manifest(of: .registry(current))
            if let expected = current.digest, Digest.of(bytes) != expected {
                throw BuildFailure(
                    .transient, message: "failed to resolve image '\(current)': the registry gave other bytes"
                )
            }
            let document = try OCIDocument(bytes, subject: current.description)
            let first = top ?? document.digest
            top = first
            switch document {
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
                let image = ResolvedImage(
                    reference: reference.description, manifestDigest: manifest.digest,
                    configDigest: manifest.config.digest, cudaVersion: config.cudaVersion
                )
                return RegistryMemory.Meaning(top: first, image: image)
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
