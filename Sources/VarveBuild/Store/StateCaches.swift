// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import SystemPackage
public import VarveModel

/// The caches of a state directory: the engine's layers, their compressed forms, the caches of steps, and what crashes left.
public struct StateCaches: CacheStore {
    private let stateDirectory: String
    private let environment: [String: String]
    private let compressed: CompressedLayers
    private let staging: StagingArea

    /// The caches below a state directory; nothing is made where there are none.
    ///
    /// - Parameters:
    ///   - stateDirectory: Its absolute path.
    ///   - environment: varve's own environment; tools see the part that they need.
    public init(stateDirectory: String, environment: [String: String]) {
        self.stateDirectory = stateDirectory
        self.environment = environment
        let path = FilePath(stateDirectory)
        compressed = CompressedLayers(path.appending("compressed"))
        staging = StagingArea(path.appending("staging"))
    }

    private var store: BuildahStore? { BuildahStore.existing(stateDirectory: stateDirectory) }

    private func buildah(_ store: BuildahStore) -> Buildah {
        let host = HostEnvironment(environment)
        return Buildah(
            store: store, isolation: .chroot, host: host, runner: CommandRunner(redaction: host.redaction))
    }

    /// All that the caches hold.
    @concurrent
    public func items() async throws -> [CacheItem] {
        var items = compressed.items() + staging.leftovers()
        guard let store else { return items }
        items += try StoreIndex(store).items(uses: LayerUses(store))
        items += stepCaches(store)
        for name in Self.names(in: store.temporary) {
            let path = store.temporary + "/" + name
            items.append(
                CacheItem(
                    .leftover, name: path, pieces: [path: FileTime.usage(of: path)],
                    lastUse: FileTime.modification(of: path, else: Timestamp(seconds: 0)), needsQuiet: true))
        }
        return items
    }

    /// The caches of steps: one a kind, or one an owner of a kind.
    ///
    /// Setting the mode of one at each use moves its time of change.
    private func stepCaches(_ store: BuildahStore) -> [CacheItem] {
        Self.names(in: store.caches).flatMap { kind in
            let folder = store.caches + "/" + kind
            let below = Self.names(in: folder)
            let isOwned = !below.isEmpty && below.allSatisfy { $0.utf8.count == 32 && $0.utf8.allSatisfy(isHexDigit) }
            return (isOwned ? below.map { folder + "/" + $0 } : [folder]).map { path in
                CacheItem(
                    .stepCache, name: path, pieces: [path: FileTime.usage(of: path)],
                    lastUse: FileTime.change(of: path) ?? Timestamp(seconds: 0), needsQuiet: true)
            }
        }
    }

    private func isHexDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    /// Removes items, in the order given.
    @concurrent
    public func remove(_ items: [CacheItem]) async throws {
        let layers = items.filter { $0.kind == .layer }
        if let store, !layers.isEmpty { try await remove(layers, from: store) }
        for item in items {
            switch item.kind {
            case .layer, .log: break
            case .compressed: compressed.remove(item)
            case .leftover where item.name.hasPrefix(staging.path): try staging.removeLeftovers()
            case .stepCache, .leftover: try? FileManager.default.removeItem(atPath: item.name)
            }
        }
    }

    /// Takes the names of images away; an image goes with its last name, and its layers with the last image on them.
    private func remove(_ layers: [CacheItem], from store: BuildahStore) async throws {
        let buildah = buildah(store)
        let index = try StoreIndex(store)
        for item in layers {
            guard let names = index.names(of: item.name) else { continue }
            try Task.checkRunning("buildah")
            // One call an image: of several, the first that is in use would stop those after it.
            let result = try await buildah.changeNames(["rmi"] + (names.isEmpty ? [item.name] : names))
            if result.isSuccess { LayerUses(store).forget(item.keys) }
        }
    }

    /// Removes working containers and unnamed images that a crash left.
    public func removeLeftovers() async throws {
        guard let store else { return }
        let buildah = buildah(store)
        try store.create()
        _ = try await buildah.check(["rm", "--all"], layer: nil, verb: "remove orphaned containers")
        _ = try await buildah.run(["rmi", "--prune"])
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}
