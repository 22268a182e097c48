// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// A repository of definitions, a registry, a state directory, and the program that reconciles them.
struct Fleet {
    let directory: TemporaryDirectory
    let registry: RegistryProcess
    let shim: ToolShim
    var git: GitCommandLine
    var varve: VarveProcess
    /// What stands before an image's name in a reference: `127.0.0.1:PORT/fleet`.
    var prefix: String { "\(registry.host)/fleet" }

    /// What one pass did, by the shim's count.
    struct Outcome: CustomStringConvertible {
        var pass: ReconcilePass
        /// The steps that ran, sorted: `apt`, `conda`, `pip`, `postBuild`, `verify`, `bootstrap`.
        var executed: [String]
        /// The kinds of layer that were committed, sorted, in lower case.
        var committed: [String]

        var status: Int32 { pass.status }
        var description: String { "executed \(executed), committed \(committed), \(pass)" }

        /// The last event of the pass.
        var summary: JSONValue { pass.events("pass-finished").last ?? .null }

        /// How an image ended in this pass.
        func finished(_ image: String) -> JSONValue {
            pass.events("image-finished").last { $0["image"].string == image } ?? .null
        }

        /// The message under which an image was left alone in this pass.
        func skipped(_ image: String) -> JSONValue {
            pass.events("image-skipped").last { $0["image"].string == image } ?? .null
        }
    }

    /// A fleet with nothing in it.
    ///
    /// `publishing` is where images go; nil takes this registry.
    init(publishing: String? = nil) async throws {
        directory = try TemporaryDirectory.required()
        registry = try await RegistryProcess(in: directory)
        shim = try ToolShim(in: directory)
        git = try await GitCommandLine.initialize(directory.path("fleet"))
        varve = VarveProcess(
            repository: git.folder, state: directory.path("state"), registry: publishing ?? "\(registry.host)/fleet",
            shim: shim)
        if !varve.plainHTTP.contains(registry.host) { varve.plainHTTP.append(registry.host) }
        let state = varve.state
        directory.addCleanup { await Self.unmount(below: state) }
    }

    /// Commits definitions and reconciles, counting from zero.
    func pass(
        _ files: [String: String?] = [:], message: String = "Change definitions", builders: Int = 2
    ) async throws -> Outcome {
        if !files.isEmpty { try await git.commit(files, message: message) }
        return try await pass(varve, builders: builders)
    }

    /// Reconciles with other settings, counting from zero.
    func pass(_ varve: VarveProcess, builders: Int = 2) async throws -> Outcome {
        try shim.reset()
        let pass = try await varve.reconcile(options: ["--builders", String(builders)])
        return Outcome(pass: pass, executed: try shim.executed(), committed: try shim.committed())
    }

    /// The state records of an image, newest first, as `varve history` shows them.
    func history(_ image: String) async throws -> [JSONValue] {
        let result = try await varve.run("history", image, "--format", "json")
        return result.status == 0 ? try JSONValue(parsing: result.stdout).array : []
    }

    /// The config digest of the published image; nil where there is none.
    func configDigest(_ image: String, tag: String = "latest") async throws -> String? {
        guard try await registry.digest(of: "fleet/\(image):\(tag)") != nil else { return nil }
        return try await registry.manifest(of: "fleet/\(image):\(tag)")["config"]["digest"].string
    }

    /// All refs that varve writes, with what they hold.
    func varveRefs() async throws -> String {
        try await git("for-each-ref", "refs/notes/varve", "refs/varve")
    }

    /// The paths and sizes of everything that is published.
    func published() async throws -> [String] {
        try await Command.run("find", [registry.storage, "-type", "f", "-printf", "%P %s\n"]).lines.sorted()
    }

    /// The working containers that are left in the store of a state directory.
    func containers() async throws -> [String] {
        try await Command.run("buildah", Self.store(varve.state) + ["containers", "--quiet"]).lines
    }

    /// The local names of the finished layers in the store.
    func storedLayers() async throws -> Set<String> {
        let arguments = Self.store(varve.state) + ["images", "--format", "{{.Name}}:{{.Tag}}"]
        let lines = try await Command.run("buildah", arguments).lines
        return Set(lines.filter { $0.contains("localhost/varve/") })
    }

    private static func store(_ state: String) -> [String] {
        ["--root", state + "/storage/root", "--runroot", state + "/storage/run"]
    }

    /// Ends what a killed build left mounted, so that the folder can be removed.
    static func unmount(below folder: String) async {
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        let targets = mounts.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first }
        for target in targets.map(String.init).sorted(by: >) where target.hasPrefix(folder + "/") {
            _ = try? await Command.run("umount", ["--lazy", target])
        }
    }
}

extension Fleet {
    /// The files of a definition.
    static func image(
        _ name: String, base: String, more: String = "", files: [String: String] = [:]
    ) -> [String: String?] {
        var result: [String: String?] = ["images/\(name)/image.yaml": "base: \(base)\n" + more]
        for (file, text) in files { result["images/\(name)/\(file)"] = text }
        return result
    }

    /// The reference of a base in this fleet's registry.
    func base(_ base: TestBase) async throws -> String { try await base.push(to: registry) }
}

extension [String: String?] {
    /// Both sets of files.
    static func + (left: Self, right: Self) -> Self { left.merging(right) { $1 } }
}

/// How often something is repeated: a little in every run, a lot in `Tests/run soak`.
func repetitions(_ few: Int, soak many: Int) -> Int {
    ProcessInfo.processInfo.environment["VARVE_SOAK"] == "1" ? many : few
}
