// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension BuildahEngine {
    /// Builds a Containerfile by one `buildah build` on the pinned images, and makes the result a base.
    func build(_ content: ContainerfileContent, _ request: LayerRequest, _ log: any BuildLog) async throws {
        do {
            try await make(content, request, log)
        } catch {
            // In a task of its own, because this one may be cancelled.
            await Task { await removeRemains(of: request.key) }.value
            throw error
        }
        await removeRemains(of: request.key)
    }

    /// The local name of an image that is there only while the base of a key is built.
    private static func name(_ key: LayerKey, _ part: String) -> String { "localhost/varve/\(part):\(key.hex)" }

    /// Removes the containers that a build was stopped in, and the images that only it used.
    private func removeRemains(of key: LayerKey) async {
        let suffix = ":\(key.hex)"
        let format = "{{.ContainerID}} {{.ImageName}}"
        if let containers = try? await buildah.run(["containers", "--format", format]), containers.isSuccess {
            for line in containers.text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count == 2, words[1].hasPrefix("localhost/varve/context-"), words[1].hasSuffix(suffix)
                else {
                    continue
                }
                _ = try? await buildah.run(["rm", String(words[0])])
            }
        }
        guard let images = try? await buildah.run(["images", "--format", "{{.Name}}:{{.Tag}}"]), images.isSuccess else {
            return
        }
        for name in images.text.split(separator: "\n") where name.hasSuffix(suffix) {
            let isOwn = name.hasPrefix("localhost/varve/context-") || name.hasPrefix("localhost/varve/containerfile:")
            if isOwn { _ = try? await buildah.changeNames(["rmi", String(name)]) }
        }
    }

    private func make(_ content: ContainerfileContent, _ request: LayerRequest, _ log: any BuildLog) async throws {
        let specification = content.specification
        guard let own = specification.files.first(where: { $0.path == specification.path }) else {
            throw BuildFailure(.unknown, layer: .base, message: "failed to find '\(specification.path)' in its context")
        }
        let bytes = try request.sources.read(own.id, limit: 1 << 20)
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        let text = ContainerfileText(String(decoding: body, as: UTF8.self))
        var locals: [ImageReference: String] = [:]
        for (number, reference) in specification.images.enumerated() {
            let name = Self.name(request.key, "context-\(number)")
            try await provide(reference, digest: content.images[reference], as: name, request)
            locals[reference] = name
        }
        var names: [String: String] = [:]
        for use in text.imageUses where !use.isStage {
            guard let name = use.name, let reference = try? ImageReference(name), let local = locals[reference] else {
                throw BuildFailure(
                    .definition, layer: .base, message: "failed to build on '\(use.word.text)': it is not pinned")
            }
            names[name] = local
        }
        let certificates = buildah.host.certificates
        let rendered = text.rendered(
            images: names, variables: Recipe.environment(hasCertificates: certificates != nil))
        let scratch = try Scratch(in: buildah.store.temporary)
        defer { scratch.remove() }
        let files = specification.files.map { file in
            Step.File(path: "step/context/\(file.path)", content: .blob(file.id), isExecutable: file.isExecutable)
        }
        try scratch.write(
            Step(user: .root, arguments: [], files: files + [Step.text("step/Containerfile", rendered)], cache: .none),
            from: request.sources)

        let target = Self.name(request.key, "containerfile")
        var arguments = [
            "build", "--pull=never", "--layers=false", "--force-rm", "--format", "oci", "--timestamp",
            String(Recipe.epoch), "--omit-history", "--identity-label=false", "--no-hosts", "--signature-policy",
            buildah.store.policy,
        ]
        arguments += buildah.isolation.arguments + Isolation.restrictions
        if let certificates { arguments += ["--volume", "\(certificates):\(Recipe.certificates):ro"] }
        arguments += [
            "--file", scratch.path + "/step/Containerfile", "--tag", target, scratch.path + "/step/context",
        ]
        let result = try await buildah.run(arguments, containment: .namespace, timeout: request.timeout) { line in
            if !FailureCause.isNoise(line) { log.append(line: line, layer: .base) }
        }
        guard result.isSuccess else { throw Self.failure(result) }
        try await finish(target, request)
    }

    /// Brings an image that the Containerfile names into the store, under a local name.
    private func provide(
        _ reference: ImageReference, digest: Digest?, as name: String, _ request: LayerRequest
    ) async throws {
        guard let digest, let image = request.contextImages[reference], image.configDigest == digest else {
            throw BuildFailure(
                .unknown, layer: .base, message: "failed to pull '\(reference)': nothing says where it is")
        }
        if try await buildah.inspect(digest.hex) == nil {
            try await puller.pull(image, platform: request.platform, into: buildah.store, as: name)
        }
        guard let found = try await buildah.inspect(digest.hex) else {
            throw BuildFailure(
                .transient, layer: .base, message: "failed to pull '\(reference)': its config is not \(digest)")
        }
        guard found.configuration.onBuild?.isEmpty ?? true else {
            throw BuildFailure(
                .definition, layer: .base,
                message: "failed to build on '\(reference)': it has ONBUILD instructions, which no key would cover")
        }
        try await buildah.name(digest, as: name)
    }

    /// Removes what the mounts of the steps left, and gives the result the name of the key.
    private func finish(_ target: String, _ request: LayerRequest) async throws {
        guard let built = try await buildah.inspect(target) else {
            throw BuildFailure(.unknown, layer: .base, message: "failed to find what buildah built")
        }
        try await WorkingContainer.with(built.configDigest, layer: .base, buildah: buildah) { container in
            let root = try await container.mount()
            for path in ["run/varve", "run/.containerenv", "etc/resolv.conf", "etc/hosts", "etc/hostname"] {
                Self.removeMountPoint(path, in: root)
            }
            try await container.commit(as: BuildahStore.name(of: request.key, kind: .base))
        }
    }

    /// What the build's end means; the output of its steps decides nothing but "disk full" and "killed".
    private static func failure(_ result: CommandResult) -> BuildFailure {
        let cause = FailureCause(kind: nil, status: result.status, tail: result.tail)
        let line = result.tail.last { $0.hasPrefix("Error: ") }.map { String($0.dropFirst(7)) }
        return BuildFailure(
            cause.failureClass, layer: .base,
            message: "failed to build layer 'base': "
                + (cause.failureClass == .definition ? line ?? cause.text : cause.text),
            tail: cause.tail)
    }
}
