// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import VarveDefinition
import VarveModel

/// `varve schema`: the JSON Schema of `image.yaml` or `varve.yaml`.
struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of image.yaml or varve.yaml, for editors.",
        discussion: """
            init and new put the same texts into \(JSONSchema.imagePath) and \(JSONSchema.fleetPath) and name them in \
            the first line of each image.yaml and varve.yaml that they write, where yaml-language-server finds it.
            """)

    enum Document: String, ExpressibleByArgument, CaseIterable {
        case image
        case fleet
    }

    @Argument(help: "Which file's schema: image, or fleet for varve.yaml.") var document: Document = .image

    func run() throws {
        switch document {
        case .image: Output.write(JSONSchema.image, to: 1)
        case .fleet: Output.write(JSONSchema.fleet, to: 1)
        }
    }

    /// Writes the schema to its place in a repository, over an older one.
    static func write(to root: String) throws {
        for (path, schema) in [(JSONSchema.imagePath, JSONSchema.image), (JSONSchema.fleetPath, JSONSchema.fleet)] {
            let path = try RepositoryPath(path)
            let folder = try RepositoryFolder(path.parent ?? .root, in: root)
            try folder.replace(path.name, with: Array(schema.utf8))
        }
    }
}

/// `varve explain CODE`: what a diagnostic means.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say what a code such as VRV031 means and what to do about it.")

    @Argument(help: ArgumentHelp("A code; all where none is named.", valueName: "CODE")) var codes: [String] = []

    func run() throws {
        let asked = codes.isEmpty ? DiagnosticCode.allCases.map(\.rawValue) : codes.map { $0.uppercased() }
        for code in asked {
            guard let text = DiagnosticCode.explanation(of: code) else {
                throw CommandError("no code '\(code)'; 'varve explain' lists all")
            }
            Output.line("\(code): \(text)")
        }
    }
}
