// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveDefinition
import VarveGit
import VarveModel
import VarveServer

/// `varve validate`: everything about the definitions of a folder that can be checked offline, before a commit.
struct ValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate", abstract: "Check definitions offline, as they stand in the folder.",
        discussion: "Reads the files as they are, committed or not. Exit status: 0 all good, 1 an error was found.")

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
        case sarif
    }

    @OptionGroup var global: GlobalOptions
    @Argument(help: "Folders or files below the repository to check; all where none is named.") var paths: [String] = []
    @Option(help: "text, json or sarif.") var format: Format = .text

    func run() async throws {
        let tree = try Workspace.workingTree(global)
        let reader = DefinitionReader(tree: tree.files, hostPlatform: try Workspace.hostPlatform())
        let asked = try paths.map(tree.path(of:))
        for (argument, path) in zip(paths, asked) where try path != .root && tree.files.entry(at: path) == nil {
            throw CommandError("there is nothing at '\(singleLine(argument))'")
        }
        let fleet = try paths.isEmpty ? reader.readFleet() : reader.readFleet(below: asked)
        let errors = fleet.diagnostics
        let warnings = fleet.warnings.sorted { $0.key < $1.key }.flatMap(\.value)
        switch format {
        case .json: try Output.json((errors + warnings).map(DiagnosticJSON.init))
        case .sarif: try Output.json(SARIFLog(errors + warnings))
        case .text: render(fleet, errors, warnings, tree.files)
        }
        if !errors.isEmpty { throw ExitCode(1) }
        if fleet.images.isEmpty, format == .text { Output.note("no image.yaml found") }
    }

    private func render(
        _ fleet: Fleet, _ errors: [Diagnostic], _ warnings: [Diagnostic], _ tree: any SourceTree
    ) {
        for line in DiagnosticText.lines(errors + warnings, in: tree) { Output.line(line) }
        func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
        Output.line(
            "\(count(fleet.images.count, "image")) good, \(fleet.invalid.count) invalid"
                + (errors.isEmpty ? "" : ", " + count(errors.count, "error"))
                + (warnings.isEmpty ? "" : ", " + count(warnings.count, "warning")))
    }
}
