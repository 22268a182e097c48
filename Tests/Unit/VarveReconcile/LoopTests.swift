// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

/// A loop on fakes: what sets passes off, and what is tried again when.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5)))
struct LoopTests {
    private func define(_ rig: Rig, _ text: String) async throws {
        _ = try await rig.source.commit(["images/a/image.yaml": "base: \(Rig.debian)\n" + text])
    }

    @Test
    func ringSetsOffAPassBeforeItsTimeAndBasesAreNotLookedUpForIt() async throws {
        let rig = try await Rig()
        try await define(rig, "")
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
            let lookups = await rig.registry.lookups
            try await define(rig, "env: {A: b}\n")
            loop.bell.ring()
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
            #expect(await rig.registry.lookups == lookups)
        }
    }

    @Test
    func intervalAloneSetsOffPasses() async throws {
        let rig = try await Rig()
        try await define(rig, "")
        var settings = LoopRig.slow
        settings.interval = .milliseconds(20)
        try await LoopRig.run(rig, settings) { loop in
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
            for _ in 0..<3 { #expect(await loop.pass()?.unchanged == 1) }
        }
    }

    @Test
    func movedBaseIsSeenOnItsOwnInterval() async throws {
        let rig = try await Rig()
        try await define(rig, "")
        var settings = LoopRig.slow
        settings.baseInterval = .milliseconds(20)
        try await LoopRig.run(rig, settings) { loop in
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
            try await rig.registry.push("debian 2", to: ImageReference(Rig.debian))
            var built: [ImageName] = []
            while built.isEmpty, let result = await loop.pass() { built = result.built }
            #expect(built.map(\.value) == ["a"])
        }
    }

    @Test
    func faultOfADefinitionWaitsForANewInput() async throws {
        let rig = try await Rig()
        try await define(rig, "build: {apt: [git]}\n")
        await rig.engine.onBuild { request in
            if request.content.kind == .apt { throw BuildFailure(.definition, layer: .apt, message: "no such package") }
        }
        try await LoopRig.run(rig) { loop in
            #expect(await loop.pass()?.failed.map(\.value) == ["a"])
            await rig.engine.resetCounts()
            for _ in 0..<2 {
                loop.bell.ring()
                #expect(await loop.pass()?.failed.map(\.value) == ["a"])
            }
            #expect(await rig.engine.executions.isEmpty)
            try await define(rig, "build: {apt: [curl]}\n")
            loop.bell.ring()
            #expect(await loop.pass()?.failed.map(\.value) == ["a"])
            #expect(await rig.engine.executions.map(\.content.kind) == [.apt])
        }
    }

    @Test
    func transientFailureIsTriedAgainAfterItsWaitWithoutBeingRung() async throws {
        let rig = try await Rig()
        try await define(rig, "build: {apt: [git]}\n")
        let failures = Gate()
        await rig.engine.onBuild { request in
            guard request.content.kind == .apt else { return }
            if await !failures.isOpened {
                await failures.open()
                throw BuildFailure(.transient, layer: .apt, message: "the mirror is away")
            }
        }
        var settings = LoopRig.slow
        settings.retry = RetryPolicy(first: .milliseconds(20), limit: .seconds(3_600), jitter: { 0 })
        try await LoopRig.run(rig, settings) { loop in
            #expect(await loop.pass()?.failed.map(\.value) == ["a"])
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
        }
    }

    @Test
    func unknownFailureIsTriedTwice() async throws {
        let rig = try await Rig()
        try await define(rig, "build: {apt: [git]}\n")
        await rig.engine.onBuild { request in
            if request.content.kind == .apt { throw BuildFailure(.unknown, layer: .apt, message: "who knows") }
        }
        var settings = LoopRig.slow
        settings.interval = .milliseconds(20)
        settings.retry = RetryPolicy(first: .milliseconds(1), limit: .milliseconds(1), jitter: { 0 })
        try await LoopRig.run(rig, settings) { loop in
            for _ in 0..<6 { #expect(await loop.pass()?.failed.map(\.value) == ["a"]) }
            #expect(await rig.engine.executions.filter { $0.content.kind == .apt }.count == 2)
        }
    }

    /// A registry that fails in many ways for long is not given up at the first word that nobody knows.
    @Test
    func failuresOfKnownCauseDoNotCountAgainstOneOfUnknownCause() async throws {
        let rig = try await Rig()
        try await define(rig, "build: {apt: [git]}\n")
        let attempts = Mutex(0)
        await rig.engine.onBuild { request in
            guard request.content.kind == .apt else { return }
            let attempt = attempts.withLock { attempts in
                attempts += 1
                return attempts
            }
            if attempt < 4 { throw BuildFailure(.transient, layer: .apt, message: "the mirror is away") }
            if attempt == 4 { throw BuildFailure(.unknown, layer: .apt, message: "who knows") }
        }
        var settings = LoopRig.slow
        settings.interval = .milliseconds(20)
        settings.retry = RetryPolicy(first: .milliseconds(1), limit: .milliseconds(1), jitter: { 0 })
        try await LoopRig.run(rig, settings) { loop in
            for _ in 0..<20 {
                if await loop.pass()?.built.map(\.value) == ["a"] { break }
            }
        }
        #expect(attempts.withLock { $0 } == 5)
    }

    @Test
    func waitsGrowToTheirLimit() {
        let policy = RetryPolicy(first: .seconds(10), limit: .seconds(60), jitter: { 1 })
        #expect([1, 2, 3, 4, 100].map { policy.wait(after: $0) } == [10, 20, 40, 60, 60].map { .seconds($0) })
        let early = RetryPolicy(first: .seconds(10), limit: .seconds(60), jitter: { 0 })
        #expect([1, 2, 3, 4].map { early.wait(after: $0) } == [5, 10, 20, 30].map { .seconds($0) })
    }

    @Test
    func passThatFailsAsAWholeIsTriedAgain() async throws {
        let rig = try await Rig()
        try await define(rig, "")
        await rig.source.fail(true)
        var settings = LoopRig.slow
        settings.retry = RetryPolicy(first: .milliseconds(10), limit: .milliseconds(10), jitter: { 0 })
        try await LoopRig.run(rig, settings) { loop in
            await rig.source.fail(false)
            #expect(await loop.pass()?.built.map(\.value) == ["a"])
        }
    }

    @Test
    func passesThatFailAsAWholeAreTriedAtGrowingWaits() async throws {
        let rig = try await Rig()
        await rig.source.fail(true)
        var settings = LoopRig.slow
        settings.retry = RetryPolicy(first: .milliseconds(300), limit: .seconds(3_600), jitter: { 1 })
        let began = ContinuousClock().now
        try await LoopRig.run(rig, settings) { loop in
            for _ in 0..<3 { #expect(await loop.warning()?.hasPrefix("the pass failed") == true) }
            // Bases are due from the start, and that does not make it quicker.
            #expect(ContinuousClock().now - began >= .milliseconds(300 + 600))
        }
    }

    @Test
    func looksThatFailWhileSomethingIsBuiltAreTriedAtGrowingWaits() async throws {
        let (rig, gate) = (try await Rig(), Gate())
        try await rig.source.commit(ScheduleTests.files(["a": "slow", "b": "git"]))
        await rig.engine.onBuild { request in
            guard case .apt(let content) = request.content else { return }
            if content.packages == ["slow"] { return await gate.wait() }
            // From now on one image waits to be tried again, and the repository cannot be looked at.
            await rig.source.fail(true)
            throw BuildFailure(.transient, layer: .apt, message: "the mirror is away")
        }
        var settings = LoopRig.slow
        settings.retry = RetryPolicy(first: .milliseconds(200), limit: .seconds(3_600), jitter: { 1 })
        let began = ContinuousClock().now
        try await LoopRig.run(rig, settings) { loop in
            for _ in 0..<4 { #expect(await loop.warning()?.contains("cannot be looked at now") == true) }
            #expect(ContinuousClock().now - began >= .milliseconds(200 + 400 + 800))
            await gate.open()
        }
    }

    @Test
    func bellWakesAllWhoWait() async {
        let bell = Bell()
        let woken = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<3 { group.addTask { await bell.wait(atMost: .seconds(60)) } }
            // Rung until each of them has come and gone: a ring before a wait is remembered for one alone.
            let ringing = Task {
                while !Task.isCancelled {
                    bell.ring()
                    await Task.yield()
                }
            }
            defer { ringing.cancel() }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(woken == 3)
    }

    @Test
    func bellRemembersOneRing() async {
        let bell = Bell()
        bell.ring()
        bell.ring()
        #expect(await bell.wait(atMost: .seconds(60)))
        #expect(await !bell.wait(atMost: .milliseconds(1)))
        async let ring: Void = { bell.ring() }()
        #expect(await bell.wait(atMost: .seconds(60)))
        await ring
    }
}
