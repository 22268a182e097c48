// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import VarveModel

/// The images of a containers storage, as its own index files list them.
///
/// Read and never written: `buildah images` tells neither what an image alone takes nor which images stand on it.
struct StoreIndex {
    private struct Image: Decodable {
        var id: String
        var names: [String]?
        var layer: String?
    }

    private struct Layer: Decodable {
        var id: String
        var parent: String?
        var size: Int?

        enum CodingKeys: String, CodingKey {
            case id
            case parent
            case size = "diff-size"
        }
    }

    private let store: BuildahStore
    private let images: [Image]
    private let layers: [String: Layer]

    /// Reads the index; one that is not there is empty.
    ///
    /// - Throws: `BuildFailure` of class `environment` when it is damaged.
    init(_ store: BuildahStore) throws(BuildFailure) {
        self.store = store
        let driver = store.root + "/" + store.driver.rawValue
        images = try Self.read(driver + "-images/images.json")
        let layers: [Layer] = try Self.read(driver + "-layers/layers.json")
        self.layers = Dictionary(layers.map { ($0.id, $0) }) { first, _ in first }
    }

    private static func read<Element: Decodable>(_ path: String) throws(BuildFailure) -> [Element] {
        guard let data = FileManager.default.contents(atPath: path), !data.isEmpty else { return [] }
        do {
            return try JSONDecoder().decode([Element].self, from: data)
        } catch {
            throw BuildFailure(.environment, message: "failed to read '\(path)': it is not an index of images")
        }
    }

    /// The images, each as what it is alone and what it stands on.
    func items(uses: LayerUses) -> [CacheItem] {
        images.map { image in
            let names = image.names ?? []
            let keys = names.compactMap(BuildahStore.key(ofName:))
            let seen = FileTime.modification(
                of: "\(store.root)/\(store.driver.rawValue)-images/\(image.id)", else: Timestamp(seconds: 0))
            return CacheItem(
                .layer, name: image.id, keys: Set(keys), pieces: pieces(below: image.layer), topPiece: image.layer,
                lastUse: keys.compactMap(uses.last).max() ?? seen, needsQuiet: keys.isEmpty)
        }
    }

    /// The local names of an image; none where it is gone.
    func names(of id: String) -> [String]? { images.first { $0.id == id }.map { $0.names ?? [] } }

    /// A layer and all below it.
    ///
    /// With `vfs` each is a full copy of what is below.
    private func pieces(below top: String?) -> [String: Int] {
        var chain: [Layer] = []
        var next = top
        while let id = next, let layer = layers[id], chain.count < 1_000 {
            chain.append(layer)
            next = layer.parent
        }
        var result: [String: Int] = [:]
        var below = 0
        for layer in chain.reversed() {
            let own = max(layer.size ?? 0, 0)
            below += own
            result[layer.id] = store.driver == .vfs ? below : own
        }
        return result
    }
}

extension BuildahStore {
    /// The key in a local name that `name(of:kind:)` made; nil for any other name.
    static func key(ofName name: String) -> LayerKey? {
        guard name.hasPrefix("localhost/varve/"), let colon = name.lastIndex(of: ":") else { return nil }
        return try? LayerKey(hex: String(name[name.index(after: colon)...]))
    }

    /// The store of a state directory where there is one; makes nothing.
    static func existing(stateDirectory: String) -> BuildahStore? {
        [Driver.overlay, .vfs].map { BuildahStore(stateDirectory: stateDirectory, driver: $0) }.first { store in
            access(store.root + "/\(store.driver.rawValue)-images", F_OK) == 0
        }
    }
}

/// When each layer was last asked for: an empty file a key, whose time is that.
struct LayerUses: Sendable {
    private let folder: String

    init(_ store: BuildahStore) { folder = store.folder + "/uses" }

    /// Notes that a layer is used now; a time that cannot be kept makes it look older, and nothing else.
    func note(_ key: LayerKey) {
        let path = folder + "/" + key.hex
        if utimes(path, nil) == 0 { return }
        _ = mkdir(folder, 0o755)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor >= 0 { _ = close(descriptor) }
    }

    /// When a layer was last used; nil where that is not known.
    func last(_ key: LayerKey) -> Timestamp? { FileTime.modification(of: folder + "/" + key.hex) }

    /// Forgets layers.
    func forget(_ keys: Set<LayerKey>) {
        for key in keys { unlink(folder + "/" + key.hex) }
    }
}

/// Times and sizes of files, links not followed.
enum FileTime {
    static func modification(of path: String) -> Timestamp? {
        var status = stat()
        return lstat(path, &status) == 0 ? Timestamp(seconds: status.st_mtim.tv_sec) : nil
    }

    static func modification(of path: String, else other: Timestamp) -> Timestamp { modification(of: path) ?? other }

    /// When anything about a file or folder was last changed, its mode included.
    static func change(of path: String) -> Timestamp? {
        var status = stat()
        return lstat(path, &status) == 0 ? Timestamp(seconds: status.st_ctim.tv_sec) : nil
    }

    /// What a file, or a folder with all below it, takes on disk.
    static func usage(of path: String) -> Int {
        var status = stat()
        guard lstat(path, &status) == 0 else { return 0 }
        var bytes = Int(status.st_blocks) * 512
        guard status.st_mode & S_IFMT == S_IFDIR, let folder = opendir(path) else { return bytes }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { bytes += usage(of: path + "/" + name) }
        }
        return bytes
    }
}
