// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveModel
import VarvePlan
import VarveReconcile

/// `varve why IMAGE`: why an image is to be built, or why it was built last.
struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Tell why an image would be built now, and why it was built last.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The image.") var image: String
    @Option(help: "text or json.") var format: OutputFormat = .text

    private struct Answer: Encodable {
        var image: ImageName
        var status: ImageStatus
        var now: [RebuildReason]
        var cause: String?
        var last: BuildRecord?
    }

    func run() async throws {
        let name = try ImageName(image)
        let workspace = try await Workspace(global)
        try await workspace.refresh()
        guard let findings = try await workspace.survey.survey(bases: .recorded) else {
            throw CommandError("the repository has no commit yet")
        }
        let last = try await workspace.survey.allRecords(.image(name)).last { $0.status != .adopted }
        let plan = findings.plan.images.first { $0.definition.name == name }
        let invalid = findings.plan.invalid.first { $0.name == name.value }
        guard plan != nil || invalid != nil || last != nil else {
            throw CommandError("no image '\(name)'; see 'varve status'")
        }
        let cause = plan?.cause ?? invalid?.diagnostics.map(\.description).joined(separator: "\n")
        let status = plan?.status ?? (invalid == nil ? .retired : .invalid)
        let answer = Answer(image: name, status: status, now: plan?.reasons ?? [], cause: cause, last: last)
        switch format {
        case .json: try Output.json(answer)
        case .text: render(answer)
        }
    }

    private func render(_ answer: Answer) {
        Output.line("\(answer.image): \(answer.status.rawValue)")
        if let cause = answer.cause { Output.line("  \(cause)") }
        for reason in answer.now { Output.line("  to be built because \(reason)") }
        guard let last = answer.last else { return }
        Output.line(
            "last \(last.status.rawValue) at \(last.start), commit \(last.commit.short), in \(last.wholeSeconds)s")
        for reason in last.reasons { Output.line("  because \(reason)") }
        for layer in last.layers { Output.line("  \(layer.action.rawValue) \(layer.kind.rawValue) \(layer.key.short)") }
        if let base = last.base { Output.line("  base \(base.reference) \(base.configDigest?.description ?? "")") }
        if let error = last.error { Output.line("  error: \(error.message)") }
        if let reference = last.reference { Output.line("  \(reference)") }
    }
}
