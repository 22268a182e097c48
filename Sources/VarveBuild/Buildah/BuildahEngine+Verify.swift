// SPDX-License-Identifier: Apache-2.0

public import VarveModel

extension BuildahEngine {
    /// Runs a check in a finished image, as a container of it would run.
    ///
    /// It has the image's variables, USER and working directory, and stands behind the start script where there is one. Neither certificates nor recipe variables are given.
    ///
    /// - Throws: `BuildFailure` of class `definition` when the script exits non-zero.
    public func verify(_ layer: BuiltLayer, script: Script, timeout: Duration, log: any BuildLog) async throws {
        do {
            try await check(layer, script: script, timeout: timeout, log: log)
        } catch let failure as BuildFailure {
            throw failure.ofStep("verify the image", nil, timeout: timeout)
        }
    }

    private func check(_ layer: BuiltLayer, script: Script, timeout: Duration, log: any BuildLog) async throws {
        let scratch = try Scratch(in: buildah.store.temporary)
        defer { scratch.remove() }
        var step = Step(
            user: .image, arguments: ["/bin/sh", Recipe.folder + "/step/run.sh"],
            files: [
                Step.text("step/run.sh", "\"$@\" || exit $?\n"),
                Step.File(path: "step/verify", content: .bytes(script.bytes), isExecutable: true),
            ],
            cache: .none
        )
        try scratch.write(step, from: EmptySource())
        guard let image = try await buildah.inspect(layer.configDigest.hex) else {
            throw BuildFailure(.unknown, message: "failed to verify image '\(layer.key.short)': it is not in the store")
        }
        if image.configuration.entrypoint?.first == Self.startScript { step.arguments.append(Self.startScript) }
        step.arguments += (script.hasShebang ? [] : ["bash"]) + [Recipe.folder + "/step/verify"]
        let arguments = step.arguments
        try await WorkingContainer.with(layer.configDigest, layer: nil, buildah: buildah) { container in
            let result = try await buildah.execute(
                arguments, in: container,
                options: ["--volume", scratch.path + "/step:\(Recipe.folder)/step:ro"], scratch: scratch,
                timeout: timeout
            ) { log.append(line: $0, layer: layer.kind) }
            guard result.isSuccess else {
                let cause = FailureCause(kind: nil, status: result.status, tail: result.tail)
                throw BuildFailure(
                    cause.failureClass, message: "failed to verify the image: \(cause.text)", tail: cause.tail
                )
            }
            try await container.remove()
        }
    }
}
