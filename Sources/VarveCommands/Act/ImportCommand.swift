// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import VarveDefinition
import VarveModel

/// `varve import`: definitions from other tools' files.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make definitions from other tools' files.",
        subcommands: [ImportFoldersCommand.self])
}

/// `varve import repo2docker DIR`: adopts folders of repo2docker files as they stand.
struct ImportFoldersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repo2docker", abstract: "Adopt folders of repo2docker files as they stand.",
        discussion: """
            Writes an image.yaml beside the files and changes no other file; a folder that has one is left alone. What varve \
            reads otherwise than repo2docker is said on standard error. Then checks the result as validate does.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("The folder to search.", valueName: "DIR")) var directory: String
    @Option(help: "The base of the images: an image of this repository or a registry reference.")
    var base: String

    func run() async throws {
        let given = base.contains("/") ? try ImageReference(base).description : try ImageName(base).value
        let tree = try Workspace.workingTree(global)
        let place = try tree.path(of: directory)
        let found = try FolderImport(tree: tree.files, below: place).folders
        guard !found.isEmpty else { throw CommandError("no folder below '\(directory)' has repo2docker files") }
        for folder in found {
            var template = DefinitionTemplate(base: DefinitionTemplate.quoted(given))
            template.schema =
                String(repeating: "../", count: folder.path.components.count) + JSONSchema.imagePath
            template.fields = [("name", folder.name)]
            if folder.hasPostBuild { template.inputs = ["**"] }
            let path = folder.path.components.isEmpty ? tree.root : "\(tree.root)/\(folder.path)"
            try template.write(to: path)
            Output.line("wrote \(path)/image.yaml")
            for note in folder.notes { Output.note("\(folder.path): \(note)") }
        }
        try SchemaCommand.write(to: tree.root)
        let after = try Workspace.workingTree(global)
        let reader = DefinitionReader(tree: after.files, hostPlatform: try Workspace.hostPlatform())
        let diagnostics = try reader.readFleet(below: [place]).diagnostics
        for diagnostic in diagnostics { Output.note(diagnostic.description) }
        if !diagnostics.isEmpty { throw ExitCode(1) }
    }
}
