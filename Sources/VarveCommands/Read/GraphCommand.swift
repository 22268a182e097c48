// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveModel
import VarvePlan
import VarveReconcile
import VarveServer

/// `varve graph`: what each image stands on, and which layers are shared.
struct GraphCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Show what each image stands on.",
        discussion: "Reads the repository and its notes alone; bases are as the last build found them.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var server: ServerOptions
    @Option(help: "text, or json with the distinct layers.") var format: OutputFormat = .text

    func run() async throws {
        let format = format
        if try await server.ask(global, { try await $0.showGraph(format) }) { return }
        let workspace = try await Workspace(global)
        try await workspace.refresh()
        guard let findings = try await workspace.survey.survey(bases: .recorded) else {
            Output.note("the repository has no commit yet")
            return
        }
        let graph = GraphJSON(commit: findings.commit, plan: findings.plan)
        switch format {
        case .json: try Output.json(graph)
        case .text:
            GraphView(
                graph.images.map {
                    GraphView.Image(
                        name: $0.name, status: $0.status.rawValue, parent: $0.parent?.value, base: $0.base,
                        layers: $0.layers.map(\.description))
                }
            ).table().print()
        }
    }
}
