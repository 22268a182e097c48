// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveGit
import VarveModel
import VarveReconcile
import VarveServer

/// `varve status`: how each image stands.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how each image stands.",
        discussion: "Reads the repository and its notes alone; bases are as the last build found them.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var server: ServerOptions
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() async throws {
        let format = format
        if try await server.ask(global, { try await $0.showStatus(format) }) { return }
        let workspace = try await Workspace(global)
        try await workspace.refresh()
        guard let findings = try await workspace.survey.survey(bases: .recorded) else {
            Output.note("the repository has no commit yet")
            return
        }
        let running = RunningImages.read(workspace.state).mapValues {
            StatusJSON.Running(step: $0.step, start: $0.start)
        }
        let rows = StatusJSON.rows(
            findings, running: running, suspended: try workspace.state.suspendedImages())
        switch format {
        case .json: try Output.json(rows)
        case .text:
            var table = Table("IMAGE", "STATUS", "BUILT", "REFERENCE", "DETAIL")
            for row in rows {
                table.add(
                    row.name, row.status.rawValue, row.built?.description ?? "-", row.reference ?? "-", row.detail ?? ""
                )
            }
            table.print()
        }
        let unreadable = findings.history.unreadable
        if unreadable > 0 {
            Output.note("\(unreadable) lines of refs/notes/varve/state cannot be read: damaged, or of a newer varve")
        }
        let unsent = try await workspace.journal.pending().count
        if unsent > 0 { Output.note("\(unsent) records wait in the journal; the next reconcile sends them") }
    }
}
