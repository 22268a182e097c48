// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import VarveBuild
import VarveDefinition
import VarveGit
import VarveModel
import VarveReconcile

/// `varve doctor`: whether everything that varve needs is there, and how to mend what is not.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check all that varve needs, and say how to mend it.",
        discussion: """
            Looks at the tools, builds an empty image in a store that is thrown away, asks the repository's remote and the \
            registry, and tries the rights to write to both: a reference under refs/varve/ and refs/notes/varve/ that is \
            removed again, and an empty image without a tag. With --config, all that the file names. Exit status: 0 varve can \
            work, 1 something failed.
            """)

    @OptionGroup var global: GlobalOptions
    @Option(help: ArgumentHelp("A daemon's configuration file.", valueName: "FILE")) var config: String?
    @Option(help: "text or json.") var format: OutputFormat = .text

    func run() async throws {
        let checks = try await untilSignalled { try await look() }
        let isGood = !checks.contains { $0.outcome == .failed }
        switch format {
        case .json: try Output.json(Answer(checks: checks, ok: isGood))
        case .text:
            var table = Table("STATUS", "CHECK", "FOUND", "WHAT TO DO")
            for check in checks {
                table.add(check.outcome.rawValue, check.name, check.detail, check.remedy ?? "")
            }
            table.print()
        }
        if !isGood { throw ExitCode(1) }
    }

    private struct Answer: Encodable {
        var checks: [HealthCheck]
        var ok: Bool
    }

    private func look() async throws -> [HealthCheck] {
        let environment = ProcessInfo.processInfo.environment
        guard let config else {
            let settings = WorkspaceSettings(
                repository: global.repository, branch: nil, stateDirectory: global.stateDirectory,
                registry: global.registry, plainHTTPHosts: Set(global.plainHTTPHosts),
                isolation: global.isolation.engine, disk: try .ofEnvironment())
            let found = await machine(settings, environment)
            return found + (await workspaces([settings]))
        }
        let (settings, diagnostics) = try DaemonSettings.diagnose(file: config)
        guard let settings, let first = settings.repositories.first else {
            return diagnostics.map {
                HealthCheck("configuration", .failed, "\($0)", remedy: $0.hint ?? "correct the file '\(config)'")
            }
        }
        let keys = SettingsChecks(settings: settings, file: config, environment: environment).checks()
        let found = await machine(settings.workspace(of: first), environment)
        return keys + found + (await workspaces(settings.repositories.map { settings.workspace(of: $0) }))
    }

    private func machine(_ settings: WorkspaceSettings, _ environment: [String: String]) async -> [HealthCheck] {
        let state = settings.stateDirectory
        let engine = EngineHealth(stateDirectory: state, isolation: settings.isolation, environment: environment)
        return MachineChecks(stateDirectory: state, limits: settings.disk).checks() + (await engine.checks())
    }

    /// Each repository once, and each registry once.
    private func workspaces(_ all: [WorkspaceSettings]) async -> [HealthCheck] {
        var checks: [HealthCheck] = []
        var registries: Set<String> = []
        for settings in all {
            do {
                let workspace = try await Workspace(settings)
                checks += await workspace.records.checks()
                let newest = try? await workspace.records.history().newest.last?.start
                if let check = MachineChecks.clock(behind: newest) { checks.append(check) }
                if registries.insert(settings.registry).inserted { checks += await workspace.registryChecks() }
            } catch {
                checks.append(
                    HealthCheck(
                        "repository \(redacted(settings.repository))", .failed, "\(error)",
                        remedy: "check the address in --repo, or 'repo' in the configuration file"))
            }
        }
        return checks
    }
}
