// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing
import VarveModel
import VarveTestSupport

/// Three daemons with three state directories on one remote.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct LeaseTests {
    private static let length = 3
    private static let images = ["a", "b"]

    /// The fleet, its remote, and what each daemon of it has said.
    private struct Setting {
        let fleet: Fleet
        let remote: GitCommandLine
        let server: GitHTTPServer
        let base: String

        init() async throws {
            fleet = try await Fleet()
            let folder = fleet.directory.path("remotes/fleet.git")
            remote = try await GitCommandLine.initialize(folder, bare: true)
            try await fleet.git("remote", "add", "origin", folder)
            server = try await GitHTTPServer(serving: fleet.directory.path("remotes"), in: fleet.directory)
            base = try await fleet.base(.tiny)
        }

        /// Starts a daemon on a state directory of its own.
        func daemon(_ name: String) throws -> DaemonProcess {
            var own = fleet
            own.varve.state = fleet.directory.path("state-\(name)")
            let state = own.varve.state
            fleet.directory.addCleanup { await Fleet.unmount(below: state) }
            return try DaemonProcess(
                own, repository: server.address(of: "fleet.git"),
                more: """
                    interval: 1s
                    baseInterval: 5s
                    lease: {length: \(LeaseTests.length)s, holder: \(name)}
                    """, file: "daemon-\(name).yaml")
        }

        /// Pushes a definition that none was equal to before.
        func push(_ image: String, _ word: String) async throws {
            try await fleet.git.commit(
                Fleet.image(image, base: base, files: ["postBuild": "#!/bin/sh\necho \(word) >/word\n"]))
            try await fleet.git("push", "--quiet", "origin", "HEAD:main")
        }

        /// The state records on the remote, ordered.
        func records() async throws -> [JSONValue] {
            guard try await remote.reference("refs/notes/varve/state") != nil else { return [] }
            var records: [JSONValue] = []
            for line in try await remote("notes", "--ref=varve/state", "list").split(separator: "\n") {
                guard let object = line.split(separator: " ").last else { continue }
                let note = try await remote("notes", "--ref=varve/state", "show", String(object))
                records += try note.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
            }
            return records.sorted {
                ($0["start"].string ?? "", $0["id"].string ?? "") < ($1["start"].string ?? "", $1["id"].string ?? "")
            }
        }

        /// Who holds the lease by the remote's own reference.
        func holder() async throws -> String? {
            guard try await remote.reference("refs/varve/lease") != nil else { return nil }
            let line = try await remote("log", "-1", "--format=%B", "refs/varve/lease").split(separator: "\n").last
            return try JSONValue(parsing: String(line ?? ""))["holder"].string
        }

        /// Waits until the newest definition of an image has the record of a build.
        func wait(for image: String) async throws {
            let tree = try await fleet.git.revision("HEAD:images/\(image)").hex
            try await Loopback.wait(for: "the build of \(image)", deadline: .seconds(120)) {
                try await remote.note("varve/state", on: tree)?.contains("\"status\":\"built\"") == true
            }
        }
    }

    /// The layers that a daemon began and did not say to have finished.
    private static func unfinished(_ daemon: DaemonProcess) throws -> Int {
        var open: Set<String> = []
        for line in daemon.process.output.split(separator: "\n") {
            guard let event = try? JSONValue(parsing: String(line)), let key = event["key"].string else { continue }
            if event["event"].string == "layer-started" { open.insert(key) }
            if event["event"].string == "layer-finished" { open.remove(key) }
        }
        return open.count
    }

    @Test
    func threeDaemonsBuildEveryPushOnceThroughAKillAndAPause() async throws {
        let setting = try await Setting()
        var daemons: [String: DaemonProcess] = [:]
        for name in ["one", "two", "three"] { daemons[name] = try setting.daemon(name) }
        let pushes = repetitions(10, soak: 100)
        var mayRepeat = 0
        var handOvers: [Duration] = []
        for number in 1...pushes {
            let image = Self.images[number % Self.images.count]
            let executed = try setting.fleet.shim.executed().count
            try await setting.push(image, "word \(number)")
            guard number == pushes / 3 || number == 2 * pushes / 3 else {
                // Most pushes are built; some are overtaken by the next one.
                if number % 3 != 0 { try await setting.wait(for: image) }
                continue
            }
            // In the middle of its work the leader is gone.
            try await Loopback.wait(for: "a build", deadline: .seconds(60)) {
                try setting.fleet.shim.executed().count > executed
            }
            let leader = try #require(await setting.holder())
            let gone = try #require(daemons[leader])
            let began = ContinuousClock.now
            if number == pushes / 3 {
                await gone.process.killHard()
                _ = await gone.process.result()
            } else {
                gone.process.send(SIGSTOP)
            }
            mayRepeat += try Self.unfinished(gone)
            // There is something to do for another one, however far this one came.
            let other = Self.images[(number + 1) % Self.images.count]
            try await setting.push(other, "word \(number) too")
            try await Loopback.wait(for: "a new leader", deadline: .seconds(60)) {
                try await setting.holder() != leader
            }
            handOvers.append(ContinuousClock.now - began)
            for image in Self.images { try await setting.wait(for: image) }
            if number == pushes / 3 {
                daemons[leader] = try setting.daemon(leader)
            } else {
                gone.process.send(SIGCONT)
            }
        }
        for image in Self.images { try await setting.wait(for: image) }
        print("hand-overs: \(handOvers)")
        #expect(handOvers.allSatisfy { $0 < .seconds(2 * Self.length) }, "\(handOvers)")

        // Every tag stands on the build that was recorded last, which is that of the newest definition.
        for image in Self.images {
            let last = try #require(try await setting.records().last { $0["image"].string == image })
            try await Loopback.wait(for: "the tag of \(image)", deadline: .seconds(30)) {
                try await setting.fleet.registry.digest(of: "fleet/\(image):latest") == last["manifestDigest"].string
            }
        }
        // No definition state has two records of a build, but for one that was in the journal of the killed daemon; each
        // record says under which lease.
        let built = try await setting.records().filter { $0["status"].string == "built" }
        #expect(built.count - Set(built.compactMap { $0["tree"].string }).count <= 1)
        #expect(built.allSatisfy { ($0["lease"].int ?? 0) > 0 })
        // All that a daemon said to be recorded is.
        let recorded = Set(built.compactMap { $0["reference"].string })
        for daemon in daemons.values {
            for line in daemon.process.output.split(separator: "\n") {
                let event = try? JSONValue(parsing: String(line))
                guard event?["event"].string == "image-finished", event?["status"].string == "built" else { continue }
                #expect(recorded.contains(event?["reference"].string ?? ""), "\(line)")
            }
        }
        // Only what ran at the kill or the pause was executed in vain, or twice.
        let executed = try setting.fleet.shim.executed().filter { $0 == "postBuild" }.count
        let committed = try setting.fleet.shim.calls().filter { $0.committedKind == "postbuild" }
            .compactMap { $0.arguments.last { $0.contains("localhost/varve/") } }
        let repeated = committed.count - Set(committed).count
        print("\(executed) executed, \(committed.count) committed, \(repeated) twice, \(mayRepeat) may be")
        #expect(committed.count >= pushes / 2)
        #expect(repeated + executed - committed.count <= mayRepeat)
        for daemon in daemons.values { daemon.process.send(SIGTERM) }
        for daemon in daemons.values { #expect(await daemon.process.exitStatus() == 0) }
        // Whoever had the lease has given it up.
        #expect(try await setting.remote("log", "-1", "--format=%s", "refs/varve/lease").contains("released by"))
        try await setting.remote("fsck", "--strict")
    }

    @Test
    func tagThatSomebodyMovesIsPutRight() async throws {
        let setting = try await Setting()
        let daemon = try setting.daemon("one")
        for word in ["one", "two"] {
            try await setting.push("a", word)
            #expect(try await daemon.built("a"), "\(daemon.process.errorOutput)")
        }
        // By then both records have been sent.
        _ = try await daemon.event("pass-finished")
        let records = try await setting.records()
        let manifests = records.compactMap { $0["manifestDigest"].string }
        try #require(manifests.count == 2 && manifests[0] != manifests[1])
        let registry = setting.fleet.registry
        let image = "\(setting.fleet.prefix)/a"
        try await registry.push(
            "docker://\(image)@\(manifests[0])", to: "fleet/a:latest",
            options: ["--src-tls-verify=false", "--preserve-digests"])
        // A pass that loses its lease, as it may on a machine that is slow to write one, leaves it to the next.
        let isPutRight = "a: latest did not stand on the last recorded build and is put right"
        #expect(try await daemon.event("warning") { $0["message"].string == isPutRight } != nil)
        #expect(try await registry.digest(of: "fleet/a:latest") == manifests[1])
        // Nothing was built for it.
        #expect(try await setting.records() == records)
    }

    @Test
    func onePassByHandWaitsForTheDaemonThatLeads() async throws {
        let setting = try await Setting()
        let daemon = try setting.daemon("one")
        try await setting.push("a", "one")
        #expect(try await daemon.built("a"), "\(daemon.process.errorOutput)")
        // By then its record has been sent.
        _ = try await daemon.event("pass-finished")
        daemon.process.send(SIGSTOP)
        try await setting.push("a", "two")
        var varve = setting.fleet.varve
        varve.repository = setting.server.address(of: "fleet.git")
        let pass = try await varve.reconcile()
        #expect(pass.status == 0, "\(pass)")
        #expect(
            pass.events("warning").map { $0["message"].string } == [
                "waiting for one, which leads this repository"
            ])
        #expect(try await setting.records().compactMap { $0["lease"].int } == [1, 2])
        daemon.process.send(SIGCONT)
    }
}
