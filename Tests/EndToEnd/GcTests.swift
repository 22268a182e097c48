// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// What the state directory keeps, what is removed from it, and what is not begun for lack of room.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct GcTests {
    private static func files(_ base: String, _ script: String) -> [String: String?] {
        Fleet.image("a", base: base, more: "env: {A: b}\n", files: ["postBuild": "#!/bin/sh\n\(script)\n"])
    }

    private static func collect(
        _ fleet: Fleet, _ options: String...
    ) async throws -> (status: Int32, answer: JSONValue, error: String) {
        let result = try await fleet.varve.run("gc", "--format", "json", options: options)
        let answer = result.status == 0 ? try JSONValue(parsing: result.stdout) : .null
        return (result.status, answer, result.stderr)
    }

    @Test
    func whatIsDefinedStaysAndWhatWasGoes() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        #expect(try await fleet.pass(Self.files(base, "echo one >/word")).status == 0)
        let first = try await fleet.storedLayers()
        #expect(try await fleet.pass(Self.files(base, "echo two >/word")).status == 0)
        let both = try await fleet.storedLayers()
        let old = first.subtracting(both.filter { $0.contains("/base:") }).count
        try #require(old == 2, "\(first)")

        let dry = try await Self.collect(fleet, "--cache", "0", "--dry-run")
        #expect(dry.answer["removed"].array.filter { $0["kind"].string == "layer" }.count == 2, "\(dry)")
        #expect(try await fleet.storedLayers() == both)

        let done = try await Self.collect(fleet, "--cache", "0")
        #expect(done.status == 0 && done.answer["kinds"].array[0]["removed"].int == 2, "\(done)")
        let left = try await fleet.storedLayers()
        #expect(left.count == 3 && left.isSubset(of: both), "\(left)")
        let layers = try await fleet.history("a")[0]["layers"].array.compactMap { $0["key"].string }
        #expect(layers.allSatisfy { key in left.contains { $0.hasSuffix(key) } }, "\(left)")

        // Nothing is missing for the next pass, and for a step back only what the registry's cache brings.
        let again = try await fleet.pass()
        #expect(again.status == 0 && again.executed.isEmpty && again.committed.isEmpty, "\(again)")
        let back = try await fleet.pass(Self.files(base, "echo one >/word"))
        #expect(back.status == 0 && back.executed.isEmpty, "\(back)")
    }

    @Test
    func stateDirectoryOfARunningDaemonIsLeftAlone() async throws {
        let fleet = try await Fleet()
        try await fleet.git.commit(Self.files(fleet.base(.tiny), "echo one >/word"))
        let daemon = try DaemonProcess(fleet, repository: fleet.git.folder, more: "interval: 10h\n")
        #expect(try await daemon.built("a"), "\(daemon.process.errorOutput)")
        let refused = try await Self.collect(fleet)
        #expect(refused.status == 1)
        #expect(refused.error.contains("another varve process is using it"), "\(refused)")
        let dry = try await Self.collect(fleet, "--dry-run")
        #expect(dry.status == 0 && dry.answer["dryRun"].bool == true, "\(dry)")
    }

    /// Every build writes 24 MiB that do not compress, on a disk that holds a few of them.
    @Test
    func smallDiskNeverFillsUpAndABuildWithoutRoomWaits() async throws {
        var fleet = try await Fleet()
        let state = try fleet.directory.makeFolder("small")
        try await Command.run("mount", ["-t", "tmpfs", "-o", "size=320m", "tmpfs", state])
        fleet.directory.addCleanup {
            await Fleet.unmount(below: state)
            _ = try? await Command.run("umount", ["--lazy", state])
        }
        fleet.varve.state = state
        fleet.varve.environment["VARVE_DISK_RESERVE"] = "160MiB"
        let base = try await fleet.base(.tiny)
        let write = "dd if=/dev/urandom of=/data bs=1M count=24 2>/dev/null; : "
        for round in 1...7 {
            let outcome = try await fleet.pass(Self.files(base, write + String(round)))
            try #require(outcome.status == 0, "round \(round): \(outcome)")
            #expect(outcome.executed == ["postBuild"])
        }
        // All seven together would not fit; those of the last definition are there.
        let layers = try await fleet.storedLayers()
        #expect(layers.count < 15, "\(layers)")
        #expect(try await fleet.pass().executed.isEmpty)

        // The disk is filled by others: what needs a layer is refused, what needs none goes on.
        let ballast = state + "/ballast"
        let free = try await Command.run("df", ["--output=avail", "-m", state]).lines.last.flatMap {
            Int($0.trimmingCharacters(in: .whitespaces))
        }
        let fill = try #require(free) - 100
        try await Command.run("dd", ["if=/dev/zero", "of=\(ballast)", "bs=1M", "count=\(fill)", "status=none"])
        let refused = try await fleet.pass(
            Self.files(base, write + "8") + ["images/b/image.yaml": "base: a\ntags: [x]\n"])
        #expect(refused.status == 1 && refused.executed.isEmpty, "\(refused)")
        #expect(refused.finished("a")["status"].string == "error", "\(refused)")
        let error = try await fleet.history("a")[0]["error"]
        #expect(error["class"].string == "disk-full", "\(error)")
        #expect(error["message"].string?.contains("disk.reserve") == true, "\(error)")
        let warnings = refused.pass.events("warning").compactMap { $0["message"].string }
        #expect(warnings.filter { $0.contains("no room for builds") }.count == 1, "\(refused)")
        try FileManager.default.removeItem(atPath: ballast)
        let outcome = try await fleet.pass()
        #expect(outcome.status == 0 && outcome.executed.contains("postBuild"), "\(outcome)")
    }

    @Test
    func sizeThatIsNoneIsRefused() async throws {
        let fleet = try await Fleet()
        #expect(try await fleet.varve.run("gc", "--cache", "much").status == 64)
        let missing = try await fleet.varve.run("gc")
        #expect(missing.status == 1 && missing.stderr.contains("no such state directory"), "\(missing)")
    }
}
