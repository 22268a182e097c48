// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

/// The daemon: a push is enough, whatever way the repository is reached.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct DaemonTests {
    private static func files(_ fleet: Fleet, _ image: String, _ word: String) async throws -> [String: String?] {
        Fleet.image(image, base: try await fleet.base(.tiny), files: ["postBuild": "#!/bin/sh\necho \(word) >/word\n"])
    }

    @Test
    func pushToAServedRepositoryBecomesAnImageAndNotes() async throws {
        let fleet = try await Fleet()
        let remote = fleet.directory.path("remotes/fleet.git")
        let bare = try await GitCommandLine.initialize(remote, bare: true)
        try await fleet.git("remote", "add", "origin", remote)
        let server = try await GitHTTPServer(serving: fleet.directory.path("remotes"), in: fleet.directory)
        let daemon = try DaemonProcess(fleet, repository: server.address(of: "fleet.git"), more: "interval: 1s\n")
        // The repository is empty at first.
        #expect(try await daemon.event("pass-finished") != nil)
        for word in ["one", "two"] {
            let commit = try await fleet.git.commit(Self.files(fleet, "a", word))
            try await fleet.git("push", "--quiet", "origin", "HEAD:main")
            #expect(try await daemon.built("a"), "\(daemon.process.errorOutput)")
            _ = try await daemon.event("pass-finished")
            let note = try await bare("notes", "--ref=varve/log", "show", commit.hex)
            #expect(note.contains(" a built in "), "\(note)")
        }
        #expect(try await fleet.registry.digest(of: "fleet/a:latest") != nil)
        daemon.process.send(SIGTERM)
        #expect(await daemon.process.exitStatus() == 0)
        #expect(try await fleet.containers().isEmpty)
    }

    @Test
    func pushOverSSHBecomesAnImageAndNotes() async throws {
        let fleet = try await Fleet()
        let remote = fleet.directory.path("fleet.git")
        let bare = try await GitCommandLine.initialize(remote, bare: true)
        let server = try await SSHServer(in: fleet.directory)
        var git = fleet.git
        git.environment = server.environment
        try await git("remote", "add", "origin", server.address(of: remote))
        let commit = try await git.commit(Self.files(fleet, "a", "one"))
        try await git("push", "--quiet", "origin", "HEAD:main")
        let daemon = try DaemonProcess(
            fleet, repository: server.address(of: remote), more: "interval: 1s\n",
            environment: ["HOME": server.home, "SSH_AUTH_SOCK": nil])
        #expect(try await daemon.built("a"), "\(daemon.process.errorOutput)")
        _ = try await daemon.event("pass-finished")
        let next = try await git.commit(Self.files(fleet, "a", "two"))
        try await git("push", "--quiet", "origin", "HEAD:main")
        #expect(try await daemon.built("a"), "\(daemon.process.errorOutput)")
        _ = try await daemon.event("pass-finished")
        for commit in [commit, next] {
            let note = try await bare("notes", "--ref=varve/log", "show", commit.hex)
            #expect(note.contains(" a built in "), "\(note)")
        }
        #expect(try await fleet.registry.digest(of: "fleet/a:latest") != nil)
    }

    @Test
    func pushToALocalRepositoryStartsAPassAtOnce() async throws {
        let fleet = try await Fleet()
        let remote = fleet.directory.path("local.git")
        _ = try await GitCommandLine.initialize(remote, bare: true)
        try await fleet.git("remote", "add", "origin", remote)
        try await fleet.git.commit(Self.files(fleet, "a", "one"))
        try await fleet.git("push", "--quiet", "origin", "HEAD:main")
        // An interval that the test never sees the end of: only the watch can set off the second pass.
        let daemon = try DaemonProcess(fleet, repository: remote, more: "interval: 10h\n")
        #expect(try await daemon.built("a"), "\(daemon.process.errorOutput)")
        _ = try await daemon.event("pass-finished")
        var times: [Duration] = []
        for number in 1...repetitions(5, soak: 50) {
            // Nothing is built, so that each push finds the daemon at rest.
            try await fleet.git.commit(["README": "\(number)\n"])
            try await fleet.git("push", "--quiet", "origin", "HEAD:main")
            let head = try await fleet.git("rev-parse", "HEAD").trimmingCharacters(in: .whitespacesAndNewlines)
            var started = Date.distantFuture
            // A second ring of the last push may have set off a pass in between.
            let planned = try await daemon.event("pass-planned") {
                $0["commit"].string == head
            } meanwhile: {
                if $0["event"].string == "pass-started" { started = Date() }
            }
            #expect(planned != nil)
            let file = try FileManager.default.attributesOfItem(atPath: remote + "/refs/heads/main")
            let moved = try #require(file[.modificationDate] as? Date)
            times.append(.seconds(started.timeIntervalSince(moved)))
            _ = try await daemon.event("pass-finished")
        }
        times.sort()
        print("from the branch's change to the start of the pass that planned it: \(times)")
        // Of few on a machine that does other things too, the quickest shows what the daemon itself takes.
        #expect(times[repetitions(0, soak: times.count / 2)] < .milliseconds(100), "\(times)")
        #expect(times[times.count / 2] < .seconds(1), "\(times)")
        try await fleet.git.commit(Self.files(fleet, "a", "two"))
        try await fleet.git("push", "--quiet", "origin", "HEAD:main")
        #expect(try await daemon.built("a"), "\(daemon.process.errorOutput)")
    }

    @Test
    func failureOfADefinitionIsTriedOnceAndDelaysNobody() async throws {
        let fleet = try await Fleet()
        let broken = Fleet.image(
            "bad", base: try await fleet.base(.tiny), files: ["postBuild": "#!/bin/sh\necho no >&2\nexit 3\n"])
        try await fleet.git.commit(broken + Self.files(fleet, "good", "one"))
        let daemon = try DaemonProcess(fleet, repository: fleet.git.folder, more: "interval: 1s\nbuilders: 1\n")
        let failed = try await daemon.event("image-finished") { $0["image"].string == "bad" }
        #expect(failed?["status"].string == "error")
        // Three more passes see the same definition and leave it alone; then a new one is tried at once.
        for _ in 0..<4 { _ = try await daemon.event("pass-finished") { !$0["failed"].array.isEmpty } }
        #expect(try fleet.shim.executed() == ["postBuild", "postBuild"])
        try await fleet.git.commit(["images/bad/postBuild": "#!/bin/sh\necho yes >/word\n"])
        #expect(try await daemon.built("bad"), "\(daemon.process.errorOutput)")
        #expect(try await fleet.registry.digest(of: "fleet/good:latest") != nil)
    }

    @Test
    func broughtBackAfterAKillFinishesWhatWasBegun() async throws {
        let fleet = try await Fleet()
        try await fleet.git.commit(
            Self.files(fleet, "a", "one")
                + Fleet.image("b", base: "a", files: ["postBuild": "#!/bin/sh\ncat /word >/again\n"]))
        let first = try DaemonProcess(fleet, repository: fleet.git.folder, more: "interval: 10h\n")
        _ = try await first.event("layer-started") { $0["image"].string == "b" && $0["layer"].string == "postBuild" }
        await first.process.killHard()
        let second = try DaemonProcess(fleet, repository: fleet.git.folder, more: "interval: 10h\n")
        #expect(try await second.built("b"), "\(second.process.errorOutput)")
        _ = try await second.event("pass-finished")
        #expect(try await fleet.history("a").count == 1)
        #expect(try await fleet.history("b").count == 1)
    }

    @Test
    func brokenConfigurationIsRefusedWithItsPlace() async throws {
        let fleet = try await Fleet()
        let file = try fleet.directory.write("repositories: []\nintervall: 5\nbuilders: 0\n", to: "daemon.yaml")
        let result = try await Command.result(VarveProcess.binary(), ["daemon", "--config", file])
        #expect(result.status == 1)
        #expect(result.stderr.contains("daemon.yaml:2:1: unknown key 'intervall'"), "\(result)")
        #expect(result.stderr.contains("did you mean 'interval'"), "\(result)")
    }
}
