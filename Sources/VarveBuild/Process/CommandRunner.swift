// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Subprocess
import Synchronization
import SystemPackage
import VarveModel

/// Runs tools: the one place of this module that starts processes.
///
/// Every child runs in a session of its own and dies with varve, however that ends. Cancelling the task, or the
/// command's deadline, kills the child's whole process group, and its namespace where it has one, before `run` returns.
/// What a child says is redacted before anything keeps it.
struct CommandRunner: Sendable {
    private let redaction: Redaction

    /// A runner that redacts what tools say.
    init(redaction: Redaction = Redaction()) { self.redaction = redaction }

    /// Runs a command to its end; a non-zero exit is a result, not an error.
    ///
    /// - Parameter onLine: Takes each line of output, redacted, as it comes: standard error, and standard output too where
    ///   the command does not capture it. May be called from two tasks at a time.
    /// - Throws: `BuildFailure` of class `environment` when the tool is missing or cannot be started, `cancelled` when the
    ///   task was cancelled, `timedOut` after the command's deadline, `unknown` when it wrote more than the limit.
    func run(_ command: Command, onLine: @escaping @Sendable (String) -> Void = { _ in }) async throws -> CommandResult
    {
        try Task.checkRunning(command.tool)
        let launcher = command.launcher
        for tool in launcher.filter({ $0 == "setpriv" || $0 == "unshare" }) + [command.tool] {
            guard Self.find(tool, path: command.environment["PATH"] ?? "") != nil else {
                throw BuildFailure(.environment, message: Self.missing(tool))
            }
        }
        let tail = Tail()
        let outcome = await withTaskGroup(of: Outcome.self) { group in
            group.addTask { await execute(command, tail: tail, onLine: onLine) }
            if let timeout = command.timeout {
                group.addTask {
                    (try? await Task.sleep(for: timeout)) == nil ? .sleepCancelled : .deadline
                }
            }
            var first = await group.next() ?? .sleepCancelled
            group.cancelAll()
            // The child is gone only when its task is: never return before it.
            while let other = await group.next() {
                if case .sleepCancelled = first { first = other }
            }
            return first
        }
        // Asked before the outcome is read: a child that a shutdown killed has not failed.
        try Task.checkRunning(command.tool)
        switch outcome {
        case .finished(let result): return result
        case .failed(let failure): throw failure
        case .deadline:
            throw BuildFailure(
                .timedOut, message: "failed to run '\(command.tool)': it ran longer than \(command.timeout ?? .zero)",
                tail: tail.lines.joined(separator: "\n")
            )
        case .sleepCancelled:
            throw BuildFailure(.cancelled, message: "failed to run '\(command.tool)': cancelled")
        }
    }

    /// How a race between a child and its deadline can end.
    private enum Outcome: Sendable {
        case finished(CommandResult)
        case failed(BuildFailure)
        case deadline
        case sleepCancelled
    }

    /// The last lines of a child, which outlive it where its deadline ends it.
    private final class Tail: Sendable {
        private let state = Mutex(LineTail())
        var lines: [String] { state.withLock { $0.lines } }
        func append(_ line: String) { state.withLock { $0.append(line) } }
    }

    private func execute(
        _ command: Command, tail: Tail, onLine: @escaping @Sendable (String) -> Void
    ) async -> Outcome {
        do {
            return try await .finished(launch(command, tail: tail, onLine: onLine))
        } catch let failure as BuildFailure {
            return .failed(failure)
        } catch {
            return .failed(BuildFailure(.environment, message: "failed to run '\(command.tool)': \(error)"))
        }
    }

    private func launch(
        _ command: Command, tail: Tail, onLine: @escaping @Sendable (String) -> Void
    ) async throws -> CommandResult {
        var options = PlatformOptions()
        options.createSession = true
        // The final step of a teardown is always the kill; an earlier one only says that it goes to the whole group.
        options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
        let launcher = command.launcher
        let configuration = Configuration(
            executable: .name(launcher[0]),
            arguments: Arguments(launcher.dropFirst() + [command.tool] + command.arguments),
            environment: .custom(
                Dictionary(
                    uniqueKeysWithValues: command.environment.compactMap { name, value in
                        Environment.Key(rawValue: name).map { ($0, value) }
                    }
                )
            ),
            platformOptions: options
        )
        let take: @Sendable (String) -> Void = { line in
            let line = redaction.apply(to: line)
            tail.append(line)
            onLine(line)
        }
        switch command.output {
        case .lines(let pipe):
            let run = {
                try await Subprocess.run(
                    configuration, input: .none, output: .sequence, error: .combinedWithOutput
                ) { execution in
                    try await Self.readLines(execution.standardOutput, take: take)
                }.terminationStatus
            }
            let status = if let pipe { try await pipe.forwarding(take, while: run) } else { try await run() }
            return CommandResult(status: CommandResult.Status(status), output: [], tail: tail.lines)
        case .captured(let limit):
            let result = try await Subprocess.run(configuration, input: .none, output: .sequence, error: .sequence) {
                execution in
                async let lines: Void = Self.readLines(execution.standardError, take: take)
                let output = try await Self.read(execution.standardOutput, limit: limit, tool: command.tool)
                try await lines
                return output
            }
            return CommandResult(
                status: CommandResult.Status(result.terminationStatus), output: result.closureResult,
                tail: tail.lines
            )
        }
    }

    private static func readLines(_ stream: SubprocessOutputSequence, take: (String) -> Void) async throws {
        var splitter = LineSplitter()
        for try await buffer in stream {
            buffer.withUnsafeBytes { splitter.append($0, to: take) }
        }
        splitter.finish(take)
    }

    private static func read(_ stream: SubprocessOutputSequence, limit: Int, tool: String) async throws -> [UInt8] {
        var output: [UInt8] = []
        for try await buffer in stream {
            guard output.count + buffer.count <= limit else {
                throw BuildFailure(.unknown, message: "failed to run '\(tool)': it wrote more than \(limit) bytes")
            }
            buffer.withUnsafeBytes { output.append(contentsOf: $0) }
        }
        return output
    }

    /// The file that a tool's name means on a search path; nil where there is none.
    static func find(_ tool: String, path: String) -> String? {
        if tool.contains("/") { return FileManager.default.isExecutableFile(atPath: tool) ? tool : nil }
        return path.split(separator: ":").lazy.map { "\($0)/\(tool)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private static func missing(_ tool: String) -> String {
        let package = ["setpriv": "util-linux", "unshare": "util-linux"][tool] ?? tool
        return "failed to run '\(tool)': it is not on PATH; install the package \(package)"
    }
}

extension CommandResult.Status {
    fileprivate init(_ status: TerminationStatus) {
        switch status {
        case .exited(let code): self = .exited(Int(code))
        case .signaled(let signal): self = .signalled(Int(signal))
        }
    }
}

extension Task where Success == Never, Failure == Never {
    /// Throws where the task is cancelled.
    ///
    /// - Throws: `BuildFailure` of class `cancelled`.
    static func checkRunning(_ tool: String) throws {
        if isCancelled { throw BuildFailure(.cancelled, message: "failed to run '\(tool)': cancelled") }
    }
}
