// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import SystemPackage
import VarveModel

/// Takes finished images out of the engine's store, each as a layout of its own that fixes manifest and digest.
struct ImageExporter: Sendable {
    private let skopeo: Skopeo
    private let staging: StagingArea
    private let layers: CompressedLayers

    /// An exporter that works below the state directory.
    init(skopeo: Skopeo, stateDirectory: FilePath) {
        self.skopeo = skopeo
        staging = StagingArea(stateDirectory.appending("staging"))
        layers = CompressedLayers(stateDirectory.appending("compressed"))
    }

    /// Removes what a crash left and what is no longer used.
    ///
    /// - Throws: `BuildFailure` when the state directory cannot be written.
    func prepare() throws(BuildFailure) {
        try staging.removeLeftovers()
        try layers.create()
        layers.removeUnused()
    }

    /// Exports an image, gives it to the body, and removes the export after it.
    ///
    /// The config is taken over as the same bytes. The layers are compressed by skopeo, whose output depends on its
    /// input alone; those that were compressed before are not even read. Where the body fails and one of these turns out to
    /// be damaged, it is compressed anew and the body is called once more.
    ///
    /// - Throws: what the body throws; `BuildFailure` when the image cannot be exported.
    func withExport<Result: Sendable>(
        of image: SkopeoImage, annotations: [String: String], _ body: (StagedImage) async throws -> Result
    ) async throws -> Result {
        try layers.create()
        var exported: [OCIDescriptor] = []
        do {
            return try await export(image, annotations, into: &exported, body)
        } catch {
            guard !Task.isCancelled, await layers.removeDamaged(exported) else { throw error }
            return try await export(image, annotations, into: &exported, body)
        }
    }

    private func export<Result: Sendable>(
        _ image: SkopeoImage, _ annotations: [String: String], into exported: inout [OCIDescriptor],
        _ body: (StagedImage) async throws -> Result
    ) async throws -> Result {
        try await staging.withDirectory { directory in
            let config = try await OCIConfig(skopeo.config(of: image), subject: image.subject)
            let compressed = try await compressedLayers(of: config, image: image, directory: directory)
            exported = compressed
            let layout = OCILayout(directory.appending("image"))
            try layout.create()
            for layer in compressed { try layout.blobs.adopt(layers.path(of: layer), as: layer) }
            try layout.blobs.write(config.bytes, as: config.digest)
            let manifest = try OCIManifest(
                config: OCIDescriptor(mediaType: MediaType.config, content: config.bytes), layers: compressed,
                annotations: annotations
            )
            try layout.blobs.write(manifest.bytes, as: manifest.digest)
            try layout.updateIndex { $0.set(StagedImage.name, to: manifest.descriptor) }
            return try await body(StagedImage(layout: layout, manifest: manifest))
        }
    }

    /// Gives a layout of one image whose blobs stand in another layout.
    ///
    /// skopeo finds an image by its name in the index alone; this way it also finds one by its digest.
    ///
    /// - Throws: what the body throws; `BuildFailure` when the layout cannot be made.
    func withView<Result: Sendable>(
        of manifest: OCIManifest, in layout: OCILayout, _ body: (StagedImage) async throws -> Result
    ) async throws -> Result {
        try await staging.withDirectory { directory in
            do {
                try FileManager.default.createSymbolicLink(
                    atPath: directory.appending("blobs").string,
                    withDestinationPath: layout.path.appending("blobs").string
                )
            } catch {
                throw DurableDirectory.failure("link", directory, error)
            }
            let view = OCILayout(directory)
            try view.create()
            try view.updateIndex { $0.set(StagedImage.name, to: manifest.descriptor) }
            return try await body(StagedImage(layout: view, manifest: manifest))
        }
    }

    /// Gives a layout of an index, its manifests and their configs, for a destination that has the layers.
    ///
    /// - Throws: what the body throws; `BuildFailure` when the layout cannot be made.
    func withIndex<Result: Sendable>(
        of images: [UploadedImage], annotations: [String: String], _ body: (StagedIndex) async throws -> Result
    ) async throws -> Result {
        try await staging.withDirectory { directory in
            let layout = OCILayout(directory.appending("index"))
            try layout.create()
            for image in images {
                try layout.blobs.write(image.config.bytes, as: image.config.digest)
                try layout.blobs.write(image.manifest.bytes, as: image.manifest.digest)
            }
            let index = try OCIIndex(manifests: images.map(\.entry), annotations: annotations)
            try layout.blobs.write(index.bytes, as: index.digest)
            try layout.updateIndex { $0.set(StagedImage.name, to: OCIDocument.index(index).descriptor) }
            return try await body(StagedIndex(layout: layout, index: index))
        }
    }

    /// The layers of an image, all of them compressed and kept.
    private func compressedLayers(
        of config: OCIConfig, image: SkopeoImage, directory: FilePath
    ) async throws -> [OCIDescriptor] {
        let known = config.diffIDs.map { layers.layer($0) }
        guard known.contains(nil) else { return known.compactMap { $0 } }
        let blobs = directory.appending("blobs")
        let files = DurableDirectory(blobs.appending("sha256"))
        try files.create()
        // skopeo leaves out a layer whose blob is there, and looks at nothing but the name.
        for (diffID, layer) in zip(config.diffIDs, known) where layer != nil { try files.write([], to: diffID.hex) }
        let target = OCILayout(directory.appending("export"))
        try await skopeo.copy(
            image, to: .layout(target, name: StagedImage.name), verb: "export", mode: .converting(blobs: blobs),
            temporary: directory
        )
        let exported = try exportedLayers(target, blobs: BlobDirectory(DurableDirectory(blobs)), image: image)
        guard exported.count == config.diffIDs.count else {
            throw BuildFailure(
                .unknown,
                message: "failed to export image '\(image.subject)': it has \(config.diffIDs.count) layers, "
                    + "\(exported.count) were written"
            )
        }
        var result: [OCIDescriptor] = []
        for (index, diffID) in config.diffIDs.enumerated() {
            if let layer = known[index] {
                result.append(layer)
            } else {
                let layer = OCIDescriptor(
                    mediaType: MediaType.gzipLayer, digest: exported[index].digest, size: exported[index].size
                )
                try layers.keep(files.path.appending(layer.digest.hex), as: layer, diffID: diffID)
                result.append(layer)
            }
        }
        return result
    }

    private func exportedLayers(
        _ layout: OCILayout, blobs: BlobDirectory, image: SkopeoImage
    ) throws(BuildFailure) -> [OCIDescriptor] {
        guard let descriptor = try layout.index().descriptor(named: StagedImage.name),
            let bytes = try blobs.read(descriptor.digest),
            case .manifest(let manifest) = try OCIDocument(bytes, subject: image.subject)
        else {
            throw BuildFailure(.unknown, message: "failed to export image '\(image.subject)': no manifest was written")
        }
        return manifest.layers
    }
}

/// An image in a layout of its own.
struct StagedImage: Hashable, Sendable {
    /// The layout.
    var layout: OCILayout
    /// The manifest.
    var manifest: OCIManifest

    /// The image's name in the layout.
    static let name = "image"

    /// How skopeo names it.
    var source: SkopeoImage { .layout(layout, name: Self.name) }
}

/// An index in a layout of its own, without the layers of its images.
struct StagedIndex: Hashable, Sendable {
    /// The layout.
    var layout: OCILayout
    /// The index.
    var index: OCIIndex

    /// How skopeo names it.
    var source: SkopeoImage { .layout(layout, name: StagedImage.name) }
}

/// An image that its destination has, under its digest.
struct UploadedImage: Hashable, Sendable {
    /// The manifest.
    var manifest: OCIManifest
    /// The config.
    var config: OCIConfig

    /// Its entry in an index.
    var entry: OCIDescriptor {
        var entry = manifest.descriptor
        entry.platform = OCIDescriptor.PlatformFields(
            architecture: config.architecture, os: config.os, variant: config.variant)
        return entry
    }
}
