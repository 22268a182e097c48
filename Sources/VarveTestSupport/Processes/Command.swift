// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How a process ended and what it wrote.
public struct CommandResult: Sendable, CustomStringConvertible {
    /// The exit status; 128 and the signal's number where a signal ended it.
    public var status: Int32
    /// All of the standard output.
    public var stdout: String
    /// All of the standard error.
    public var stderr: String

    /// Status and both outputs, for messages of failing tests.
    public var description: String { "exit status \(status)\n--- stdout\n\(stdout)\n--- stderr\n\(stderr)" }

    /// The standard output without the line ends at its end.
    public var trimmed: String {
        var text = Substring(stdout)
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }

    /// The lines of the standard output.
    public var lines: [String] { stdout.split(whereSeparator: \.isNewline).map(String.init) }
}

/// Runs command-line tools for tests.
public enum Command {
    /// Runs a tool to its end, whatever its exit status.
    ///
    /// `environment` is laid over this process's; a nil value removes a variable.
    ///
    /// - Throws: `FixtureError` when the tool is not there.
    public static func result(
        _ tool: String, _ arguments: [String] = [], in folder: String? = nil, environment: [String: String?] = [:],
        input: String? = nil
    ) async throws -> CommandResult {
        let child = try ChildProcess(tool, arguments, in: folder, environment: environment, input: input)
        return await child.result()
    }

    /// Runs a tool that must succeed and returns its result.
    ///
    /// - Throws: `FixtureError` with both outputs when it exits non-zero, and when the tool is not there.
    @discardableResult
    public static func run(
        _ tool: String, _ arguments: [String] = [], in folder: String? = nil, environment: [String: String?] = [:],
        input: String? = nil
    ) async throws -> CommandResult {
        let result = try await result(tool, arguments, in: folder, environment: environment, input: input)
        guard result.status == 0 else {
            throw FixtureError("\(([tool] + arguments).joined(separator: " ")): \(result)")
        }
        return result
    }

    /// The absolute path of a tool, searched in PATH and in the folders of system tools.
    ///
    /// - Throws: `FixtureError` when it is nowhere: a missing tool fails the test that needs it.
    public static func locate(_ tool: String, path: String? = nil) throws -> String {
        if tool.contains("/") { return tool }
        let search = path ?? ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = search.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
        for folder in folders {
            let candidate = folder + "/" + tool
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw FixtureError("the tool '\(tool)' is missing; Tests/run installs what the tests need")
    }
}
