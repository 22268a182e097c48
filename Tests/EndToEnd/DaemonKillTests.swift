// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

/// A daemon that is killed again and again while people push comes to what one quiet pass makes of the last commit.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(240)))
struct DaemonKillTests {
    /// Four images, one upon another, whose postBuild scripts are edited at random.
    private struct Edits {
        var random: SeededRandom
        /// What each image's script says.
        var words: [String: String] = [:]
        let base: String

        init(seed: UInt64, base: String) {
            random = SeededRandom(seed: seed)
            self.base = base
        }

        /// The files of the next edit: a new word, an earlier one, a comment in the definition, or what others stand on.
        mutating func next(_ round: Int) -> [String: String?] {
            guard round > 0 else {
                return ["a", "b", "c", "d"].reduce(into: [:]) { $0.merge(files($1, "first", comment: "")) { $1 } }
            }
            switch Int.random(in: 0..<6, using: &random) {
            // Never an earlier one of what others stand on, so that a child's record for one commit has one key.
            case 0: return files("a", "word \(round)", comment: "")
            case 1, 2: return files("b", "word \(round)", comment: "")
            case 3: return files("c", "word \(Int.random(in: 0..<3, using: &random))", comment: "")
            case 4: return files("d", "word \(round)", comment: "")
            default: return files("d", words["d"] ?? "", comment: "# edit \(round)\n")
            }
        }

        private mutating func files(_ name: String, _ word: String, comment: String) -> [String: String?] {
            words[name] = word
            return Fleet.image(
                name, base: name == "b" ? "a" : base, more: comment,
                files: ["postBuild": "#!/bin/sh\necho \(name) \(word) >/\(name)\n"])
        }
    }

    @Test
    func killedAtRandomItComesToWhatAQuietPassMakes() async throws {
        var fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let remote = fleet.directory.path("remotes/fleet.git")
        let bare = try await GitCommandLine.initialize(remote, bare: true)
        try await fleet.git("remote", "add", "origin", remote)
        let server = try await GitHTTPServer(serving: fleet.directory.path("remotes"), in: fleet.directory)
        let address = server.address(of: "fleet.git")
        fleet.varve.repository = address
        let seed = UInt64.random(in: 0...UInt64.max)
        var edits = Edits(seed: seed, base: base)
        let (rounds, kills) = (repetitions(10, soak: 200), repetitions(3, soak: 30))
        let killed = Set((1...kills).map { $0 * rounds / (kills + 1) })

        var daemon = try DaemonProcess(fleet, repository: address, more: Self.settings)
        var finished: Set<String> = []
        var commit = ""
        for round in 0...rounds {
            commit = try await fleet.git.commit(edits.next(round)).hex
            try await fleet.git("push", "--quiet", "origin", "HEAD:main")
            guard killed.contains(round) else { continue }
            // The moment of the kill is what is under test.
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...2_500, using: &edits.random)))
            await daemon.process.killHard()
            try expect(fleet.shim, executesNoneOf: finished)
            finished = try await fleet.storedLayers()
            try fleet.shim.reset()
            daemon = try DaemonProcess(fleet, repository: address, more: Self.settings)
        }
        let last = try await daemon.event("pass-finished") {
            $0["commit"].string == commit && $0["failed"].array.isEmpty && $0["unsent"].int == 0
        }
        #expect(last != nil, "seed \(seed): \(daemon.process.errorOutput)")
        daemon.process.send(SIGTERM)
        #expect(await daemon.process.exitStatus() == 0)
        try expect(fleet.shim, executesNoneOf: finished)

        // One quiet pass over the last commit alone, into a registry and a state directory of its own.
        let quiet = try await RegistryProcess(in: fleet.directory)
        try await Command.run("git", ["clone", "--quiet", "--bare", remote, fleet.directory.path("quiet.git")])
        // Its records are its own.
        try await Command.run("git", ["-C", fleet.directory.path("quiet.git"), "remote", "remove", "origin"])
        var other = VarveProcess(
            repository: fleet.directory.path("quiet.git"), state: fleet.directory.path("quiet"),
            registry: "\(quiet.host)/fleet", shim: fleet.shim)
        other.plainHTTP.append(fleet.registry.host)
        let quietState = other.state
        fleet.directory.addCleanup { await Fleet.unmount(below: quietState) }
        let pass = try await other.reconcile()
        #expect(pass.status == 0, "\(pass)")
        for name in ["a", "b", "c", "d"] {
            let expected = try await quiet.manifest(of: "fleet/\(name):latest")["config"]["digest"].string
            #expect(try await fleet.configDigest(name) == expected, "seed \(seed): \(name)")
            let built = try await fleet.history(name).filter { $0["status"].string == "built" }
            let states = built.map { record in
                "\(record["commit"].string ?? "") \(record["layers"].array.last?["key"].string ?? "")"
            }
            #expect(Set(states).count == states.count, "seed \(seed): \(name) \(states)")
        }
        #expect(try await statuses(fleet.varve) == statuses(other), "seed \(seed)")
        let check = try await bare.result(["fsck", "--strict", "--no-dangling"])
        #expect(check.status == 0, "\(check)")
        #expect(try await fleet.containers().isEmpty)
    }

    private static let settings = "interval: 1s\nretryWait: 1s\n"

    private func statuses(_ varve: VarveProcess) async throws -> [String] {
        let result = try await varve.run("status", "--format", "json")
        return try JSONValue(parsing: result.stdout)["images"].array.map { image in
            "\(image["name"].string ?? "") \(image["status"].string ?? "")"
        }
    }

    /// No layer that was whole at the last kill is made again, and none twice in one life of the daemon.
    private func expect(_ shim: ToolShim, executesNoneOf finished: Set<String>) throws {
        let names = try shim.calls().filter { $0.committedKind != nil }.map { $0.arguments.last ?? "" }
        for name in names { #expect(!finished.contains { $0 == name || $0.hasSuffix("/" + name) }, "again: \(name)") }
        #expect(Set(names).count == names.count, "twice: \(names.sorted())")
    }
}
