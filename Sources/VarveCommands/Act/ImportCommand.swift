// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import VarveDefinition
import VarveModel

/// `varve import`: definitions from other tools' files.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make definitions from other tools' files.",
        subcommands: [ImportSaturnCommand.self, ImportFoldersCommand.self])
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
    @OptionGroup(title: "What the images stand on") var base: BaseOptions

    func validate() throws {
        guard base.base != nil else { throw ValidationError("--base is needed") }
    }

    func run() async throws {
        if let name = base.name {
            _ = name.contains("/") ? try ImageReference(name).description : try ImageName(name).value
        }
        let tree = try Workspace.workingTree(global)
        let place = try tree.path(of: directory)
        let before = DefinitionReader(tree: tree.files, hostPlatform: try Workspace.hostPlatform())
        let fleet = try before.readFleet()
        let found = try FolderImport(
            tree: tree.files, below: place, taken: Set(fleet.images.map(\.name.value) + fleet.invalid.map(\.name)))
        guard !found.folders.isEmpty || !found.adopted.isEmpty else {
            throw CommandError("no folder below '\(directory)' has repo2docker files")
        }
        for folder in found.folders {
            var template = DefinitionTemplate(base: base.text)
            template.schema = DefinitionTemplate.schemaPath(from: folder.path)
            template.fields = [("name", folder.name)]
            template.inputs = folder.inputs
            if folder.leavesOutRequirements { template.excluded = ["pip"] }
            try RepositoryFolder(folder.path, in: tree.root).write(Array(template.text.utf8), to: "image.yaml")
            Output.line(singleLine("wrote \(tree.root)/\(folder.path)/image.yaml".replacing("/./", with: "/")))
            for note in folder.notes { Output.note(singleLine("\(folder.path): \(note)")) }
        }
        if found.folders.isEmpty { Output.line("nothing to do: each folder has an image.yaml") }
        try SchemaCommand.write(to: tree.root)
        let after = try Workspace.workingTree(global)
        let reader = DefinitionReader(tree: after.files, hostPlatform: try Workspace.hostPlatform())
        let diagnostics = try reader.readFleet(below: [place]).diagnostics
        for diagnostic in diagnostics { Output.note(diagnostic.description) }
        if !diagnostics.isEmpty { throw ExitCode(1) }
    }
}
