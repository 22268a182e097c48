// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveModel
import VarvePlan
import VarveReconcile
import VarveServer

/// `varve plan`: what would be built and why.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show what would be built and why.",
        discussion: "Exit status: 0 nothing to do, 2 something to do, 1 a definition is broken or blocked.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var server: ServerOptions
    @Argument(help: "Images to show; all where none is named.") var images: [String] = []
    @Option(
        help: ArgumentHelp(
            "Plan another commit than the tip; with A..B show the images that differ between the two.",
            valueName: "REV|A..B"))
    var rev: String?
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() async throws {
        let names = try images.map { try ImageName($0) }
        let (rev, format) = (rev, format)
        let isAsked = try await server.ask(global) { daemon in
            guard rev == nil else { throw ValidationError("--rev reads a clone, and so goes without --server") }
            try await daemon.showPlan(of: names, format)
        }
        if isAsked { return }
        let workspace = try await Workspace(global)
        try await workspace.refresh()
        let range = try await workspace.commits(rev)
        guard let findings = try await workspace.survey.survey(commit: range.to, bases: .registry) else {
            Output.note("the repository has no commit yet")
            return
        }
        var plan = findings.plan
        try workspace.check(names, in: plan)
        if let from = range.from, let before = try await workspace.survey.survey(commit: from, bases: .registry) {
            plan.images = plan.images.filter { image in
                let old = before.plan.images.first { $0.definition.name == image.definition.name }
                return old?.platforms.map(\.key) != image.platforms.map(\.key) || old?.isKeyed != true
                    || old?.definition.verify != image.definition.verify
                    || old?.definition.tags != image.definition.tags
            }
            plan.invalid = plan.invalid.filter { invalid in
                !before.plan.invalid.contains { $0.folder == invalid.folder && $0.tree == invalid.tree }
            }
        }
        if !names.isEmpty {
            plan.images = plan.images.filter { names.contains($0.definition.name) }
            plan.invalid = plan.invalid.filter { invalid in names.contains { $0.value == invalid.name } }
        }
        switch format {
        case .json: try Output.json(PlanJSON(commit: findings.commit, plan: plan))
        case .text: render(plan, findings.tree)
        }
        if !plan.invalid.isEmpty || plan.images.contains(where: { $0.action == .blocked }) { throw ExitCode(1) }
        if plan.images.contains(where: { $0.action != .none }) { throw ExitCode(2) }
    }

    private func render(_ plan: Plan, _ tree: any SourceTree) {
        for definition in plan.invalid {
            for line in DiagnosticText.lines(definition, in: tree) { Output.line(line) }
        }
        for image in plan.images where image.action != .none {
            let name = image.definition.name
            switch image.action {
            case .none: break
            case .build:
                Output.line("\(name): build")
                for reason in image.reasons { Output.line("  because \(reason)") }
                for part in image.platforms {
                    let platform = image.others.isEmpty ? "" : " \(part.platform)"
                    for layer in part.layers {
                        Output.line(
                            "  \(layer.action.rawValue) \(layer.kind.rawValue) \(layer.key?.short ?? "")\(platform)")
                    }
                }
            case .wait, .blocked: Output.line("\(name): \(image.action.rawValue): \(image.cause ?? "")")
            }
        }
        for record in plan.retired { Output.line("\(record.image): retire: its definition is gone") }
        let settled = plan.images.filter { $0.action == .none }.count
        Output.line("\(settled) of \(plan.images.count) image\(plan.images.count == 1 ? "" : "s") as defined")
    }
}
