// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import VarveDefinition
import VarveGit
import VarveModel

/// `varve init`: a repository with one working example.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a repository ready: one working example, a varve.yaml to fill in, and notes that git shows.",
        discussion: "Changes no file that is there. Commits nothing: that is left to you.")

    @Argument(help: ArgumentHelp("The folder. Default: this folder.", valueName: "DIR")) var directory = "."

    func run() async throws {
        let folder = GlobalOptions.absolute(directory)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let repository = try Workspace.openOrInitialise(folder)
        guard repository.workingFolder != nil else {
            throw CommandError("repository '\(folder)' is bare: it has no files to work on")
        }
        try repository.configureNotes()
        let path = folder + "/images/hello"
        if FileManager.default.fileExists(atPath: path + "/image.yaml") {
            Output.line("\(path)/image.yaml is there already")
        } else {
            var hello = DefinitionTemplate.hello
            let place = try RepositoryPath("images/hello")
            hello.schema = DefinitionTemplate.schemaPath(from: place)
            try RepositoryFolder(place, in: folder).write(Array(hello.text.utf8), to: "image.yaml")
            Output.line("wrote \(path)/image.yaml")
        }
        if FileManager.default.fileExists(atPath: folder + "/" + FleetKeys.fileName) {
            Output.line("\(folder)/\(FleetKeys.fileName) is there already")
        } else {
            try RepositoryFolder(.root, in: folder).write(Array(FleetTemplate.text.utf8), to: FleetKeys.fileName)
            Output.line("wrote \(folder)/\(FleetKeys.fileName), in which nothing is set")
        }
        try SchemaCommand.write(to: folder)
        Output.line("wrote \(folder)/\(JSONSchema.imagePath), which editors read")
        Output.line("git log shows varve's notes; where there is a remote 'origin', git fetch brings them")
        Output.line("next: git add images .varve varve.yaml && git commit -m 'Add hello' && varve reconcile")
    }
}
