// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

import struct Crypto.SHA256

extension BuildahEngine {
    /// Runs one step on the layer below and makes the result a layer.
    func run(_ step: Step, _ request: LayerRequest, _ log: any BuildLog) async throws {
        let kind = request.content.kind
        let scratch = try Scratch(in: buildah.store.temporary)
        defer { scratch.remove() }
        try scratch.write(step, from: request.sources)
        try await WorkingContainer.with(try parent(request).configDigest, layer: kind, buildah: buildah) { container in
            let root = try await container.mount()
            let missing = Self.mountPoints.filter { !root.exists($0) }
            let hadVenv = root.exists(Self.venv)
            let result = try await buildah.execute(
                step.arguments, in: container, options: options(of: step, scratch: scratch, owner: request.owner),
                scratch: scratch, timeout: request.timeout
            ) { log.append(line: $0, layer: kind) }
            guard result.isSuccess else {
                let cause = FailureCause(kind: kind, status: result.status, tail: result.tail)
                throw BuildFailure(
                    cause.failureClass, layer: kind, message: "failed to build layer '\(kind)': \(cause.text)",
                    tail: cause.tail
                )
            }
            for path in missing { Self.removeMountPoint(path, in: root) }
            if kind == .pip, !hadVenv, root.exists(Self.venv) {
                let path = try await inspect(parent: request).configuration.variable("PATH")
                try await container.configure([
                    "--env", Self.assignment("PATH", "/opt/venv/bin:" + (path ?? Self.path)),
                ])
            }
            try await container.commit(as: BuildahStore.name(of: request.key, kind: kind))
        }
    }

    private func options(of step: Step, scratch: Scratch, owner: Owner) throws -> [String] {
        var arguments = ["--workingdir", step.workingDirectory]
        if step.user == .root { arguments += ["--user", "0:0"] }
        let certificates = buildah.host.certificates
        let environment = Recipe.environment(hasCertificates: certificates != nil)
            .merging(step.environment) { _, own in own }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) { arguments += ["--env", "\(name)=\(value)"] }
        var mounts = [
            "\(scratch.path)/step:\(Recipe.folder)/step:ro", "\(scratch.path)/scratch:\(Recipe.folder)/scratch:rw",
            "\(scratch.path)/build:\(Recipe.folder)/build:rw",
        ]
        if let certificates { mounts.append("\(certificates):\(Recipe.certificates):ro") }
        if let cache = try cacheFolder(step.cache, owner: owner, scratch: scratch) {
            mounts.append("\(cache):\(Recipe.folder)/cache:rw")
        }
        for mount in mounts { arguments += ["--volume", mount] }
        return arguments
    }

    /// The folder on the host of a step's cache.
    ///
    /// Any user of an image can write to it, each below a folder of its own. What a step leaves in a cache that pip or
    /// conda do not verify, a later step installs: so images that belong to nobody in particular share none.
    private func cacheFolder(_ cache: Step.Cache, owner: Owner, scratch: Scratch) throws -> String? {
        let path: String
        switch cache {
        case .none: return nil
        case .shared(let name): path = "\(buildah.store.caches)/\(name)"
        case .ownStep: path = scratch.path + "/cache"
        case .owned where owner == .allUsers: path = scratch.path + "/cache"
        case .owned(let name):
            let hash = SHA256.hash(data: Data(owner.text.utf8)).prefix(16)
            path = "\(buildah.store.caches)/\(name)/" + hexadecimal(hash)
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try Scratch.setMode(path, 0o1777)
        } catch {
            throw BuildFailure.ofFile(error, verb: "create", path: path)
        }
        return path
    }

    /// Sets the run configuration; executes nothing in the container.
    func configure(_ content: ConfigContent, _ request: LayerRequest) async throws {
        let below = try await inspect(parent: request).configuration
        let scratch = try Scratch(in: buildah.store.temporary)
        defer { scratch.remove() }
        // No key among the labels: a parent that is built to the same content under another key must keep its config
        // digest, or all its children would be built again. The key stands in the manifest's annotations.
        var arguments: [String] = []
        for (name, value) in content.labels.sorted(by: { $0.key < $1.key }) {
            arguments += ["--label", "\(name)=\(value)"]
        }
        for (name, value) in content.environment.sorted(by: { $0.key < $1.key }) {
            arguments += ["--env", Self.assignment(name, value)]
        }
        if let start = content.start {
            let file = Step.File(path: "step/start", content: .bytes(start.bytes))
            try scratch.write(
                Step(user: .root, arguments: [], files: [file], cache: .none), from: EmptySource()
            )
            let entrypoint = [Self.startScript] + (below.entrypoint ?? []).filter { $0 != Self.startScript }
            // After the entrypoint, because setting that may drop the command.
            arguments += ["--entrypoint", Self.json(entrypoint)]
            if let command = below.command { arguments += ["--cmd", Self.shellWords(command)] }
        }
        try await WorkingContainer.with(try parent(request).configDigest, layer: .config, buildah: buildah) {
            container in
            if content.start != nil {
                try await container.copy(scratch.path + "/step/start", to: Self.startScript, mode: "0755")
            }
            try await container.configure(arguments)
            try await container.commit(as: BuildahStore.name(of: request.key, kind: .config))
        }
    }
}
