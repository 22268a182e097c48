// SPDX-License-Identifier: Apache-2.0

import SystemPackage
import VarveModel

/// Reads and copies images with the skopeo command.
///
/// Credentials are never among the arguments: skopeo reads them from the usual files. A wait that ends in nothing is
/// `transient`, as the network's other failures are.
struct Skopeo: Sendable {
    private let runner: CommandRunner
    private let environment: [String: String]
    private let access: RegistryAccess

    /// The longest that a question to a registry may take.
    private static let inspectTimeout = Duration.seconds(120)
    /// The longest that moving one image may take.
    private static let copyTimeout = Duration.seconds(7_200)

    /// A skopeo that sees the given environment, as far as tools may.
    init(environment: [String: String], access: RegistryAccess) {
        let host = HostEnvironment(environment)
        runner = CommandRunner(redaction: host.redaction)
        self.environment = host.registryTools
        self.access = access
    }

    /// The exact bytes of the manifest or index under a name.
    ///
    /// - Throws: `BuildFailure`; of class `definition` where the name is unknown.
    func manifest(of image: SkopeoImage) async throws -> [UInt8] {
        try await inspect(image, ["--raw"])
    }

    /// The exact bytes of an image's config.
    ///
    /// - Throws: `BuildFailure`; of class `definition` where the name is unknown.
    func config(of image: SkopeoImage) async throws -> [UInt8] {
        try await inspect(image, ["--config", "--raw"])
    }

    private func inspect(_ image: SkopeoImage, _ options: [String]) async throws -> [UInt8] {
        var arguments = ["inspect"] + options
        if let host = image.host { arguments += authentication + (access.isPlain(host) ? ["--tls-verify=false"] : []) }
        return try await run(
            arguments + [image.argument], store: image.store, timeout: Self.inspectTimeout,
            subject: Subject(verb: "read", image: image)
        ).output
    }

    /// What a copy may change on the way.
    enum CopyMode: Hashable, Sendable {
        /// Nothing: the manifest arrives as the same bytes.
        case exact
        /// Nothing, and the images of all platforms go along.
        case exactIndex
        /// The form of the manifest and the compression of the layers, never the config.
        ///
        /// The blobs go to the given folder in place of the target's own.
        case converting(blobs: FilePath)
    }

    /// Whose image it is that is copied.
    enum Origin: Hashable, Sendable {
        /// varve made it; nobody is asked whether it is trusted.
        case own
        /// Others made it: the host's policy decides (`containers-policy.json(5)`).
        case outside
    }

    /// Copies an image; the target gets its name only after everything else is there.
    ///
    /// - Parameter platform: What a copy of a single image is for, where that matters to the target.
    /// - Throws: `BuildFailure`.
    func copy(
        _ source: SkopeoImage, to target: SkopeoImage, verb: String, mode: CopyMode = .exact, origin: Origin = .own,
        platform: Platform? = nil, temporary: FilePath? = nil
    ) async throws {
        var arguments: [String] = []
        if origin == .own { arguments.append("--insecure-policy") }
        if let platform {
            arguments += ["--override-os", platform.os, "--override-arch", platform.architecture]
            if let variant = platform.variant { arguments += ["--override-variant", variant] }
        }
        if let temporary { arguments += ["--tmpdir", temporary.string] }
        arguments += ["copy", "--quiet"]
        switch mode {
        case .exact: arguments.append("--preserve-digests")
        case .exactIndex: arguments += ["--preserve-digests", "--all"]
        case .converting(let blobs): arguments += ["--dest-shared-blob-dir", blobs.string]
        }
        if source.host != nil || target.host != nil { arguments += authentication }
        if let host = source.host, access.isPlain(host) { arguments.append("--src-tls-verify=false") }
        if let host = target.host, access.isPlain(host) { arguments.append("--dest-tls-verify=false") }
        _ = try await run(
            arguments + [source.argument, target.argument], store: source.store ?? target.store,
            timeout: Self.copyTimeout, subject: Subject(verb: verb, image: target.host != nil ? target : source)
        )
    }

    private var authentication: [String] { access.authFile.map { ["--authfile", $0] } ?? [] }

    private func run(
        _ arguments: [String], store: BuildahStore?, timeout: Duration, subject: Subject
    ) async throws -> CommandResult {
        let environment = environment.merging(store?.environment ?? [:]) { _, own in own }
        let command = Command(
            "skopeo", arguments, environment: environment, output: .captured(limit: OCIDocument.sizeLimit),
            timeout: timeout
        )
        let result: CommandResult
        do {
            result = try await runner.run(command)
        } catch let failure as BuildFailure where failure.failureClass == .timedOut {
            throw BuildFailure(.transient, message: subject.failed("no answer within \(timeout)"))
        }
        guard result.isSuccess else {
            throw subject.failure(of: result, authFiles: access.authFiles(environment: environment))
        }
        return result
    }

    /// What an execution was about, for its error message.
    struct Subject: Hashable, Sendable {
        /// What was to be done: `read`, `publish`, `pull`.
        var verb: String
        /// The image.
        var image: SkopeoImage

        /// `failed to <verb> image '<name>': <cause>`.
        func failed(_ cause: String) -> String { "failed to \(verb) image '\(image.subject)': \(cause)" }
    }
}
