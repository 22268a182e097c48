// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
public import VarveModel

/// Where an engine keeps its layers: a containers storage of its own, shared with nothing else.
public struct BuildahStore: Hashable, Sendable {
    /// How layers are kept on disk.
    public enum Driver: String, Hashable, Sendable {
        /// One folder of differences a layer; needs overlay mounts.
        case overlay
        /// One full copy a layer; works everywhere.
        case vfs
    }

    /// The folder that holds everything of the store, absolute.
    public let folder: String
    /// How layers are kept.
    public let driver: Driver

    /// The store below `<state directory>/storage`, which must be an absolute path.
    public init(stateDirectory: String, driver: Driver) {
        folder = stateDirectory + "/storage"
        self.driver = driver
    }

    /// The folder of the layers.
    public var root: String { folder + "/root" }
    /// The folder of what does not outlive a boot.
    public var runRoot: String { folder + "/run" }
    /// The folder of half-made things; emptied by `BuildahEngine.prepare()`.
    var temporary: String { folder + "/tmp" }
    /// The folder of what steps may keep for later steps.
    var caches: String { folder + "/cache" }
    /// A policy that lets varve move its own images; the host's decides about images from outside.
    var policy: String { folder + "/etc/policy.json" }
    /// The file that is locked while names of images change.
    var nameLock: String { folder + "/etc/names.lock" }

    /// The options that stand before the subcommand of buildah.
    public var arguments: [String] { ["--root", root, "--runroot", runRoot, "--storage-driver", driver.rawValue] }

    /// The variables that make buildah and skopeo independent of the host's settings for containers.
    public var environment: [String: String] {
        [
            "CONTAINERS_CONF": folder + "/etc/containers.conf",
            "CONTAINERS_STORAGE_CONF": folder + "/etc/storage.conf",
            "TMPDIR": temporary,
        ]
    }

    /// How skopeo names an image of this store by a local name.
    public func reference(_ name: String) -> String {
        "containers-storage:[\(driver.rawValue)@\(root)+\(runRoot)]\(name)"
    }

    /// The local name of a finished layer: its key, and the kind for people who look at the store.
    public static func name(of key: LayerKey, kind: LayerKind) -> String {
        "localhost/varve/\(kind.rawValue.lowercased()):\(key.hex)"
    }

    /// Makes the folders and writes the settings.
    ///
    /// - Throws: `BuildFailure` of class `environment` or `diskFull` when they cannot be written or the user is not root.
    func create() throws {
        try Self.requireRoot(geteuid())
        do {
            let files = FileManager.default
            for folder in [root, runRoot, temporary, caches, folder + "/etc"] {
                try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            let settings = [
                "containers.conf": "",
                "storage.conf":
                    "[storage]\ndriver = \"\(driver.rawValue)\"\ngraphroot = \"\(root)\"\nrunroot = \"\(runRoot)\"\n",
                "policy.json": #"{"default":[{"type":"insecureAcceptAnything"}]}"#,
            ]
            for (name, text) in settings {
                try Data(text.utf8).write(to: URL(filePath: folder + "/etc/" + name), options: .atomic)
            }
        } catch {
            throw BuildFailure.ofFile(error, verb: "create", path: folder)
        }
    }

    /// Mounts, owners of files and a step's namespaces need root, also that of a user namespace.
    ///
    /// - Throws: `BuildFailure` of class `environment` for any other user.
    static func requireRoot(_ user: UInt32) throws(BuildFailure) {
        guard user != 0 else { return }
        throw BuildFailure(
            .environment,
            message: "failed to open the store: building needs root and this is user \(user); run varve as root"
        )
    }

    /// Opens the store of a state directory: with the driver it was made with, else with overlay where that works.
    ///
    /// - Throws: `BuildFailure` of class `environment` when the folder cannot be made, buildah is missing or the user is not
    ///   root.
    public static func open(stateDirectory: String, environment: [String: String]) async throws -> BuildahStore {
        let overlay = BuildahStore(stateDirectory: stateDirectory, driver: .overlay)
        let vfs = BuildahStore(stateDirectory: stateDirectory, driver: .vfs)
        guard stateDirectory.hasPrefix("/"), !stateDirectory.contains(where: { ":[]@+,".contains($0) }) else {
            throw BuildFailure(
                .environment,
                message:
                    "failed to open the store in '\(stateDirectory)': expected an absolute path without any of :[]@+,"
            )
        }
        for store in [overlay, vfs]
        where FileManager.default.fileExists(atPath: store.root + "/\(store.driver.rawValue)-images") {
            try store.create()
            return store
        }
        try overlay.create()
        let host = HostEnvironment(environment)
        let probe = try await CommandRunner(redaction: host.redaction).run(
            Command(
                "buildah", overlay.arguments + ["images", "--quiet"],
                environment: host.tools.merging(overlay.environment) { _, own in own }
            )
        )
        if probe.isSuccess { return overlay }
        try? FileManager.default.removeItem(atPath: overlay.root)
        try vfs.create()
        return vfs
    }
}
