// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

/// The tool `buildah`, on one store.
struct Buildah: Sendable {
    /// The store.
    let store: BuildahStore
    /// How steps are set apart from the host.
    let isolation: Isolation
    /// What the tools are given of varve's environment.
    let host: HostEnvironment
    /// What starts processes.
    let runner: CommandRunner

    /// The environment of every execution.
    var environment: [String: String] { host.tools.merging(store.environment) { _, own in own } }

    /// Runs a subcommand to its end; a non-zero exit is a result.
    func run(
        _ arguments: [String], containment: Command.Containment = .session, timeout: Duration? = nil,
        onLine: (@Sendable (String) -> Void)? = nil
    ) async throws -> CommandResult {
        try await runner.run(
            Command(
                "buildah", store.arguments + arguments, environment: environment,
                output: onLine == nil ? .captured(limit: 16 << 20) : .lines(), containment: containment,
                timeout: timeout
            ),
            onLine: onLine ?? { _ in }
        )
    }

    /// Runs a program of an image in a container and gives each line that it says; a non-zero exit is a result.
    ///
    /// - Parameter options: What `buildah run` is told beside the isolation.
    func execute(
        _ program: [String], in container: WorkingContainer, options: [String], scratch: Scratch, timeout: Duration,
        onLine: @escaping @Sendable (String) -> Void
    ) async throws -> CommandResult {
        let output = try OutputPipe(at: scratch.path + "/output")
        let target = Recipe.folder + "/output"
        var arguments = store.arguments + ["run", "--no-hosts", "--hostname", "varve"] + isolation.arguments
        arguments += Isolation.restrictions + options + ["--volume", "\(output.path):\(target):rw"]
        arguments += [container.name, "--", "/bin/sh", "-c", #"exec >"$0" 2>&1 "$@""#, target] + program
        return try await runner.run(
            Command(
                "buildah", arguments, environment: environment, output: .lines(also: output), containment: .namespace,
                timeout: timeout
            ),
            onLine: { if !FailureCause.isNoise($0) { onLine($0) } }
        )
    }

    /// Runs a subcommand that must succeed, and gives what it prints, without the last line end.
    ///
    /// - Throws: `BuildFailure` of class `diskFull`, `outOfMemory`, `cancelled` or `unknown`.
    func check(_ arguments: [String], layer: LayerKind?, verb: String) async throws -> String {
        let result = try await run(arguments)
        guard result.isSuccess else { throw failure(result, layer: layer, verb: verb) }
        return String(result.text.split(separator: "\n").last ?? "")
    }

    /// Runs a subcommand that changes the names of an image, one at a time in this store.
    ///
    /// buildah 1.28 reads the names of an image, changes them and writes all of them back: of two processes that name one
    /// image at once, such as two keys on one base, one would lose its name.
    func changeNames(_ arguments: [String]) async throws -> CommandResult {
        try await runner.run(
            Command(
                "flock", [store.nameLock, "buildah"] + store.arguments + arguments, environment: environment,
                output: .captured(limit: 1 << 20)
            ),
            onLine: { _ in }
        )
    }

    /// Gives an image of the store one more name.
    ///
    /// - Throws: as `check`.
    func name(_ image: Digest, as name: String) async throws {
        let result = try await changeNames(["tag", image.hex, name])
        guard result.isSuccess else { throw failure(result, layer: .base, verb: "name the base") }
    }

    /// The failure that a result of buildah itself means.
    func failure(_ result: CommandResult, layer: LayerKind?, verb: String) -> BuildFailure {
        let line = result.tail.last { !$0.isEmpty } ?? "\(result.status)"
        let failureClass: BuildFailure.Class =
            if line.lowercased().contains("no space left on device") {
                .diskFull
            } else if result.status == .signalled(9) || result.status == .exited(137) {
                .outOfMemory
            } else {
                .unknown
            }
        return BuildFailure(
            failureClass, layer: layer, message: "failed to \(verb): buildah: \(line)", tail: result.tailText
        )
    }

    /// What the store knows of an image, by name or config digest; nil where it has none.
    func inspect(_ image: String) async throws -> ImageInspection? {
        let result = try await run(["inspect", "--type", "image", image])
        guard result.isSuccess else {
            if result.tail.contains(where: { $0.contains("image not known") }) { return nil }
            throw failure(result, layer: nil, verb: "inspect image '\(image)'")
        }
        do {
            return try ImageInspection(json: result.output)
        } catch {
            throw BuildFailure(.unknown, message: "failed to inspect image '\(image)': \(error)")
        }
    }

    /// The version, for the record.
    func version() async throws -> String {
        let words = try await run(["--version"]).text.split(separator: " ")
        return words.count > 2 ? "buildah \(words[2])" : "buildah"
    }
}
