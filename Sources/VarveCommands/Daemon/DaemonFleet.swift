// SPDX-License-Identifier: Apache-2.0

import VarveDefinition
import VarveGit
import VarveModel
import VarveReconcile
import VarveServer

/// Everything that one daemon process runs: its repositories, and what they share.
final class DaemonFleet: Sendable {
    /// One repository that is kept up to date.
    struct Member: Sendable {
        /// The address without credentials, for people.
        let name: String
        let workspace: Workspace
        let control: LoopControl
        let loop: ReconcileLoop
        /// Rings when a branch of a local repository moves.
        let watch: ReferenceWatch?
    }

    let members: [Member]
    private let server: HTTPService?
    private let format: OutputFormat
    private let lock: StateLock

    /// Opens the repositories and takes the state directory.
    ///
    /// - Throws: when any part cannot be used; nothing has been built then.
    init(_ settings: DaemonSettings, format: OutputFormat) async throws {
        let repositories = settings.repositories.map { settings.workspace(of: $0) }
        var workspaces: [Workspace] = []
        for repository in repositories { workspaces.append(try await Workspace(repository)) }
        guard let first = workspaces.first else { throw CommandError("the configuration names no repository") }
        try first.state.prepare()
        lock = try StateLock(first.state)
        var members: [Member] = []
        var reconcilers: [Reconciler] = []
        for (workspace, repository) in zip(workspaces, repositories) {
            var pass = workspace.passSettings
            pass.builders = settings.builders
            pass.layerTimeout = settings.layerTimeout
            pass.trigger = "daemon"
            let name = redacted(repository.repository)
            let bell = Bell()
            let control = LoopControl(workspace.state, bell: bell, now: pass.now)
            let source = workspace.repository
            let log = DaemonLog(format: format, repository: repositories.count > 1 ? name : nil) {
                try? source.tree(of: $0)
            }
            let running = RunningImages(workspace.state, now: pass.now)
            let events: @Sendable (PassEvent) -> Void = { event in
                running.note(event)
                control.note(event)
                log.show(event)
            }
            let reconciler = try await workspace.reconciler(settings: pass, events: events)
            reconcilers.append(reconciler)
            members.append(
                Member(
                    name: name, workspace: workspace, control: control,
                    loop: ReconcileLoop(
                        reconciler,
                        settings: LoopSettings(interval: settings.interval, baseInterval: settings.baseInterval),
                        bell: bell, control: control, events: events),
                    watch: workspace.isLocal ? ReferenceWatch(workspace.repository) { bell.ring() } : nil))
        }
        // All of them before any pass: it removes what no pass may miss.
        for reconciler in reconcilers { try await reconciler.prepare() }
        self.members = members
        self.format = format
        server = try settings.server.map { try HTTPService($0, members, interval: settings.interval) }
    }

    /// Runs all loops, and the server, until the task is cancelled.
    ///
    /// - Throws: when the server cannot listen; the loops are ended then.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            for member in members { group.addTask { await member.loop.run() } }
            if let server { group.addTask { [format] in try await server.run { format.say(listeningOn: $0) } } }
        }
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
