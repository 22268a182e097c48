// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SystemPackage
public import VarveModel

extension SkopeoImageRegistry {
    /// Looks whether images can be published: asks for something, and puts an empty image there without a tag.
    ///
    /// It goes where the cache of layers is, the one repository that varve uses whatever is defined. Registries drop what has
    /// no tag.
    public func checks() async -> [HealthCheck] {
        switch address {
        case .layout(let path): [Self.check(layout: path)]
        case .registry(let host, let prefix): await checks(host: host, prefix: prefix)
        }
    }

    private func checks(host: String, prefix: String) async -> [HealthCheck] {
        let name = prefix.isEmpty ? host : host + "/" + prefix
        do {
            let reference = try RegistryAddress.reference(
                host: host, prefix: prefix, name: RegistryLayerCache.repository, tag: "doctor")
            var reading = HealthCheck("registry \(name)", .ok, "it answers")
            do {
                _ = try await skopeo.manifest(of: .registry(reference))
            } catch let failure as BuildFailure where failure.failureClass == .definition {
                // It has no such thing, and says so.
                reading.detail = "it answers"
            }
            return [reading, await checkPush(reference, name)]
        } catch {
            return [HealthCheck("registry \(name)", .failed, "\(error)", remedy: Self.remedy(error, host: host))]
        }
    }

    private func checkPush(_ reference: ImageReference, _ name: String) async -> HealthCheck {
        do {
            try await StagingArea(FilePath(stateDirectory + "/staging")).withDirectory { folder in
                let layout = OCILayout(folder)
                let manifest = try Self.writeEmptyImage(to: layout)
                try await skopeo.copy(
                    .layout(layout, name: StagedImage.name), to: .registry(reference.pinned(to: manifest.digest)),
                    verb: "push")
            }
            return HealthCheck("push \(name)", .ok, "an empty image without a tag was taken")
        } catch {
            return HealthCheck("push \(name)", .failed, "\(error)", remedy: Self.remedy(error, host: reference.host))
        }
    }

    /// An image with one layer that holds nothing: an empty archive, compressed.
    private static func writeEmptyImage(to layout: OCILayout) throws -> OCIManifest {
        let layer: [UInt8] = [
            0x1f, 0x8b, 0x08, 0x00, 0x00, 0x09, 0x6e, 0x88, 0x00, 0xff, 0x62, 0x18, 0x05, 0xa3, 0x60, 0x14, 0x8c, 0x58,
            0x00, 0x08, 0x00, 0x00, 0xff, 0xff, 0x2e, 0xaf, 0xb5, 0xef, 0x00, 0x04, 0x00, 0x00,
        ]
        let diffID = Digest.of([UInt8](repeating: 0, count: 1024))
        let config = Array(
            #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["\#(diffID)"]}}"#.utf8)
        try layout.create()
        let layerDescriptor = OCIDescriptor(mediaType: MediaType.gzipLayer, content: layer)
        let configDescriptor = OCIDescriptor(mediaType: MediaType.config, content: config)
        try layout.blobs.write(layer, as: layerDescriptor.digest)
        try layout.blobs.write(config, as: configDescriptor.digest)
        let manifest = try OCIManifest(config: configDescriptor, layers: [layerDescriptor], annotations: [:])
        try layout.blobs.write(manifest.bytes, as: manifest.digest)
        try layout.updateIndex { $0.set(StagedImage.name, to: manifest.descriptor) }
        return manifest
    }

    private static func check(layout path: String) -> HealthCheck {
        let name = "layout \(path)"
        do {
            let folder = DurableDirectory(FilePath(path))
            try folder.create()
            let file = "doctor-\(getpid())"
            try folder.write([], to: file)
            unlink(path + "/" + file)
            return HealthCheck(name, .ok, "it can be written")
        } catch {
            return HealthCheck(
                name, .failed, "\(error)", remedy: "give varve a folder that it can write: registry: oci:DIR")
        }
    }

    private static func remedy(_ error: any Error, host: String) -> String {
        switch (error as? BuildFailure)?.failureClass {
        case .unauthorized: "log in with rights to push: skopeo login \(host)"
        case .environment: "install it: apt install skopeo"
        case .transient, .timedOut:
            "check that the registry runs, its address, the proxy, and for a registry without TLS plainHTTP: [\(host)]"
        default: "check the address of the registry, and what it says of itself in its log"
        }
    }
}
