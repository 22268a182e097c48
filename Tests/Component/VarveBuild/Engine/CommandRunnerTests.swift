// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing
import VarveModel

import enum VarveTestSupport.Loopback
import class VarveTestSupport.TemporaryDirectory
import struct VarveTestSupport.TemporaryDirectoryTrait

@testable import VarveBuild

@Suite struct CommandRunnerTests {
    private let environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""]

    private func bash(
        _ script: String, output: Command.Output = .captured(limit: 1 << 20),
        containment: Command.Containment = .session, timeout: Duration? = nil
    ) -> Command {
        Command(
            "bash", ["-c", script], environment: environment, output: output, containment: containment,
            timeout: timeout
        )
    }

    @Test func outputIsCapturedAndErrorsAreLines() async throws {
        let lines = Mutex<[String]>([])
        let result = try await CommandRunner().run(bash("echo out; echo err >&2; exit 3")) { line in
            lines.withLock { $0.append(line) }
        }
        #expect(result == CommandResult(status: .exited(3), output: Array("out\n".utf8), tail: ["err"]))
        #expect(lines.withLock { $0 } == ["err"])
    }

    @Test func bothStreamsKeepTheirOrderAsLines() async throws {
        let result = try await CommandRunner().run(bash("echo a; echo b >&2; printf 'c\\rd\\xff'", output: .lines()))
        #expect(result.tail == ["a", "b", "c", "d\u{fffd}"])
    }

    @Test(.temporaryDirectory) func whatComesByThePipeIsLinesToo() async throws {
        let path = try TemporaryDirectory.required().path("output")
        for end in ["exit 3", "kill -9 $$"] {
            defer { try? FileManager.default.removeItem(atPath: path) }
            let pipe = try OutputPipe(at: path)
            let script = "echo direct; { seq 20000; printf last; } >'\(path)'; \(end)"
            let lines = Mutex<[String]>([])
            let result = try await CommandRunner().run(bash(script, output: .lines(also: pipe))) { line in
                lines.withLock { $0.append(line) }
            }
            let got = lines.withLock { $0 }
            #expect(got.filter { $0 != "direct" } == (1...20000).map(String.init) + ["last"])
            #expect(got.count { $0 == "direct" } == 1 && result.tail.contains("last") && !result.isSuccess)
        }
    }

    @Test(.temporaryDirectory) func pipeThatNobodyOpensKeepsNobodyWaiting() async throws {
        let pipe = try OutputPipe(at: TemporaryDirectory.required().path("output"))
        let result = try await CommandRunner().run(bash("echo a", output: .lines(also: pipe)))
        #expect(result.tail == ["a"])
        #expect(throws: BuildFailure.self) { try OutputPipe(at: pipe.path) }
    }

    @Test func everythingThatAShortChildSaidArrives() async throws {
        let result = try await CommandRunner().run(bash("head -c 1000000 /dev/zero"))
        #expect(result.output.count == 1_000_000)
    }

    @Test func childHasTheGivenEnvironmentAndNoOther() async throws {
        var command = bash("/usr/bin/env")
        command.environment["ONLY"] = "this"
        let names = try await CommandRunner().run(command).text.split(separator: "\n").map { $0.prefix { $0 != "=" } }
        #expect(Set(names).isSubset(of: ["PATH", "ONLY", "PWD", "SHLVL", "_"]) && names.contains("ONLY"))
    }

    @Test func missingToolNamesThePackage() async throws {
        let command = Command("mmdebstrap", [], environment: ["PATH": "/nowhere"])
        let failure = await #expect(throws: BuildFailure.self) { try await CommandRunner().run(command) }
        #expect(failure?.failureClass == .environment)
        let tool = Command("varve-no-tool", [], environment: environment)
        let other = await #expect(throws: BuildFailure.self) { try await CommandRunner().run(tool) }
        #expect(
            other?.message
                == "failed to run 'varve-no-tool': it is not on PATH; install the package varve-no-tool"
        )
    }

    @Test func tooMuchOutputIsAnErrorAndEndsTheChild() async throws {
        let failure = await #expect(throws: BuildFailure.self) {
            try await CommandRunner().run(bash("yes", output: .captured(limit: 1000)))
        }
        #expect(failure?.message == "failed to run 'bash': it wrote more than 1000 bytes")
    }

    @Test func deadlineKillsTheGroup() async throws {
        let mark = "86403.\(Int.random(in: 100_000..<999_999))"
        let failure = await #expect(throws: BuildFailure.self) {
            try await CommandRunner().run(
                bash("trap '' TERM; sleep \(mark) & wait", timeout: .milliseconds(300))
            )
        }
        #expect(failure?.failureClass == .timedOut)
        try await Self.waitForEnd(of: mark)
    }

    @Test(arguments: [Command.Containment.session, .namespace])
    func cancelKillsWhatTheChildStarted(_ containment: Command.Containment) async throws {
        let mark = "86404.\(Int.random(in: 100_000..<999_999))"
        let (ready, continuation) = AsyncStream<Void>.makeStream()
        let away = containment == .namespace ? "setsid " : ""
        let command = bash(
            "trap '' TERM; \(away)sleep \(mark) & echo ready; while :; do wait; done", output: .lines(),
            containment: containment
        )
        let task = Task {
            defer { continuation.finish() }
            return try await CommandRunner().run(command) { _ in continuation.yield() }
        }
        for await _ in ready { break }
        task.cancel()
        let failure = await #expect(throws: BuildFailure.self) { try await task.value }
        #expect(failure?.failureClass == .cancelled)
        try await Self.waitForEnd(of: mark)
    }

    @Test func secretsAreInNoLine() async throws {
        let runner = CommandRunner(redaction: Redaction(environment: ["API_TOKEN": "s3cret-value"]))
        let result = try await runner.run(bash("echo token s3cret-value >&2; echo https://u:p@h/x >&2; exit 1"))
        #expect(result.tail == ["token ***", "https://***@h/x"])
    }

    /// A child of a killed process dies with it: the launcher asks the kernel for that, whoever started it.
    @Test(arguments: [Command.Containment.session, .namespace])
    func childDiesWithItsParent(_ containment: Command.Containment) async throws {
        let mark = "86405.\(Int.random(in: 100_000..<999_999))"
        let launcher = Command("sleep", [mark], environment: environment, containment: containment).launcher
        let words = (launcher + ["sleep", mark]).map { "'\($0)'" }.joined(separator: " ")
        let script = """
            bash -c '"$@" & wait' bash \(words) &
            parent=$!
            until grep -qsa -- '\(mark)' $(grep -lsa '^sleep' /proc/[0-9]*/cmdline) /dev/null; do :; done
            kill -9 $parent
            for try in $(seq 500); do
                grep -qsa -- '\(mark)' $(grep -lsa '^sleep' /proc/[0-9]*/cmdline) || exit 0
                sleep 0.01
            done
            exit 1
            """
        #expect(try await CommandRunner().run(bash(script, timeout: .seconds(20))).isSuccess)
    }

    /// Waits until no process bears the mark: a process of a killed group may be a moment from its end.
    private static func waitForEnd(of mark: String) async throws {
        try await Loopback.wait(for: "the end of process \(mark)", deadline: .seconds(10)) { count(mark) == 0 }
    }

    private static func count(_ mark: String) -> Int {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.filter { process in
            guard Int(process) != nil, let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline")
            else {
                return false
            }
            let words = String(decoding: data, as: UTF8.self).split(separator: "\0")
            return words.first == "sleep" && words.last.map(String.init) == mark
        }.count
    }
}
