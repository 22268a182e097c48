// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The flags that say what new images stand on.
struct BaseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "An image of this repository, a registry reference, bootstrap:[DISTRIBUTION/]SUITE or containerfile:FILE.",
            valueName: "BASE"))
    var base: String?
    @Option(help: ArgumentHelp("A package of the bootstrap; may be repeated.", valueName: "PACKAGE"))
    var bootstrapPackage: [String] = []
    @Option(help: ArgumentHelp("The user that the bootstrap creates.", valueName: "USER")) var bootstrapUser: String?
    @Option(help: ArgumentHelp("The package mirror of the bootstrap.", valueName: "URL")) var mirror: String?

    private static let (bootstrap, containerfile) = ("bootstrap:", "containerfile:")

    func validate() throws {
        let isBootstrap = base?.hasPrefix(Self.bootstrap) ?? false
        guard isBootstrap || (bootstrapPackage.isEmpty && bootstrapUser == nil && mirror == nil) else {
            throw ValidationError("--bootstrap-package, --bootstrap-user and --mirror go with --base bootstrap:SUITE")
        }
    }

    /// The base where it is a name: of an image of the repository, or of a registry.
    var name: String? {
        base.flatMap { $0.hasPrefix(Self.bootstrap) || $0.hasPrefix(Self.containerfile) ? nil : $0 }
    }

    /// The base as YAML; nil where none is given.
    var text: String? {
        guard let base else { return nil }
        func quoted(_ text: some StringProtocol) -> String { DefinitionTemplate.quoted(String(text)) }
        if base.hasPrefix(Self.containerfile) {
            return "{containerfile: \(quoted(base.dropFirst(Self.containerfile.count)))}"
        }
        guard base.hasPrefix(Self.bootstrap) else { return quoted(base) }
        let parts = base.dropFirst(Self.bootstrap.count).split(separator: "/", maxSplits: 1)
        var keys = ["distribution: \(quoted(parts.count == 2 ? parts[0] : "debian"))"]
        keys.append("suite: \(quoted(parts.last ?? ""))")
        if let mirror { keys.append("mirror: \(quoted(mirror))") }
        if !bootstrapPackage.isEmpty { keys.append("packages: \(DefinitionTemplate.list(bootstrapPackage))") }
        if let bootstrapUser { keys.append("user: \(quoted(bootstrapUser))") }
        return "{bootstrap: {\(keys.joined(separator: ", "))}}"
    }
}
