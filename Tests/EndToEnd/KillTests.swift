// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing
import VarveTestSupport

/// A killed or stopped reconcile leaves nothing behind but finished work.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct KillTests {
    /// A script that leaves a process behind which ignores TERM and has a session of its own, and then goes on.
    private static func daemonising(_ marker: String) -> String {
        """
        #!/bin/sh
        setsid sh -c 'trap "" TERM HUP INT; while :; do sleep \(marker); done' </dev/null >/dev/null 2>&1 &
        echo daemon started
        echo one >/word
        exec sleep \(marker)

        """
    }

    /// The processes of this machine with a word in their command line.
    private static func processes(with word: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { name in
            guard Int(name) != nil, let data = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
                return false
            }
            let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.contains(word)
        }
    }

    /// A number of seconds that nothing else on this machine sleeps for.
    private static func marker() -> String { "9\(UInt32.random(in: 10_000...99_999)).25" }

    @Test(arguments: [SIGKILL, SIGTERM, SIGINT])
    func daemonisingStepIsGoneWithinASecond(signal: Int32) async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let marker = Self.marker()
        try await fleet.git.commit(Fleet.image("a", base: base, files: ["postBuild": Self.daemonising(marker)]))
        let child = try fleet.varve.start("reconcile", "--format", "json")
        let isStarted = await child.lines().contains { $0.contains("daemon started") }
        try #require(isStarted, "\(child.output) \(child.errorOutput)")
        try await Loopback.wait(for: "the daemon") { Self.processes(with: marker).count >= 2 }

        child.send(signal)
        try await Loopback.wait(for: "the end of the daemon", deadline: .seconds(1)) {
            Self.processes(with: marker).isEmpty
        }
        if signal == SIGKILL {
            #expect(await child.exitStatus() == 137)
        } else {
            #expect(await child.exitStatus() == 130)
        }
        #expect(try await fleet.history("a").isEmpty)
        let again = try await fleet.pass(
            Fleet.image("a", base: base, files: ["postBuild": "#!/bin/sh\necho one >/word\n"]))
        #expect(again.status == 0, "\(again)")
        #expect(again.executed == ["postBuild"])
        #expect(try await fleet.containers().isEmpty)
    }

    @Test
    func finishedStepLeavesNoProcessEither() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let marker = Self.marker()
        let script = Self.daemonising(marker).replacing("exec sleep \(marker)", with: "true")
        let outcome = try await fleet.pass(Fleet.image("a", base: base, files: ["postBuild": script]))
        #expect(outcome.status == 0, "\(outcome)")
        #expect(Self.processes(with: marker).isEmpty)
    }

    @Test
    func killedAtAnyMomentTheNextPassConvergesAndLosesNothing() async throws {
        var fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let remote = fleet.directory.path("fleet.git")
        let bare = try await GitCommandLine.initialize(remote, bare: true)
        try await fleet.git("remote", "add", "origin", remote)
        fleet.varve.repository = "file://" + remote
        func files(_ round: Int) -> [String: String?] {
            ["a", "b", "c"].reduce(into: [:]) { files, name in
                let script = "#!/bin/sh\necho \(name) \(round) >/\(name)\n"
                let below = name == "b" ? "a" : base
                files.merge(Fleet.image(name, base: below, files: ["postBuild": script])) { $1 }
            }
        }
        // How long an undisturbed pass takes, from which the moments are drawn.
        try await fleet.git.commit(files(0))
        try await fleet.git("push", "--quiet", "origin", "main")
        let clock = ContinuousClock()
        let began = clock.now
        let first = try await fleet.pass()
        try #require(first.status == 0, "\(first)")
        let whole = clock.now - began
        var announced = Set(Self.references(of: first.pass.events))
        var generator = SystemRandomNumberGenerator()

        for round in 1...repetitions(4, soak: 100) {
            try await fleet.git.commit(files(round))
            try await fleet.git("push", "--quiet", "origin", "main")
            for _ in 0..<2 {
                let finished = try await fleet.storedLayers()
                try fleet.shim.reset()
                let child = try fleet.varve.start("reconcile", "--format", "json")
                try await Task.sleep(for: whole * Double.random(in: 0.02...1.0, using: &generator))
                await child.killHard()
                let result = await child.result()
                announced.formUnion(Self.references(of: result.lines.compactMap { try? JSONValue(parsing: $0) }))
                try Self.expect(fleet.shim, executesNoneOf: finished)
            }
            let finished = try await fleet.storedLayers()
            let last = try await fleet.pass()
            #expect(last.status == 0, "round \(round): \(last)")
            try Self.expect(fleet.shim, executesNoneOf: finished)
            announced.formUnion(Self.references(of: last.pass.events))
            #expect(try await fleet.containers().isEmpty)
            let settled = try await fleet.pass()
            #expect(settled.status == 0 && settled.executed.isEmpty && settled.committed.isEmpty, "\(settled)")
        }

        var recorded: Set<String> = []
        for name in ["a", "b", "c"] {
            let history = try await fleet.history(name)
            recorded.formUnion(history.compactMap { $0["reference"].string })
            let image = try await ImageRun("\(fleet.prefix)/\(name):latest", in: fleet.directory)
            let round = repetitions(4, soak: 100)
            #expect(try await image.run("cat", "/" + name).stdout == "\(name) \(round)\n")
        }
        #expect(announced.isSubset(of: recorded))
        let check = try await bare.result(["fsck", "--strict", "--no-dangling"])
        #expect(check.status == 0, "\(check)")
        #expect(Self.processes(with: fleet.varve.state).isEmpty)
    }

    /// The images that a pass said it had built.
    private static func references(of events: [JSONValue]) -> [String] {
        events.filter { $0["event"].string == "image-finished" && $0["status"].string == "built" }
            .compactMap { $0["reference"].string }
    }

    private static func expect(_ shim: ToolShim, executesNoneOf finished: Set<String>) throws {
        for call in try shim.calls() where call.committedKind != nil {
            let name = call.arguments.last ?? ""
            #expect(!finished.contains { $0 == name || $0.hasSuffix("/" + name) }, "built again: \(name)")
        }
    }
}
