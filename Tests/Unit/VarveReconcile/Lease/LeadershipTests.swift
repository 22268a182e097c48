// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

/// Who leads, by a clock that the test moves and a store in memory.
@Suite(.timeLimit(.minutes(5)))
struct LeadershipTests {
    private let store = MemoryLeaseStore()
    private let clock = ManualClock()

    private func contender(_ name: String, identity: String? = nil) -> Leadership {
        Leadership(store, settings: .manual(name, identity: identity, clock))
    }

    @Test
    func firstToAskLeadsAndTheOtherIsToldWho() async throws {
        let (one, two) = (contender("one"), contender("two"))
        #expect(try await one.leads)
        #expect(try await two.lead {}.leader == "one")
        #expect(await one.counter == 1)
        #expect(await two.counter == nil)
    }

    @Test
    func followerTakesOverAfterOneLengthOfTheSameValueAndNotBefore() async throws {
        let (one, two) = (contender("one"), contender("two"))
        #expect(try await one.leads)
        #expect(try await !two.leads)
        clock.advance(by: .seconds(59))
        #expect(try await !two.leads)
        clock.advance(by: .seconds(1))
        #expect(try await two.leads)
        #expect(await two.counter == 2)
        await #expect(throws: BuildFailure.self) { try await one.confirm() }
    }

    @Test
    func valueThatWasRenewedIsWatchedFromAnew() async throws {
        let (one, two) = (contender("one"), contender("two"))
        #expect(try await one.leads)
        #expect(try await !two.leads)
        clock.advance(by: .seconds(50))
        // Its own time is over, and nobody has taken the lease: it may go on.
        #expect(await one.counter == nil)
        #expect(try await one.leads)
        clock.advance(by: .seconds(30))
        #expect(try await !two.leads)
        clock.advance(by: .seconds(59))
        #expect(try await !two.leads)
        clock.advance(by: .seconds(1))
        #expect(try await two.leads)
    }

    @Test
    func holderStopsBelievingBeforeAnybodyCanTakeOver() async throws {
        let one = contender("one")
        #expect(try await one.leads)
        clock.advance(by: .seconds(39))
        #expect(await one.counter == 1)
        clock.advance(by: .seconds(1))
        #expect(await one.counter == nil)
    }

    @Test
    func leaseIsRenewedAtEachThirdWhileThereIsWorkAndNotAfterwards() async throws {
        let one = contender("one")
        let gate = Gate()
        async let outcome = one.lead { await gate.wait() }
        for count in 1...4 {
            try await settle { await store.written.count == count && clock.sleepers == 2 }
            #expect(await one.counter == 1)
            clock.advance(by: .seconds(20))
        }
        try await settle { await store.written.count == 5 }
        await gate.open()
        #expect(try await outcome.isLed)
        clock.advance(by: .seconds(600))
        #expect(await store.written.count == 5)
        #expect(await Set(store.written.map(\.counter)) == [1])
        #expect(await Set(store.written.map(\.token)).count == 5)
    }

    @Test
    func workIsCancelledWhenAnotherOneHasTheLease() async throws {
        let (one, two) = (contender("one"), contender("two"))
        async let outcome = one.lead { try await Task.sleep(for: .seconds(3_600)) }
        try await settle { clock.sleepers == 2 }
        #expect(try await !two.leads)
        // What the first one writes does not arrive for a whole length.
        await store.onCall { isWrite in (isWrite ? .isLost : .works, {}) }
        for _ in 0..<60 {
            clock.advance(by: .seconds(1))
            await Task.yield()
        }
        await store.onCall { _ in (.works, {}) }
        #expect(try await two.leads)
        #expect(try await !outcome.isLed)
        await #expect(throws: BuildFailure.self) { try await one.confirm() }
        #expect(try await one.lead {}.leader == "two")
    }

    @Test
    func stoppedProcessFindsOutBeforeItsNextEffect() async throws {
        let (one, two) = (contender("one"), contender("two"))
        #expect(try await one.leads)
        #expect(try await !two.leads)
        // The first one's clock goes on while it is stopped.
        clock.advance(by: .seconds(60))
        #expect(try await two.leads)
        let error = await #expect(throws: BuildFailure.self) { try await one.confirm() }
        #expect(error?.failureClass == .cancelled)
    }

    @Test
    func stoppedProcessWhoseLeaseNobodyTookGoesOn() async throws {
        let one = contender("one")
        #expect(try await one.leads)
        clock.advance(by: .seconds(600))
        #expect(try await one.confirm() == 1)
    }

    @Test
    func writingWhoseAnswerWasLostIsKnownAgain() async throws {
        let one = contender("one")
        await store.onCall { isWrite in (isWrite ? .answerIsLost : .works, {}) }
        await #expect(throws: MemoryLeaseStore.Unreachable.self) { try await one.lead {} }
        await store.onCall { _ in (.works, {}) }
        clock.advance(by: .seconds(30))
        #expect(try await one.leads)
        // It counts from when it was begun, not from when it was found.
        clock.advance(by: .seconds(10))
        #expect(await one.counter == nil)
        #expect(await store.written.count == 1)
    }

    @Test
    func writingThatTakesLongerThanTheLeaseGivesNoRight() async throws {
        let one = contender("one")
        await store.onCall { [clock] isWrite in (.works, { if isWrite { clock.advance(by: .seconds(45)) } }) }
        #expect(try await !one.leads)
        #expect(await one.counter == nil)
    }

    @Test
    func storeThatIsAwayEndsTheLeadershipInTime() async throws {
        let one = contender("one")
        async let outcome = one.lead { try await Task.sleep(for: .seconds(3_600)) }
        try await settle { clock.sleepers == 2 }
        await store.onCall { _ in (.isLost, {}) }
        // It cannot be read, and nobody else can have it yet.
        #expect(try await one.confirm() == 1)
        for _ in 0..<40 {
            clock.advance(by: .seconds(1))
            await Task.yield()
        }
        #expect(try await !outcome.isLed)
        await #expect(throws: BuildFailure.self) { try await one.confirm() }
    }

    @Test
    func releasedLeaseIsTakenAtOnce() async throws {
        let (one, two) = (contender("one"), contender("two"))
        #expect(try await one.leads)
        await one.release()
        #expect(await one.counter == nil)
        #expect(try await two.leads)
        #expect(await two.counter == 2)
        await one.release()
        #expect(await two.counter == 2)
    }

    @Test
    func leaseWhoseWriteWasNotAnsweredIsReleasedToo() async throws {
        let (one, two) = (contender("one"), contender("two"))
        await store.onCall { isWrite in (isWrite ? .answerIsLost : .works, {}) }
        await #expect(throws: MemoryLeaseStore.Unreachable.self) { try await one.lead {} }
        await store.onCall { _ in (.works, {}) }
        await one.release()
        #expect(try await two.leads)
        // One that never wrote asks nobody.
        await store.onCall { _ in
            Issue.record("the store was asked")
            return (.works, {})
        }
        await contender("three").release()
    }

    @Test
    func restartOfTheSameHolderNeedNotWait() async throws {
        let one = contender("one", identity: "state of one")
        #expect(try await one.leads)
        let again = contender("one", identity: "state of one")
        #expect(try await again.leads)
        #expect(await again.counter == 2)
    }

    @Test
    func followerWaitsForALeaseThatSomebodyDeleted() async throws {
        let (one, two) = (contender("one"), contender("two"))
        #expect(try await one.leads)
        #expect(try await two.lead {}.leader == "one")
        await store.put(nil)
        for _ in 0..<5 {
            #expect(try await two.lead {}.leader == "one")
            clock.advance(by: .seconds(12))
        }
        #expect(try await two.leads)
        #expect(await two.counter == 2)
    }

    @Test
    func leaseThatIsDeletedTwiceHasOneBeliever() async throws {
        let (one, two) = (contender("one"), contender("two"))
        #expect(try await one.leads)
        #expect(try await !two.leads)
        await store.put(nil)
        #expect(try await !two.leads)
        clock.advance(by: .seconds(30))
        #expect(try await one.confirm() == 1)
        await store.put(nil)
        clock.advance(by: .seconds(30))
        #expect(try await !two.leads)
        #expect(await one.counter == 1)
    }

    @Test
    func severalEffectsAtOncePutADeletedLeaseBackTogether() async throws {
        let one = contender("one")
        #expect(try await one.leads)
        await store.put(nil)
        let both = Gate()
        let count = Mutex(0)
        await store.onCall { isWrite in
            // Both have read that it is gone before either writes.
            if isWrite {
                if count.withLock({
                    $0 += 1; return $0
                }) == 2 {
                    await both.open()
                }
                await both.wait()
            }
            return (.works, {})
        }
        async let first = one.confirm()
        async let second = one.confirm()
        let results = [try await first, try await second]
        #expect(results == [1, 1])
        #expect(await one.counter == 1)
    }

    @Test
    func holderPutsADeletedLeaseBackAtItsNextLook() async throws {
        let (one, newcomer) = (contender("one"), contender("newcomer"))
        #expect(try await one.leads)
        await store.put(nil)
        #expect(try await one.confirm() == 1)
        #expect(try await newcomer.lead {}.leader == "one")
    }

    @Test
    func holderGoesOnWhereADeletedLeaseIsRenewed() async throws {
        let one = contender("one")
        let gate = Gate()
        async let outcome = one.lead { await gate.wait() }
        try await settle { await store.written.count == 1 && clock.sleepers == 2 }
        await store.put(nil)
        clock.advance(by: .seconds(20))
        try await settle { await store.written.count == 2 }
        await gate.open()
        #expect(try await outcome.isLed)
    }

    @Test
    func holderWhoseDeletedLeaseANewcomerTookStops() async throws {
        let (one, newcomer) = (contender("one"), contender("newcomer"))
        #expect(try await one.leads)
        await store.put(nil)
        #expect(try await newcomer.leads)
        await #expect(throws: BuildFailure.self) { try await one.confirm() }
    }

    @Test
    func unreadableValueIsWaitedFor() async throws {
        let one = contender("one")
        await store.put(LeaseValue(id: "strange", lease: nil))
        #expect(try await !one.leads)
        clock.advance(by: .seconds(60))
        #expect(try await one.leads)
    }

    @Test
    func failureOfTheWorkIsNoLossOfTheLease() async throws {
        let one = contender("one")
        await #expect(throws: MemoryLeaseStore.Unreachable.self) {
            try await one.lead { throw MemoryLeaseStore.Unreachable() }
        }
        #expect(await one.counter == 1)
    }

    @Test
    func watchTakesTheLeaseOfOneThatIsGone() async throws {
        let (one, two) = (contender("one"), contender("two"))
        #expect(try await one.leads)
        #expect(try await !two.leads)
        let taken = Gate()
        await withTaskGroup { group in
            group.addTask { await two.watch { Task { await taken.open() } } }
            for _ in 0..<20 {
                try? await settle {
                    let isTaken = await two.counter != nil
                    return isTaken || clock.sleepers == 1
                }
                clock.advance(by: .seconds(7.5))
                if await two.counter != nil { break }
            }
            await taken.wait()
            group.cancelAll()
        }
        #expect(await two.counter == 2)
    }
}

extension LeaseSettings {
    /// A holder whose time is the test's.
    static func manual(_ name: String, identity: String? = nil, _ clock: ManualClock) -> LeaseSettings {
        var settings = LeaseSettings(holder: name, identity: identity ?? "identity of \(name)")
        settings.now = { clock.now }
        settings.sleep = { try await clock.sleep($0) }
        return settings
    }
}

extension Leadership {
    /// Whether this one leads now, for a moment of work.
    var leads: Bool { get async throws { try await lead {}.isLed } }
}

extension Leadership.Outcome {
    var isLed: Bool { if case .led = self { true } else { false } }
    var leader: String? { if case .held(let leader) = self { leader } else { nil } }
}

/// Lets other tasks go on until something is so.
func settle(_ isSo: () async -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while await !isSo() {
        guard ContinuousClock.now < end else { throw FixtureError("it never came to be") }
        await Task.yield()
    }
}
