// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Synchronization

/// A process that a test started, with its outputs kept in memory and readable line by line while it runs.
public final class ChildProcess: Sendable {
    /// The process id.
    public let pid: Int32
    private let stdout = OutputCollector()
    private let stderr = OutputCollector()
    private let exit = ExitLatch()
    /// The write end of a server's standard input: when this process dies, the server sees the end and ends too.
    private let heldInput: Pipe?

    /// Starts a server that must not outlive this process, even when this process is killed.
    ///
    /// - Throws: `FixtureError` when the tool is not there or cannot be started.
    public static func server(
        _ tool: String, _ arguments: [String], in folder: String? = nil, environment: [String: String?] = [:]
    ) throws -> ChildProcess {
        let program = try Command.locate(tool)
        return try ChildProcess(
            "bash", [Fixtures.path("programs/guard"), program] + arguments, in: folder, environment: environment,
            holdsInput: true
        )
    }

    /// Starts a tool, found in PATH, without waiting for it.
    ///
    /// `environment` is laid over this process's; a nil value removes a variable. With `holdsInput` the standard input
    /// stays open, and silent, as long as this process lives.
    ///
    /// - Throws: `FixtureError` when the tool is not there or cannot be started.
    public init(
        _ tool: String, _ arguments: [String] = [], in folder: String? = nil, environment: [String: String?] = [:],
        input: String? = nil, holdsInput: Bool = false
    ) throws {
        var variables = ProcessInfo.processInfo.environment
        for (name, value) in environment { variables[name] = value }
        let process = Process()
        process.executableURL = URL(filePath: try Command.locate(tool, path: variables["PATH"]))
        process.arguments = arguments
        process.environment = variables
        if let folder { process.currentDirectoryURL = URL(filePath: folder, directoryHint: .isDirectory) }
        let (output, failure) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = failure
        let inputPipe = input.map { _ in Pipe() }
        heldInput = holdsInput ? Pipe() : nil
        process.standardInput = inputPipe ?? heldInput ?? FileHandle.nullDevice
        process.terminationHandler = { [exit] process in
            let signal = process.terminationReason == .uncaughtSignal ? Int32(128) : 0
            exit.open(signal + process.terminationStatus)
        }
        // Threads of the pool that runs tasks block every signal, and a child inherits that: it would not hear TERM.
        var (mask, none) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &mask)
        defer { pthread_sigmask(SIG_SETMASK, &mask, nil) }
        do { try process.run() } catch { throw FixtureError("failed to start '\(tool)': \(error)") }
        pid = process.processIdentifier
        stdout.collect(from: output)
        stderr.collect(from: failure)
        if let input, let inputPipe {
            Thread.detachNewThread {
                try? inputPipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
                try? inputPipe.fileHandleForWriting.close()
            }
        }
    }

    /// Whether the process has not ended yet.
    public var isRunning: Bool { exit.status == nil }

    /// What the process wrote to its standard output so far.
    public var output: String { stdout.text }

    /// What the process wrote to its standard error so far.
    public var errorOutput: String { stderr.text }

    /// Waits for the end of the process and of its outputs.
    public func result() async -> CommandResult {
        let status = await exit.wait()
        await stdout.finished()
        await stderr.finished()
        return CommandResult(status: status, stdout: stdout.text, stderr: stderr.text)
    }

    /// Waits for the end of the process alone; a grandchild may still hold its outputs.
    @discardableResult
    public func exitStatus() async -> Int32 { await exit.wait() }

    /// The lines of the standard output, from the first on, as they come; ends with the output.
    public func lines() -> AsyncStream<String> { stdout.lines() }

    /// The lines of the standard error, from the first on, as they come; ends with the output.
    public func errorLines() -> AsyncStream<String> { stderr.lines() }

    /// Sends a signal to this process alone.
    public func send(_ signal: Int32) {
        if isRunning { _ = kill(pid, signal) }
    }

    /// Kills this process with SIGKILL and waits for its end.
    public func killHard() async {
        send(SIGKILL)
        await exitStatus()
    }

    /// Asks the process to end and waits; after `grace` it is killed.
    public func stop(grace: Duration = .seconds(5)) async {
        send(SIGTERM)
        await withTaskGroup { group in
            group.addTask { _ = await self.exitStatus() }
            group.addTask {
                if (try? await Task.sleep(for: grace)) != nil { self.send(SIGKILL) }
            }
            await group.next()
            group.cancelAll()
        }
        await exitStatus()
    }
}

/// A gate that opens once, with the exit status.
private final class ExitLatch: Sendable {
    private struct State {
        var status: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }
    private let state = Mutex(State())

    var status: Int32? { state.withLock(\.status) }

    func open(_ status: Int32) {
        let waiters = state.withLock { state in
            state.status = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = state.withLock { state in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }
}
