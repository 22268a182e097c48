// SPDX-License-Identifier: Apache-2.0

import VarveBuild
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
        /// Which of several daemons acts on the repository; nil where this one is alone.
        let leadership: Leadership?
        let bell: Bell
        let notifier: Notifier
        let log: DaemonLog
        let webhook: WebhookTarget
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
        let memory = RegistryMemory()
        for repository in repositories { workspaces.append(try await Workspace(repository, memory: memory)) }
        guard let first = workspaces.first else { throw CommandError("the configuration names no repository") }
        try first.state.prepare()
        lock = try StateLock(first.state)
        // All repositories share the builders, and work on no layer twice.
        let (slots, builds) = (BuildSlots(settings.builders), LayerBuilds())
        let disk = first.disk
        let hooks = try DaemonHooks(settings, now: first.passSettings.now)
        var members: [Member] = []
        var reconcilers: [Reconciler] = []
        for (index, workspace) in workspaces.enumerated() {
            var pass = workspace.passSettings
            pass.builders = settings.builders
            pass.disk = disk
            pass.layerTimeout = settings.layerTimeout
            pass.trigger = "daemon"
            if let lease = settings.lease {
                pass.leadership = try workspace.leadership(holder: lease.holder, length: lease.length)
            }
            let name = redacted(repositories[index].repository)
            let bell = Bell()
            let control = try LoopControl(workspace.state, bell: bell, now: pass.now) { [metrics = hooks.metrics] in
                metrics.note($0, of: name)
            }
            let source = workspace.repository
            let log = DaemonLog(format: format, repository: repositories.count > 1 ? name : nil) {
                try? source.tree(of: $0)
            }
            let running = RunningImages(workspace.state, now: pass.now)
            let notifier = try hooks.notifier(
                of: settings.repositories[index].address, state: workspace.state, pass: pass
            ) {
                log.show(.warning($0))
            }
            if notifier.hasChannels {
                notifier.learn((try? await workspace.survey.allRecords()) ?? [], isStart: true)
            }
            let webhook = WebhookTarget(
                address: settings.repositories[index].address, branch: settings.repositories[index].branch,
                control: control)
            pass.onRecords = {
                notifier.learn($0)
                webhook.learn($0)
            }
            let events: @Sendable (PassEvent) -> Void = { [metrics = hooks.metrics] event in
                running.note(event)
                control.note(event)
                metrics.note(event, of: name)
                notifier.note(event)
                log.show(event)
            }
            let reconciler = try await workspace.reconciler(
                settings: pass, slots: slots, builds: builds, events: events)
            reconcilers.append(reconciler)
            members.append(
                Member(
                    name: name, workspace: workspace, control: control,
                    loop: ReconcileLoop(
                        reconciler,
                        settings: LoopSettings(
                            interval: settings.interval, baseInterval: settings.baseInterval,
                            retry: RetryPolicy(first: settings.retryWait, limit: settings.retryLimit)),
                        bell: bell, control: control, events: events),
                    watch: workspace.isLocal ? ReferenceWatch(workspace.repository) { bell.ring() } : nil,
                    leadership: pass.leadership, bell: bell, notifier: notifier, log: log, webhook: webhook))
        }
        // All of them before any pass: it removes what no pass may miss.
        for reconciler in reconcilers { try await reconciler.prepare() }
        self.members = members
        self.format = format
        let sources = members.map { member in
            DaemonMetrics.Source(
                repository: member.name, snapshot: { member.control.snapshot },
                lastBaseLookup: { member.control.snapshot.lastLookup },
                pushRetries: { member.workspace.records.lostRaces })
        }
        server = try settings.server.map {
            try HTTPService(
                $0, members, interval: settings.interval,
                metrics: { [metrics = hooks.metrics] in metrics.text(sources) },
                webhooks: hooks.routes(members.map(\.webhook)))
        }
    }

    /// Has all loops begin nothing more, and end when the layers that are being built are done.
    func drain() {
        for member in members { member.control.drain() }
    }

    /// Runs all loops and the server until the task is cancelled, or the loops have ended.
    ///
    /// - Throws: when the server cannot listen; the loops are ended then.
    func run() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for member in members {
                group.addTask {
                    await member.loop.run()
                    return true
                }
                group.addTask {
                    await member.leadership?.watch { member.bell.ring() }
                    return false
                }
                group.addTask {
                    await member.notifier.run()
                    return false
                }
            }
            if let server {
                group.addTask { [format] in
                    try await server.run(
                        onListening: { format.say(listeningOn: $0) }, warn: { format.say(warning: $0) })
                    return false
                }
            }
            var loops = members.count
            while loops > 0, let isLoop = try await group.next() { loops -= isLoop ? 1 : 0 }
            group.cancelAll()
        }
    }

    /// Gives every lease up, so that other daemons need not wait for its end.
    func release() async {
        for member in members { await member.leadership?.release() }
    }
}

extension DaemonSettings {
    /// Where a repository's parts are; what the file does not say comes from the environment.
    func workspace(of repository: Repository) -> WorkspaceSettings {
        let git = repository.git.merging(git)
        let address = repository.address
        let state = stateDirectory.map(GlobalOptions.absolute) ?? GlobalOptions.defaultStateDirectory
        return WorkspaceSettings(
            repository: GlobalOptions.isURL(address) ? address : GlobalOptions.absolute(address),
            branch: repository.branch, stateDirectory: state,
            registry: GlobalOptions.registry(repository.registry ?? registry, stateDirectory: state),
            plainHTTPHosts: Set(plainHTTPHosts),
            isolation: (isolation.flatMap(IsolationMode.init(rawValue:)) ?? .chroot).engine,
            credentials: git.credentials, identity: git.signature,
            disk: DiskLimits(reserve: disk.reserve, cache: disk.cache))
    }
}
