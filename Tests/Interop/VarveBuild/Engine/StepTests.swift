// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveBuild

@Suite struct StepTests {
    private let bench = EngineBench.shared

    private func postBuild(_ text: String, inputs: [InputFile] = []) -> LayerContent {
        .postBuild(PostBuildContent(script: Script(bytes: Array(text.utf8)), inputs: inputs))
    }

    @Test func stepSeesItsInputsAndNothingOfTheHost() async throws {
        let engine = try await bench.makeEngine(environment: [
            "PIP_INDEX_URL": "https://host.example/simple", "AWS_SECRET_ACCESS_KEY": "host-secret",
            "https_proxy": "http://user:hunter22@proxy.example:3128",
        ])
        let blob = try ObjectID(hex: String(repeating: "a", count: 40))
        let sources = MemorySource(blobs: [blob: Array("hello\n".utf8)])
        let log = Lines()
        let script = """
            #!/bin/sh
            env | sort
            find . | sort
            test -x config/tool && test ! -x config/data || exit 9
            for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done
            cat config/data; hostname; echo "proxy ${#https_proxy}"
            test -r "$SSL_CERT_FILE" || exit 8
            touch here
            """
        let layer = try await engine.build(
            EngineBench.request(
                postBuild(
                    script,
                    inputs: [
                        InputFile(path: RepositoryPath("config/data"), id: blob, isExecutable: false),
                        InputFile(path: RepositoryPath("config/tool"), id: blob, isExecutable: true),
                    ]
                ),
                parent: bench.base(), sources: sources
            ),
            log: log
        )
        let lines = log.all
        let text = lines.joined(separator: "\n")
        #expect(
            lines.filter { $0.hasPrefix("./") } == ["./config", "./config/data", "./config/tool", "./postBuild"]
        )
        #expect(lines.contains("hello") && lines.contains("varve") && lines.contains("SOURCE_DATE_EPOCH=315619200"))
        #expect(lines.contains("HOME=/root") && lines.contains("PWD=/run/varve/build"))
        #expect(lines.contains("proxy 39"))
        #expect(!text.contains("host.example") && !text.contains("host-secret") && !text.contains("hunter22"))
        #expect(!text.contains("swiftpm") && !text.contains("xctest"))
        let listing = try await EngineBench.listing(of: layer, store: engine.buildah.store)
        #expect(listing.filter { !$0.hasPrefix("d ") } == [])
        #expect(listing.allSatisfy { $0.hasSuffix(" run") || $0.hasSuffix(" etc") || $0.hasSuffix(" tmp") })
        let config = try await engine.buildah.inspect(layer.configDigest.hex)
        #expect(config?.configuration.environment == ["PATH=\(BuildahEngine.path)"])
    }

    @Test(arguments: [Isolation.oci, .rootless]) func containerByRuncRunsAStep(_ isolation: Isolation) async throws {
        let log = Lines()
        let engine = try await bench.makeEngine(isolation: isolation)
        let layer = try await engine.build(
            EngineBench.request(postBuild("id -u; hostname; echo x >/srv/made"), parent: bench.base()), log: log
        )
        #expect(log.all == ["0", "varve"])
        let listing = try await EngineBench.listing(of: layer, store: engine.buildah.store)
        #expect(listing.filter { $0.hasPrefix("f ") }.map { $0.suffix(8) } == ["srv/made"])
    }

    @Test func userWithoutRootIsRefused() throws {
        try BuildahStore.requireRoot(0)
        let failure = try #require(throws: BuildFailure.self) { try BuildahStore.requireRoot(1000) }
        #expect(failure.failureClass == .environment)
        #expect(failure.message.contains("run varve as root"))
    }

    @Test func scriptWithoutShebangRunsInBash() async throws {
        let log = Lines()
        let engine = try await bench.makeEngine()
        _ = try await engine.build(
            EngineBench.request(postBuild("[[ a == a ]] && echo ${BASH_VERSION%%.*}"), parent: bench.base()), log: log
        )
        #expect(log.all == ["5"])
    }

    @Test func cancelEndsADaemonThatIgnoresSignals() async throws {
        let engine = try await bench.makeEngine()
        let base = try await bench.base()
        let mark = "86400.\(Int.random(in: 100_000..<999_999))"
        let script = """
            trap '' TERM HUP INT
            setsid bash -c "trap '' TERM HUP INT; (trap '' TERM HUP; exec sleep \(mark)) & wait" </dev/null >/dev/null 2>&1 &
            until grep -qsa -- \(mark) $(grep -lsa '^sleep' /proc/[0-9]*/cmdline) /dev/null; do :; done
            echo ready
            while :; do sleep 1; done
            """
        let (ready, continuation) = AsyncStream<Void>.makeStream()
        let request = try EngineBench.request(postBuild(script), parent: base)
        let build = Task {
            defer { continuation.finish() }
            return try await engine.build(request, log: Signal(continuation: continuation))
        }
        for await _ in ready { break }
        #expect(Self.isRunning(mark))
        let clock = ContinuousClock()
        let start = clock.now
        build.cancel()
        await #expect(throws: BuildFailure.self) { try await build.value }
        #expect(!Self.isRunning(mark))
        // Within a second on a machine that is not busy; a process that outlived the cancel would stay for ever.
        #expect(clock.now - start < .seconds(60))
        do {
            _ = try await build.value
        } catch let failure as BuildFailure {
            #expect(failure.failureClass == .cancelled)
        }
        #expect(try await engine.layer(for: request.key, kind: .postBuild) == nil)
    }

    /// The log is slow, so that what the step said is still on its way when it ends.
    @Test func nothingThatAFailingStepSaidIsLost() async throws {
        let engine = try await bench.makeEngine()
        let log = SlowLines()
        let failure = try await #require(throws: BuildFailure.self) {
            let content = postBuild("#!/bin/sh\nseq 20000\nexit 3\n")
            _ = try await engine.build(EngineBench.request(content, parent: bench.base()), log: log)
        }
        #expect(log.lines.all == (1...20000).map(String.init))
        #expect(failure.tail.hasSuffix("\n20000"))
    }

    @Test func deadlineEndsAStep() async throws {
        let engine = try await bench.makeEngine()
        let base = try await bench.base()
        let mark = "86401.\(Int.random(in: 100_000..<999_999))"
        let failure = await #expect(throws: BuildFailure.self) {
            try await engine.build(
                EngineBench.request(
                    postBuild("echo begun; setsid sleep \(mark) & sleep \(mark)"), parent: base, timeout: .seconds(30)),
                log: Lines()
            )
        }
        #expect(failure?.failureClass == .timedOut)
        #expect(failure?.layer == .postBuild)
        #expect(failure?.message == "failed to build layer 'postBuild': it ran longer than 30s")
        #expect(failure?.tail == "begun")
        #expect(!Self.isRunning(mark))
    }

    @Test func whatAStepLeavesRunningEndsWithIt() async throws {
        let engine = try await bench.makeEngine()
        let mark = "86402.\(Int.random(in: 100_000..<999_999))"
        _ = try await engine.build(
            EngineBench.request(
                postBuild("setsid sleep \(mark) & :"), parent: bench.base()
            ),
            log: Lines()
        )
        #expect(!Self.isRunning(mark))
    }

    @Test func twoBuildsOnOneStoreDoNotDisturbEachOther() async throws {
        let engine = try await bench.makeEngine()
        let base = try await bench.base()
        let digests = try await withThrowingTaskGroup(of: Digest.self) { group in
            for number in 0..<4 {
                let request = try EngineBench.request(postBuild("echo \(number) >/srv/number"), parent: base)
                group.addTask { try await engine.build(request, log: Lines()).configDigest }
            }
            return try await group.reduce(into: Set<Digest>()) { $0.insert($1) }
        }
        #expect(digests.count == 4)
    }

    /// Whether a process of the host bears a mark in its arguments.
    private static func isRunning(_ mark: String) -> Bool {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.filter { Int($0) != nil }.contains { process in
            guard let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
            let words = String(decoding: data, as: UTF8.self).split(separator: "\0")
            return words.first == "sleep" && words.last.map(String.init) == mark
        }
    }

    /// Takes about a second for 20,000 lines.
    private struct SlowLines: BuildLog {
        let lines = Lines()

        func append(line: String, layer: LayerKind) {
            let start = ContinuousClock.now
            while start.duration(to: .now) < .microseconds(50) {}
            lines.append(line: line, layer: layer)
        }
    }

    /// Tells when the first line comes.
    private struct Signal: BuildLog {
        let continuation: AsyncStream<Void>.Continuation
        func append(line: String, layer: LayerKind) { continuation.yield() }
    }
}
