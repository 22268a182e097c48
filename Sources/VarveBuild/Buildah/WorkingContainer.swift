// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// A container of the store that becomes a layer, or goes away.
struct WorkingContainer: Sendable {
    /// Its name: random, because it is in nothing that stays.
    let name: String
    private let buildah: Buildah
    private let layer: LayerKind?

    /// Makes a container of an image, hands it to `body`, and removes it however that ends, cancellation included.
    static func with<Result: Sendable>(
        _ image: Digest, layer: LayerKind?, buildah: Buildah, _ body: (WorkingContainer) async throws -> Result
    ) async throws -> Result {
        let name = "varve-" + String(UInt64.random(in: .min ... .max), radix: 36)
        let container = WorkingContainer(name: name, buildah: buildah, layer: layer)
        do {
            _ = try await buildah.check(
                ["from", "--quiet", "--pull-never", "--signature-policy", buildah.store.policy, "--name", name]
                    + buildah.isolation.arguments.prefix(2) + [image.hex],
                layer: layer, verb: "make a container"
            )
            let result = try await body(container)
            return result
        } catch {
            // In a task of its own, because this one may be cancelled; awaited, so that it does not outlive the call.
            // Where it fails too, the container is an orphan that `prepare` removes.
            _ = await Task { try? await buildah.run(["rm", name]) }.value
            throw error
        }
    }

    /// Mounts the container's root on the host.
    func mount() async throws -> RootFolder {
        RootFolder(try await buildah.check(["mount", name], layer: layer, verb: "mount the container"))
    }

    /// Sets the run configuration.
    func configure(_ arguments: [String]) async throws {
        guard !arguments.isEmpty else { return }
        _ = try await buildah.check(["config"] + arguments + [name], layer: layer, verb: "configure the image")
    }

    /// Copies a file of the host into the container, owned by root.
    func copy(_ source: String, to target: String, mode: String) async throws {
        _ = try await buildah.check(
            ["copy", "--quiet", "--chown", "0:0", "--chmod", mode, name, source, target], layer: layer,
            verb: "copy '\(target)'"
        )
    }

    /// Makes the container a layer under a name, and removes it.
    ///
    /// The name is set last of all, so that a crash leaves the whole layer or nothing. Time, history and tool version stay
    /// out of the image.
    func commit(as name: String) async throws {
        _ = try await buildah.check(
            [
                "commit", "--quiet", "--rm", "--format", "oci", "--timestamp", String(Recipe.epoch), "--omit-history",
                "--identity-label=false", "--signature-policy", buildah.store.policy, self.name, name,
            ],
            layer: layer, verb: "commit the layer"
        )
    }

    /// Removes the container.
    func remove() async throws {
        _ = try await buildah.check(["rm", name], layer: layer, verb: "remove the container")
    }
}
