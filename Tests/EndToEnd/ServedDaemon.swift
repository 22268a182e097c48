// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// A running daemon that answers over HTTP, and one token for each set of scopes.
struct ServedDaemon {
    let fleet: Fleet
    let daemon: DaemonProcess
    let port: Int
    /// May read and act.
    let client: HTTPClient
    /// May only read.
    let reader: HTTPClient
    /// May only act.
    let actor: HTTPClient
    /// Has no token.
    let stranger: HTTPClient

    /// Starts a daemon over a fleet, whose first pass is over when this returns.
    init(_ fleet: Fleet, server: String = "", more: String = "interval: 10h\n") async throws {
        self.fleet = fleet
        var entries = ""
        func token(_ user: String, _ scopes: String...) async throws -> String {
            let options = ["--user", user, "--format", "json"] + scopes.flatMap { ["--scope", $0] }
            let answer = try await Command.run(VarveProcess.binary(), ["token"] + options)
            let json = try JSONValue(parsing: answer.stdout)
            let hash = try #require(json["entry"]["sha256"].string)
            entries += "  - {user: \(user), scopes: [\(scopes.joined(separator: ", "))], sha256: \(hash)}\n"
            return try #require(json["token"].string)
        }
        let (both, read, act) = (
            try await token("ada", "read", "act"), try await token("bob", "read"), try await token("eve", "act")
        )
        daemon = try DaemonProcess(
            fleet, repository: fleet.git.folder,
            more: "\(more)server:\n  listen: 127.0.0.1:0\n\(server)  tokens:\n\(entries)")
        let url = try await daemon.event("listening")?["url"].string
        port = try #require(url.flatMap { Int($0.split(separator: ":").last ?? "") }, "\(daemon.process.errorOutput)")
        client = HTTPClient(port: port, token: both)
        reader = HTTPClient(port: port, token: read)
        actor = HTTPClient(port: port, token: act)
        stranger = HTTPClient(port: port)
    }

    /// The id of the build that runs for an image.
    func runningBuild(_ image: String) throws -> String? {
        let queue = try client.get("/api/v1/queue").json()
        return queue["running"].array.first { $0["image"].string == image }?["build"].string
    }
}

/// A build step that says a line, waits for the test, and says another.
struct HeldStep {
    /// A number of seconds that nothing else on this machine sleeps for.
    private let marker = "8\(UInt32.random(in: 10_000...99_999)).25"

    /// The postBuild script.
    var script: String { "#!/bin/sh\necho before\nsleep \(marker)\necho after\necho one >/word\n" }

    /// Waits until the step waits.
    func reached() async throws {
        try await Loopback.wait(for: "the step", deadline: .seconds(60)) { !pids.isEmpty }
    }

    /// Lets the step go on.
    func release() {
        for pid in pids { kill(pid, SIGTERM) }
    }

    private var pids: [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { pid in
            guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
            return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }.suffix(2) == ["sleep", marker]
        }
    }
}
