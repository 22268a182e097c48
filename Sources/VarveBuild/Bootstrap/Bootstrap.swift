// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

/// Makes a base from a distribution's packages with `mmdebstrap`.
///
/// The tar that it writes becomes the image's one layer as it is. A commit would set every file's time anew, and python
/// would find its byte code stale.
struct Bootstrap: Sendable {
    let buildah: Buildah

    /// Makes the base of a request and brings it into the store under the name of its key.
    ///
    /// - Throws: `BuildFailure`: `definition` for what does not exist, `transient` for a mirror that cannot be reached,
    ///   `environment` for a missing tool or keyring.
    func make(_ specification: BootstrapSpecification, request: LayerRequest, log: any BuildLog) async throws {
        let folder = buildah.store.temporary + "/bootstrap-" + String(UInt64.random(in: .min ... .max), radix: 36)
        let tar = folder + "/base.tar"
        let command = try BootstrapArguments(specification, platform: request.platform, target: tar)
        guard FileManager.default.fileExists(atPath: command.keyring) else {
            throw BuildFailure(
                .environment, layer: .base,
                message: "failed to bootstrap '\(specification.distribution)': '\(command.keyring)' is missing; "
                    + "install the package \(command.keyringPackage)"
            )
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw BuildFailure.ofFile(error, verb: "create", path: folder, layer: .base)
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }

        var environment = buildah.environment.merging(command.environment) { _, own in own }
        environment["SOURCE_DATE_EPOCH"] = String(Recipe.epoch)
        let result = try await buildah.runner.run(
            Command(
                "mmdebstrap", command.arguments, environment: environment, output: .lines(), containment: .namespace,
                timeout: request.timeout
            ),
            onLine: { log.append(line: $0, layer: .base) }
        )
        guard result.isSuccess else {
            let cause = FailureCause(kind: .base, status: result.status, tail: result.tail)
            throw BuildFailure(
                cause.failureClass, layer: .base,
                message: "failed to bootstrap '\(specification.suite)': \(cause.text)",
                tail: cause.tail
            )
        }
        try await BootstrapLayout(folder: folder + "/layout").write(
            tar: tar, platform: request.platform, user: specification.user)
        let name = BuildahStore.name(of: request.key, kind: .base)
        let copy = try await buildah.runner.run(
            Command(
                "skopeo",
                [
                    "--policy", buildah.store.policy, "copy", "--quiet", "oci:\(folder)/layout:base",
                    buildah.store.reference(name),
                ],
                environment: buildah.environment
            )
        )
        guard copy.isSuccess else { throw buildah.failure(copy, layer: .base, verb: "store the base") }
    }
}
