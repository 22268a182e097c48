// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import VarveDefinition
import VarveModel
import VarveServer

/// `varve import saturn FILE…`: makes definitions from recipes of Saturn Cloud.
struct ImportSaturnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "saturn", abstract: "Make definitions from recipes of Saturn Cloud.",
        discussion: """
            Writes a folder for each version that is not archived; the last one has the image's name. Changes no folder that \
            is there. What cannot be carried is said on standard error, a line each. Then checks the result as validate \
            does. Exit status: 1 where a version is left out that is not archived, or a definition is not good.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("Recipes, in JSON or YAML.", valueName: "FILE")) var recipes: [String]
    @Option(help: "The folder that gets the images' folders, relative to the repository.") var folder = "images"
    @Option(help: "The owner in place of the recipe's: all-users, user/NAME or group/NAME.") var owner: String?
    @Option(help: "text or json.") var format: OutputFormat = .text

    private struct Answer: Encodable {
        struct Image: Encodable {
            let name: String
            let folder: RepositoryPath
            let files: [String]
        }

        struct Remark: Encodable {
            let file: String
            let line: Int
            let column: Int
            let severity: String
            let message: String
        }

        var images: [Image] = []
        var remarks: [Remark] = []
        var errors: [DiagnosticJSON] = []
    }

    func run() async throws {
        let place = try RepositoryPath(folder)
        let before = try Workspace.workingTree(global)
        let reader = DefinitionReader(tree: before.files, hostPlatform: try Workspace.hostPlatform())
        let fleet = try reader.readFleet()
        var taken = Set(fleet.images.map(\.name.value) + fleet.invalid.map(\.name))
        var answer = Answer()
        var written: [RepositoryPath] = []
        for recipe in recipes {
            let bytes = try RepositoryFolder.read(recipe, limit: SaturnImport.sizeLimit)
            let found = SaturnImport(bytes, taken: &taken)
            answer.remarks += found.remarks.map {
                Answer.Remark(
                    file: recipe, line: $0.line, column: $0.column, severity: $0.isError ? "error" : "note",
                    message: $0.message)
            }
            for image in found.images {
                let path = try place.appending(image.name)
                do {
                    try write(image, to: path, in: before.root)
                } catch let error as CommandError {
                    answer.remarks.append(
                        Answer.Remark(file: recipe, line: 0, column: 0, severity: "error", message: error.description))
                    continue
                }
                written.append(path)
                answer.images.append(
                    Answer.Image(name: image.name, folder: path, files: ["image.yaml"] + image.files.map(\.name)))
            }
        }
        if !written.isEmpty {
            try SchemaCommand.write(to: before.root)
            answer.errors = try diagnostics(written).map(DiagnosticJSON.init)
        }
        for remark in answer.remarks { Output.note(Self.line(remark)) }
        switch format {
        case .json: try Output.json(answer)
        case .text:
            for path in written { Output.line(singleLine("wrote \(before.root)/\(path)")) }
        }
        if !answer.errors.isEmpty || answer.remarks.contains(where: { $0.severity == "error" }) { throw ExitCode(1) }
    }

    private func write(_ image: SaturnImport.Image, to path: RepositoryPath, in root: String) throws {
        var template = DefinitionTemplate(base: nil, description: image.description)
        template.schema = DefinitionTemplate.schemaPath(from: path)
        switch image.source {
        case .base(let reference): template.base = DefinitionTemplate.quoted(reference.description)
        case .external(let reference): template.external = reference.description
        }
        template.fields = [
            ("owner", owner ?? image.owner), ("visibility", image.visibility?.rawValue),
            ("hardware", image.hardware == .cpu ? nil : image.hardware.rawValue),
        ]
        template.supports = image.supports.map(\.rawValue)
        let target = try RepositoryFolder(path, in: root, isNew: true)
        try target.write(Array(template.text.utf8), to: "image.yaml")
        for file in image.files {
            try target.write(Array(file.text.utf8), to: file.name, isExecutable: file.name == "postBuild")
        }
    }

    private func diagnostics(_ written: [RepositoryPath]) throws -> [Diagnostic] {
        let after = try Workspace.workingTree(global)
        let reader = DefinitionReader(tree: after.files, hostPlatform: try Workspace.hostPlatform())
        let found = try reader.readFleet(below: written).invalid.flatMap(\.diagnostics)
        for diagnostic in found { Output.note(diagnostic.description) }
        return found
    }

    private static func line(_ remark: Answer.Remark) -> String {
        var place = remark.file
        if remark.line > 0 { place += ":\(remark.line)" }
        if remark.line > 0, remark.column > 0 { place += ":\(remark.column)" }
        return singleLine("\(place): \(remark.severity): \(remark.message)")
    }
}
