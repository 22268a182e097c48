// SPDX-License-Identifier: Apache-2.0

import VarveTestSupport

/// A published image, pulled into a store of its own to be run and looked into.
struct ImageRun {
    private let store: [String]
    private let container: String
    /// The image's config.
    let config: JSONValue

    /// Pulls `HOST/REPOSITORY:TAG` or `oci:…`.
    init(_ reference: String, in directory: TemporaryDirectory) async throws {
        let name = "run-" + String(UInt32.random(in: 0...UInt32.max), radix: 16)
        let root = try directory.makeFolder(name)
        let source = reference.hasPrefix("oci:") ? reference : "docker://" + reference
        let store = ["--root", root + "/root", "--runroot", root + "/run"]
        self.store = store
        directory.addCleanup {
            _ = try? await Command.result("buildah", store + ["rm", "--all"])
            await Fleet.unmount(below: root)
        }
        try await Command.run(
            "skopeo",
            [
                "copy", "--quiet", "--src-tls-verify=false", source,
                "containers-storage:[\(root)/root+\(root)/run]localhost/image:latest",
            ])
        let inspect = ["inspect", "--config", "--raw", "--tls-verify=false", source]
        config = try JSONValue(parsing: await Command.run("skopeo", inspect).stdout)
        container = try await Command.run("buildah", store + ["from", "--quiet", "localhost/image:latest"]).trimmed
    }

    /// Runs a command as the image's USER, without its entrypoint.
    func run(_ command: String...) async throws -> CommandResult { try await run(command) }

    /// Runs the image as a container engine would: entrypoint, then the given arguments or the image's CMD.
    func start(_ arguments: [String]? = nil) async throws -> CommandResult {
        try await run(config["config"]["Entrypoint"].strings + (arguments ?? config["config"]["Cmd"].strings))
    }

    private func run(_ command: [String]) async throws -> CommandResult {
        try await Command.result("buildah", store + ["run", "--isolation", "chroot", container, "--"] + command)
    }

    /// The paths that each layer of an image brings, in the order of the layers.
    static func layerPaths(_ reference: String, in directory: TemporaryDirectory) async throws -> [[String]] {
        let folder = directory.path("layers-" + String(UInt32.random(in: 0...UInt32.max), radix: 16))
        try await Command.run(
            "skopeo", ["copy", "--quiet", "--src-tls-verify=false", "docker://" + reference, "dir:" + folder])
        let manifest = try JSONValue(parsing: await Command.run("cat", [folder + "/manifest.json"]).stdout)
        var result: [[String]] = []
        for layer in manifest["layers"].array {
            let digest = layer["digest"].string?.split(separator: ":").last.map(String.init) ?? ""
            result.append(try await Command.run("tar", ["-tf", folder + "/" + digest]).lines)
        }
        return result
    }
}
