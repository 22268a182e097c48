// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Keeps finished layers in a repository beside the images, each under a tag that is its key.
///
/// A cached layer is the whole image that ends in it; layers below it are shared with what is there already. Whoever may
/// push to the registry can put a layer under any key: the cache is trusted as the registry is. What is checked is the
/// chain of digests from the tag's manifest down, and that the manifest says the key it stands under.
struct RegistryLayerCache: LayerCache {
    let host: String
    let prefix: String
    let skopeo: Skopeo
    let exporter: ImageExporter

    /// The repository's name; no image can have it, as image names have no double separator.
    static let repository = "varve--cache"
    /// The annotation that names the key.
    static let keyAnnotation = "dev.varve.key"
    /// The annotation that names the kind.
    static let kindAnnotation = "dev.varve.kind"

    func fetch(_ key: LayerKey, kind: LayerKind, into store: BuildahStore) async throws -> Bool {
        let reference = try reference(key, kind)
        let bytes: [UInt8]
        do {
            bytes = try await skopeo.manifest(of: .registry(reference))
        } catch let failure as BuildFailure where failure.failureClass == .definition {
            return false
        }
        guard case .manifest(let manifest) = try OCIDocument(bytes, subject: reference.description),
            manifest.annotations[Self.keyAnnotation] == key.hex,
            manifest.annotations[Self.kindAnnotation] == kind.rawValue
        else {
            throw BuildFailure(
                .definition, message: "failed to fetch layer '\(reference)': it does not say that it is of this key"
            )
        }
        try await skopeo.copy(
            .registry(reference.pinned(to: manifest.digest)),
            to: .store(store, name: BuildahStore.name(of: key, kind: kind)), verb: "fetch"
        )
        return true
    }

    func save(_ key: LayerKey, kind: LayerKind, from store: BuildahStore) async throws {
        let reference = try reference(key, kind)
        let annotations = [Self.keyAnnotation: key.hex, Self.kindAnnotation: kind.rawValue]
        let source = SkopeoImage.store(store, name: BuildahStore.name(of: key, kind: kind))
        try await exporter.withExport(of: source, annotations: annotations) { staged in
            // The tag is the last that skopeo writes.
            try await skopeo.copy(staged.source, to: .registry(reference), verb: "save")
        }
    }

    private func reference(_ key: LayerKey, _ kind: LayerKind) throws -> ImageReference {
        try RegistryAddress.reference(
            host: host, prefix: prefix, name: Self.repository, tag: "\(kind.rawValue)-\(key.hex)"
        )
    }
}
