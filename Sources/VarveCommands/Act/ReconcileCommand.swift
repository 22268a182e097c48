// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveGit
import VarveModel
import VarveReconcile

/// `varve reconcile`: one pass.
struct ReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile", abstract: "Build and publish what differs from the definitions, once.",
        discussion: """
            With --server the daemon is asked to look at everything anew, and this command does not wait. Exit status: 0 \
            everything is as defined, 1 an image failed, is blocked or invalid, 130 stopped.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var server: ServerOptions
    @Argument(help: "Images to reconcile, with those they stand on; all where none is named.") var images: [String] = []
    @Option(help: ArgumentHelp("How many images are built at the same time.", valueName: "NUMBER")) var builders = 2
    @Option(help: ArgumentHelp("How long one layer may take.", valueName: "SECONDS")) var layerTimeout = 3_600
    @Option(help: "text, or json for one object an event.") var format: OutputFormat = .text
    /// What `varve rebuild` adds; not an option of this command.
    var rebuild: Rebuild?

    private enum CodingKeys: String, CodingKey {
        case global, server, images, builders, layerTimeout, format
    }

    func validate() throws {
        guard builders > 0 else { throw ValidationError("--builders takes a number from 1") }
        guard layerTimeout > 0 else { throw ValidationError("--layer-timeout takes a number from 1") }
    }

    func run() async throws {
        let names = try images.map { try ImageName($0) }
        let format = format
        if try await server.ask(global, { try await $0.reconcile(names, format) }) { return }
        let workspace = try await Workspace(global)
        try workspace.state.prepare()
        let lock = try StateLock(workspace.state)
        var settings = workspace.passSettings
        settings.builders = builders
        settings.disk = workspace.disk
        settings.layerTimeout = .seconds(layerTimeout)
        settings.leadership = try await leadership(workspace)
        settings.waitsForLease = true
        let progress = ProgressRenderer(isTerminal: Output.isTerminal) { [repository = workspace.repository] commit in
            try? repository.tree(of: commit)
        }
        let running = RunningImages(workspace.state, now: settings.now)
        let reconciler = try await workspace.reconciler(settings: settings) { event in
            running.note(event)
            switch format {
            case .text: progress.show(event)
            case .json:
                if let text = try? Output.jsonText(EventJSON(event), pretty: false) { Output.line(text) }
            }
        }
        let outcome = await runPass(reconciler, names, progress)
        await settings.leadership?.release()
        let result = try outcome.get()
        extendLifetime(lock)
        if result.isCancelled { throw ExitCode(130) }
        if !result.isGood { throw ExitCode(1) }
    }

    private func runPass(
        _ reconciler: Reconciler, _ names: [ImageName], _ progress: ProgressRenderer
    ) async -> Result<PassResult, any Error> {
        let wish = rebuild
        let rebuilds = Dictionary(names.compactMap { name in wish.map { (name, $0) } }) { first, _ in first }
        do {
            return .success(
                try await untilSignalled {
                    try await withThrowingTaskGroup(of: PassResult?.self) { group in
                        group.addTask {
                            try await reconciler.prepare()
                            return try await reconciler.reconcile(names, rebuilds: rebuilds)
                        }
                        group.addTask {
                            while (try? await Task.sleep(for: .milliseconds(250))) != nil { progress.tick() }
                            return nil
                        }
                        defer { group.cancelAll() }
                        while let finished = try await group.next() {
                            if let finished { return finished }
                        }
                        throw CancellationError()
                    }
                })
        } catch {
            return .failure(error)
        }
    }

    /// The lease, where daemons work on the repository: then this pass waits for its turn.
    private func leadership(_ workspace: Workspace) async throws -> Leadership? {
        let found: LeaseValue?
        do {
            found = try await workspace.lease.read()
        } catch {
            let cause = redacted("\(error)")
            Output.note("warning: cannot tell whether a daemon works on this repository: \(cause)")
            return nil
        }
        guard let found else { return nil }
        let length = found.lease.map { Duration.seconds(max($0.length, 1)) } ?? .seconds(60)
        return try workspace.leadership(holder: nil, length: length)
    }
}
