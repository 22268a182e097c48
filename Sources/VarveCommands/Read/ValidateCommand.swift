// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveDefinition
import VarveModel

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
        let fleet = try paths.isEmpty ? reader.readFleet() : reader.readFleet(below: paths.map(tree.path(of:)))
        let diagnostics = fleet.diagnostics
        switch format {
        case .json: try Output.json(diagnostics.map(DiagnosticJSON.init))
        case .sarif: try Output.json(SARIFLog(diagnostics))
        case .text: render(fleet, diagnostics, tree.files)
        }
        if !diagnostics.isEmpty { throw ExitCode(1) }
        if fleet.images.isEmpty, format == .text { Output.note("no image.yaml found") }
    }

    private func render(_ fleet: Fleet, _ diagnostics: [Diagnostic], _ tree: any SourceTree) {
        for diagnostic in diagnostics {
            Output.line(diagnostic.description)
            if let excerpt = SourceExcerpt(diagnostic, in: tree) {
                Output.line("  " + excerpt.line)
                Output.line("  " + excerpt.caret)
            }
        }
        let images = fleet.images.count
        Output.line(
            "\(images) image\(images == 1 ? "" : "s") good, \(fleet.invalid.count) invalid"
                + (diagnostics.isEmpty ? "" : ", \(diagnostics.count) error\(diagnostics.count == 1 ? "" : "s")"))
    }
}
