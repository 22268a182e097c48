// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Where an engine keeps its layers: a containers storage of its own, shared with nothing else.
struct BuildahStore: Hashable, Sendable {
    /// How layers are kept on disk.
    enum Driver: String, Hashable, Sendable {
        /// One folder of differences a layer; needs overlay mounts.
        case overlay
        /// One full copy a layer; works everywhere.
        case vfs
    }

    /// The folder of the layers, absolute.
    var root: String
    /// The folder of what does not outlive a boot, absolute.
    var runRoot: String
    /// How layers are kept.
    var driver: Driver

    /// The store below `<state directory>/storage`.
    init(stateDirectory: String, driver: Driver) {
        root = stateDirectory + "/storage/root"
        runRoot = stateDirectory + "/storage/run"
        self.driver = driver
    }

    /// The options that stand before the subcommand of buildah.
    var arguments: [String] { ["--root", root, "--runroot", runRoot, "--storage-driver", driver.rawValue] }

    /// How skopeo names an image of this store by a local name.
    func reference(_ name: String) -> String { "containers-storage:[\(driver.rawValue)@\(root)+\(runRoot)]\(name)" }

    /// The local name of a finished layer: its key, and the kind for people who look at the store.
    static func name(of key: LayerKey, kind: LayerKind) -> String {
        "localhost/varve/\(kind.rawValue.lowercased()):\(key.hex)"
    }
}
