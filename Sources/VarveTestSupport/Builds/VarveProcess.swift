// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The built `varve` program with the settings of one test.
public struct VarveProcess: Sendable {
    /// The repository: a folder or an address.
    public var repository: String
    /// The state directory.
    public var state: String
    /// `HOST/PREFIX` or `oci:DIR`; nil takes the default.
    public var registry: String?
    /// Hosts that are spoken to by plain http.
    public var plainHTTP: [String] = []
    /// The isolation of steps.
    public var isolation = "chroot"
    /// Variables on top of those of the test process; nil removes one.
    public var environment: [String: String?] = [:]

    /// The program on a repository with a state directory.
    public init(repository: String, state: String, registry: String? = nil, shim: ToolShim? = nil) {
        (self.repository, self.state, self.registry) = (repository, state, registry)
        if let host = registry?.split(separator: "/").first.map(String.init), host.hasPrefix("127.0.0.1") {
            plainHTTP = [host]
        }
        if let shim { environment["PATH"] = shim.path }
        environment["GIT_CONFIG_GLOBAL"] = "/dev/null"
        environment["GIT_CONFIG_NOSYSTEM"] = "1"
        for name in ["VARVE_REPO", "VARVE_STATE_DIR", "VARVE_REGISTRY"] { environment[name] = .some(nil) }
    }

    /// Where the built program is: `VARVE_BINARY`, else beside the program that runs the tests.
    ///
    /// - Throws: `FixtureError` when it is in neither place.
    public static func binary() throws -> String {
        let beside = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let candidates: [String?] = [
            ProcessInfo.processInfo.environment["VARVE_BINARY"], beside.appending(path: "varve").path,
            Fixtures.checkout + "/.build/debug/varve",
        ]
        for case let candidate? in candidates where FileManager.default.isExecutableFile(atPath: candidate) {
            return candidate
        }
        throw FixtureError("the program varve is not built; `swift build` first, or set VARVE_BINARY")
    }

    /// The options that say where everything is.
    public var options: [String] {
        ["--repo", repository, "--state-dir", state, "--isolation", isolation]
            + (registry.map { ["--registry", $0] } ?? []) + plainHTTP.flatMap { ["--plain-http", $0] }
    }

    /// Starts a command without waiting for it.
    ///
    /// - Throws: `FixtureError` when the program is not built.
    public func start(_ arguments: String..., options extra: [String] = []) throws -> ChildProcess {
        try ChildProcess(Self.binary(), arguments + options + extra, environment: environment)
    }

    /// Runs a command to its end, whatever its exit status.
    ///
    /// - Throws: `FixtureError` when the program is not built.
    public func run(_ arguments: String..., options extra: [String] = []) async throws -> CommandResult {
        try await Command.result(Self.binary(), arguments + options + extra, environment: environment)
    }

    /// Runs `reconcile --format json` and returns its events.
    ///
    /// - Throws: `FixtureError` when the program is not built or a line is not JSON.
    public func reconcile(_ images: String..., options extra: [String] = []) async throws -> ReconcilePass {
        let arguments = ["reconcile"] + images + ["--format", "json"] + options + extra
        return try ReconcilePass(await Command.result(Self.binary(), arguments, environment: environment))
    }
}

/// One finished `varve reconcile --format json`.
public struct ReconcilePass: Sendable, CustomStringConvertible {
    /// Exit status and outputs.
    public var result: CommandResult
    /// The events, in order.
    public var events: [JSONValue]

    /// Reads the events of a finished pass.
    ///
    /// - Throws: `FixtureError` when a line is not JSON.
    public init(_ result: CommandResult) throws {
        self.result = result
        events = try result.lines.map { try JSONValue(parsing: $0) }
    }

    /// The exit status.
    public var status: Int32 { result.status }

    /// The events of one kind.
    public func events(_ kind: String) -> [JSONValue] { events.filter { $0["event"].string == kind } }

    /// Status and outputs, for messages of failing tests.
    public var description: String { result.description }
}
