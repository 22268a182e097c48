// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

/// A running daemon and what it says.
struct DaemonProcess {
    let process: ChildProcess
    private let lines: AsyncStream<String>

    /// Starts a daemon that publishes to the fleet's registry, or to what stands before it.
    init(
        _ fleet: Fleet, repository: String, through proxy: FaultProxy? = nil, more: String = "",
        environment: [String: String?] = [:], file name: String = "daemon.yaml"
    ) throws {
        let host = proxy?.host ?? fleet.registry.host
        let file = try fleet.directory.write(
            """
            stateDir: \(fleet.varve.state)
            registry: \(host)/fleet
            plainHTTP: ['\(host)']
            repositories:
            - repo: \(repository)
            \(more)
            """, to: name)
        process = try ChildProcess(
            VarveProcess.binary(), ["daemon", "--config", file, "--format", "json"],
            environment: fleet.varve.environment.merging(environment) { $1 })
        lines = process.lines()
        let process = process
        fleet.directory.addCleanup { await process.stop() }
    }

    /// Waits for an event; nil where the daemon ends without it.
    ///
    /// The events before it are told to `meanwhile`.
    func event(
        _ kind: String, _ matches: (JSONValue) -> Bool = { _ in true }, meanwhile: (JSONValue) -> Void = { _ in }
    ) async throws -> JSONValue? {
        for await line in lines {
            let event = try JSONValue(parsing: line)
            if event["event"].string == kind, matches(event) { return event }
            meanwhile(event)
        }
        return nil
    }

    /// Waits for an image to be built.
    func built(_ image: String) async throws -> Bool {
        try await event("image-finished") { $0["image"].string == image && $0["status"].string == "built" } != nil
    }

    /// The memory that the daemon holds, in kB.
    func memory() throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        return try #require(text.firstMatch(of: #/VmRSS:\s+(\d+) kB/#).flatMap { Int($0.1) })
    }

    /// How many descriptors the daemon has open.
    func descriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd").count
    }

    /// How many processes the daemon has started that are still there, ended ones that it never asked after included.
    func children() throws -> Int {
        let path = "/proc/\(process.pid)/task"
        return try FileManager.default.contentsOfDirectory(atPath: path).reduce(0) { count, thread in
            let children = try? String(contentsOfFile: "\(path)/\(thread)/children", encoding: .utf8)
            return count + (children ?? "").split(separator: " ").count
        }
    }
}
