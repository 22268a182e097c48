// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveDefinition
import VarveModel
import VarvePlan
import VarveReconcile

/// `varve export`: built images in other tools' formats.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Describe built images in other tools' formats.",
        subcommands: [ExportSaturnCommand.self])
}

/// `varve export saturn [IMAGE…]`: recipes of built images.
struct ExportSaturnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "saturn", abstract: "Print the recipes of Saturn Cloud for built images, one JSON object a line.",
        discussion: """
            Reads the repository and its notes alone. Each recipe has one version: the newest good build, by digest. What \
            is left out is said on standard error. Exit status: 1 where a named image has no recipe.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: ArgumentHelp("The images; all where none is named.", valueName: "IMAGE")) var images: [String] = []

    func run() async throws {
        let names = try images.map { try ImageName($0) }
        let workspace = try await Workspace(global)
        try await workspace.refresh()
        guard let findings = try await workspace.survey.survey(bases: .recorded) else {
            throw CommandError("the repository has no commit yet")
        }
        try workspace.check(names, in: findings.plan)
        let asked = Set(names.map(\.value))
        func isAsked(_ name: String) -> Bool { asked.isEmpty || asked.contains(name) }
        var left = 0
        func leave(_ name: String, _ reason: String) {
            Output.note("\(name) is left out: it \(reason)")
            left += 1
        }
        var written: [String: String] = [:]
        for plan in findings.plan.images.sorted(by: { $0.definition.name < $1.definition.name }) {
            let name = plan.definition.name.value
            guard isAsked(name) else { continue }
            do {
                let recipe = try SaturnRecipe(plan.definition, built: plan.lastGood)
                if let other = written[recipe.name] {
                    leave(name, "would have the name '\(recipe.name)', which \(other) has")
                    continue
                }
                written[recipe.name] = name
                for remark in recipe.remarks { Output.note("\(name): \(remark)") }
                if plan.action != .none {
                    Output.note(
                        "\(name): the definition is newer than the build of \(plan.lastGood?.start.description ?? "")")
                }
                try Output.json(recipe, pretty: false)
            } catch let refusal as SaturnRecipe.Refusal {
                leave(name, refusal.description)
            }
        }
        for invalid in findings.plan.invalid where isAsked(invalid.name) {
            leave(invalid.name, "has errors; see 'varve validate'")
        }
        if left > 0, !asked.isEmpty { throw ExitCode(1) }
    }
}
