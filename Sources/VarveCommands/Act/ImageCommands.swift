// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import VarveModel
import VarveReconcile
import VarveServer

extension DaemonClient {
    private struct Body: Encodable { var layer: String? }
    private struct Accepted: Decodable { var leader: String? }

    /// Has the daemon do something about an image, and says that it will.
    func act(
        _ verb: String, on image: ImageName, layer: String? = nil, _ format: OutputFormat, _ answer: String
    ) async throws {
        let bytes = try await post(["images", image.value, verb], Body(layer: layer))
        switch format {
        case .json: try Output.json(Self.decode(JSONNode.self, bytes))
        case .text:
            let leader = try Self.decode(Accepted.self, bytes).leader.map { singleLine($0, limit: 200) }
            let when = leader.map { " once '\($0)' no longer leads the repository; ask that daemon to have it sooner" }
            Output.line("\(image) \(answer)" + (when ?? ""))
        }
    }
}

extension DaemonClient {
    private struct Names: Encodable { var images: [ImageName] }

    /// Has the daemon look at its repository anew.
    func reconcile(_ names: [ImageName], _ format: OutputFormat) async throws {
        let bytes = try await post(["reconcile"], Names(images: names))
        switch format {
        case .json: try Output.json(Self.decode(JSONNode.self, bytes))
        case .text:
            let first = names.map(\.value).joined(separator: ", ")
            Output.line(
                "the daemon looks at everything anew"
                    + (names.isEmpty ? "" : "; \(first) go\(names.count == 1 ? "es" : "") before others"))
        }
    }
}

/// What the commands that act on one image take.
struct ImageOptions: ParsableArguments {
    @OptionGroup var global: GlobalOptions
    @OptionGroup var server: ServerOptions
    @Argument(help: "The image.") var image: String
    @Option(help: "text or json.") var format: OutputFormat = .text

    /// Has the daemon that the options name act; tells whether they name one.
    func ask(_ verb: String, answer: String) async throws -> Bool {
        let (name, format) = (try ImageName(image), format)
        return try await server.ask(global) { try await $0.act(verb, on: name, format, answer) }
    }
}

/// `varve stop IMAGE`: ends the running build of an image.
struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "End the running build of an image.",
        discussion: "Its record says who stopped it. It is built again when an input changes or somebody asks.")

    @OptionGroup var options: ImageOptions

    func run() async throws {
        if try await options.ask("stop", answer: "is being stopped") { return }
        throw CommandError("a build is stopped by its daemon: give --server; 'varve reconcile' ends at Ctrl-C")
    }
}

/// `varve suspend IMAGE`: has an image left alone, whatever its definition says.
struct SuspendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suspend", abstract: "Have an image left alone until it is resumed.",
        discussion: """
            The daemon keeps it in its state directory, where it survives a restart. Without --server it is written there \
            for the next start of a daemon. 'suspend: true' in image.yaml says the same for everybody.
            """)

    @OptionGroup var options: ImageOptions

    func run() async throws {
        if try await options.ask("suspend", answer: "is suspended") { return }
        try await Suspension(options).set(isSuspended: true)
    }
}

/// `varve resume IMAGE`: ends what `suspend` began.
struct ResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "End what 'varve suspend' began.",
        discussion: "An image with 'suspend: true' in its image.yaml stays suspended until that is removed.")

    @OptionGroup var options: ImageOptions

    func run() async throws {
        if try await options.ask("resume", answer: "is resumed") { return }
        try await Suspension(options).set(isSuspended: false)
    }
}

/// The images that are suspended in a state directory that no daemon has.
private struct Suspension {
    let options: ImageOptions

    init(_ options: ImageOptions) { self.options = options }

    private struct Answer: Encodable {
        var image: ImageName
        var suspended: Bool
    }

    func set(isSuspended: Bool) async throws {
        let name = try ImageName(options.image)
        let workspace = try await Workspace(options.global)
        if try isSuspended || !workspace.state.suspendedImages().contains(name) {
            try await workspace.refresh()
            guard let findings = try await workspace.survey.survey(bases: .recorded) else {
                throw CommandError("no image '\(name)': the repository has no commit yet")
            }
            try workspace.check([name], in: findings.plan)
        }
        try workspace.state.prepare()
        // A daemon has its own list in memory, and would write over this one.
        let lock = try StateLock(workspace.state)
        let control = try LoopControl(workspace.state, bell: Bell(), now: { Timestamp(seconds: time(nil)) })
        if isSuspended { try control.suspend(name) } else { try control.resume(name) }
        extendLifetime(lock)
        switch options.format {
        case .json: try Output.json(Answer(image: name, suspended: isSuspended))
        case .text: Output.line("\(name) is \(isSuspended ? "suspended" : "resumed")")
        }
    }
}
