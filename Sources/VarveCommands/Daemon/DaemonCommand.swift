// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import VarveDefinition
import VarveGit
import VarveModel
import VarveReconcile

/// `varve daemon`: keeps registries equal to repositories until it is stopped.
struct DaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Keep registries equal to repositories, until stopped.",
        discussion: """
            Each repository is reconciled at start, when a local one's branches move, and at the latest on its interval. \
            SIGTERM ends the running steps; finished layers stay, and the next start goes on from them. Exit status: 0 \
            stopped, 1 it could not start.
            """)

    @Option(help: ArgumentHelp("The configuration file.", valueName: "FILE")) var config: String
    @Option(help: "text, or json for one object an event.") var format: OutputFormat = .text

    func run() async throws {
        let settings = try read()
        let repositories = settings.repositories.map { settings.workspace(of: $0) }
        var workspaces: [Workspace] = []
        for repository in repositories { workspaces.append(try await Workspace(repository)) }
        guard let first = workspaces.first else { return }
        try first.state.prepare()
        let lock = try StateLock(first.state)
        var parts: [(workspace: Workspace, reconciler: Reconciler, events: @Sendable (PassEvent) -> Void)] = []
        for (workspace, repository) in zip(workspaces, repositories) {
            var pass = workspace.passSettings
            pass.builders = settings.builders
            pass.layerTimeout = settings.layerTimeout
            pass.trigger = "daemon"
            let name = repositories.count > 1 ? redacted(repository.repository) : nil
            let source = workspace.repository
            let log = DaemonLog(format: format, repository: name) { try? source.tree(of: $0) }
            let running = RunningImages(workspace.state, now: pass.now)
            let events: @Sendable (PassEvent) -> Void = { event in
                running.note(event)
                log.show(event)
            }
            parts.append((workspace, try await workspace.reconciler(settings: pass, events: events), events))
        }
        // All of them before any pass: it removes what no pass may miss.
        for part in parts { try await part.reconciler.prepare() }
        var watches: [ReferenceWatch?] = []
        var loops: [ReconcileLoop] = []
        for part in parts {
            let bell = Bell()
            if part.workspace.isLocal { watches.append(ReferenceWatch(part.workspace.repository) { bell.ring() }) }
            loops.append(
                ReconcileLoop(
                    part.reconciler,
                    settings: LoopSettings(interval: settings.interval, baseInterval: settings.baseInterval),
                    bell: bell,
                    events: part.events))
        }
        let running = loops
        try await untilSignalled {
            await withDiscardingTaskGroup { group in
                for loop in running { group.addTask { await loop.run() } }
            }
        }
        extendLifetime(watches)
        extendLifetime(lock)
    }

    private func read() throws -> DaemonSettings {
        let path = GlobalOptions.absolute(config)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandError("failed to read configuration '\(path)': it is not there or cannot be read")
        }
        guard data.count <= 1 << 20 else { throw CommandError("configuration '\(path)' has more than 1 MiB") }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let (settings, diagnostics) = DaemonSettings.read(String(decoding: data, as: UTF8.self), file: name)
        guard let settings else {
            for diagnostic in diagnostics {
                Output.note("\(diagnostic)" + (diagnostic.hint.map { "\n  hint: \($0)" } ?? ""))
            }
            throw CommandError("configuration '\(path)' is not valid")
        }
        return settings
    }
}

extension DaemonSettings {
    /// Where a repository's parts are; what the file does not say comes from the environment.
    fileprivate func workspace(of repository: Repository) -> WorkspaceSettings {
        let address = repository.address
        let state = stateDirectory.map(GlobalOptions.absolute) ?? GlobalOptions.defaultStateDirectory
        return WorkspaceSettings(
            repository: GlobalOptions.isURL(address) ? address : GlobalOptions.absolute(address),
            branch: repository.branch, stateDirectory: state,
            registry: GlobalOptions.registry(repository.registry ?? registry, stateDirectory: state),
            plainHTTPHosts: Set(plainHTTPHosts),
            isolation: (isolation.flatMap(IsolationMode.init(rawValue:)) ?? .chroot).engine)
    }
}
