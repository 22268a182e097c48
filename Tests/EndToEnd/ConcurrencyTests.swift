// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

/// Two processes that reconcile clones of one remote at the same time lose no record.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct ConcurrencyTests {
    enum Transport: String, CaseIterable, Sendable {
        case file
        case http
        case ssh
    }

    @Test(arguments: Transport.allCases)
    func twoWritersLoseNoRecord(transport: Transport) async throws {
        let fleet = try await Fleet()
        let directory = fleet.directory
        let base = try await fleet.base(.tiny)
        let remote = directory.path("remotes/fleet.git")
        let bare = try await GitCommandLine.initialize(remote, bare: true)
        try await fleet.git("remote", "add", "origin", remote)
        var address = "file://" + remote
        var gate: PushGate?
        var environment: [String: String?] = [:]
        switch transport {
        case .file: break
        case .http:
            let server = try await GitHTTPServer(serving: directory.path("remotes"), in: directory)
            (address, gate) = (server.address(of: "fleet.git"), server.gate)
        case .ssh:
            let server = try await SSHServer(in: directory)
            (address, gate) = (server.address(of: remote), server.gate)
            environment = ["HOME": server.home, "SSH_AUTH_SOCK": nil]
        }
        let names = ["a", "b", "c"]
        let files = names.reduce(into: [String: String?]()) { files, name in
            let script = "#!/bin/sh\necho \(name) >/\(name)\n"
            files.merge(Fleet.image(name, base: base, files: ["postBuild": script])) { $1 }
        }
        try await fleet.git.commit(files)
        try await fleet.git("push", "--quiet", "origin", "main")

        try gate?.close()
        var children: [ChildProcess] = []
        for writer in ["one", "two"] {
            var varve = VarveProcess(
                repository: address, state: directory.path(writer), registry: fleet.prefix + "/" + writer)
            varve.environment.merge(environment) { $1 }
            children.append(try varve.start("reconcile", "--format", "json"))
            let state = varve.state
            directory.addCleanup { await Fleet.unmount(below: state) }
        }
        if let gate {
            try await gate.wait(for: 2)
            try gate.open()
        }
        for child in children {
            let result = await child.result()
            #expect(result.status == 0, "\(result)")
            let last = try ReconcilePass(result).events("pass-finished").last ?? .null
            #expect(last["unsent"].int == 0, "\(result)")
        }
        let clone = directory.path("reader")
        _ = try await GitCommandLine.clone(remote, to: clone)
        let reader = VarveProcess(repository: clone, state: directory.path("reader-state"))
        for name in names {
            let result = try await reader.run("history", name, "--format", "json")
            let records = try JSONValue(parsing: result.stdout).array
            #expect(records.count == 2, "\(name): \(result)")
            #expect(Set(records.map { $0["id"].string }).count == 2)
        }
        let note = try await bare.note("varve/log", on: fleet.git.head().hex) ?? ""
        let lines = note.split(separator: "\n").filter { $0.contains(" built in ") }
        #expect(lines.count == 6, "\(note)")
        let check = try await bare.result(["fsck", "--strict", "--no-dangling"])
        #expect(check.status == 0, "\(check)")
    }
}
