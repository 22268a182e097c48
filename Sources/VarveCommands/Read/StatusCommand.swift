// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveGit
import VarveModel
import VarvePlan
import VarveReconcile

/// `varve status`: how each image stands.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how each image stands.",
        discussion: "Reads the repository and its notes alone; bases are as the last build found them.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var server: ServerOptions
    @Option(help: "text or json.") var format: OutputFormat = .text

    private struct Row: Encodable {
        var name: String
        var status: ImageStatus
        var built: Timestamp?
        var reference: String?
        var owner: String?
        var step: String?
        var detail: String?
    }

    func run() async throws {
        let format = format
        if try await server.ask(global, { try await $0.showStatus(format) }) { return }
        let workspace = try await Workspace(global)
        try await workspace.refresh()
        guard let findings = try await workspace.survey.survey(bases: .recorded) else {
            Output.note("the repository has no commit yet")
            return
        }
        let running = RunningImages.read(workspace.state)
        var rows = findings.plan.images.map { row($0, running: running[$0.definition.name.value]) }
        rows += findings.plan.invalid.map { definition in
            let good = (try? ImageName(definition.name)).flatMap { findings.history.lastGood[$0] }
            return Row(
                name: definition.name, status: .invalid, built: good?.start, reference: good?.reference,
                detail: definition.diagnostics.first?.description)
        }
        rows += findings.plan.retired.map {
            Row(
                name: $0.image.value, status: .retired, built: $0.start, reference: $0.reference,
                detail: "definition is gone")
        }
        rows.sort { $0.name < $1.name }
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
        let unreadable = try await workspace.records.records().unreadable
        if unreadable > 0 {
            Output.note("\(unreadable) lines of refs/notes/varve/state cannot be read: damaged, or of a newer varve")
        }
        let unsent = try await workspace.journal.pending().count
        if unsent > 0 { Output.note("\(unsent) records wait in the journal; the next reconcile sends them") }
    }

    private func row(_ image: ImagePlan, running: RunningImages.Entry?) -> Row {
        var row = Row(
            name: image.definition.name.value, status: image.status, built: image.lastGood?.start,
            reference: image.lastGood?.reference, owner: image.definition.owner.text, detail: image.cause)
        if let running {
            row.status = .building
            row.step = running.step
            row.detail = "\(running.step) since \(running.start)"
        } else if image.action == .build {
            row.detail = image.reasons.map(\.description).joined(separator: ", ")
        }
        return row
    }
}
