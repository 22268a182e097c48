// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveReconcile
import VarveTestSupport

/// Three contenders whose calls arrive, get lost and are answered in any order, while the time goes on.
@Suite(.timeLimit(.minutes(5)))
struct ContentionTests {
    /// Holds every call at its way to the store and at its way back until the test lets it go on.
    private actor Traffic {
        private var held: [CheckedContinuation<MemoryLeaseStore.Fate, Never>] = []
        private var running = 0
        private var busy: Set<Int> = []

        var isStill: Bool { running == 0 }
        var heldCount: Int { held.count }

        func arrive() async -> MemoryLeaseStore.Fate {
            running -= 1
            return await withCheckedContinuation { held.append($0) }
        }

        func release(_ index: Int, _ fate: MemoryLeaseStore.Fate) {
            running += 1
            held.remove(at: index).resume(returning: fate)
        }

        func begin(_ contender: Int) -> Bool {
            guard busy.insert(contender).inserted else { return false }
            running += 1
            return true
        }

        func end(_ contender: Int) {
            busy.remove(contender)
            running -= 1
        }
    }

    @Test(arguments: 0..<24)
    func twoNeverBelieveThatTheyLead(seed: UInt64) async throws {
        var random = SeededRandom(seed: seed)
        let (store, clock, traffic) = (MemoryLeaseStore(), ManualClock(), Traffic())
        await store.onCall { _ in (await traffic.arrive(), { _ = await traffic.arrive() }) }
        let contenders = (0..<3).map { number in
            // Each has a clock that shows another time.
            var settings = LeaseSettings.manual("contender \(number)", clock)
            settings.now = { clock.now + .seconds(1_000 * number) }
            return Leadership(store, settings: settings)
        }
        var believed: Set<Int> = []
        await withTaskGroup { group in
            for _ in 0..<600 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<3:
                    let contender = Int.random(in: 0..<3, using: &random)
                    let deed = Int.random(in: 0..<12, using: &random)
                    if await traffic.begin(contender) {
                        let leadership = contenders[contender]
                        group.addTask {
                            switch deed {
                            case 0: await leadership.release()
                            case 1..<6: _ = try? await leadership.confirm()
                            default: _ = try? await leadership.lead {}
                            }
                            await traffic.end(contender)
                        }
                    }
                case 3..<5: clock.advance(by: .seconds(Int.random(in: 0...30, using: &random)))
                default:
                    let count = await traffic.heldCount
                    guard count > 0 else { continue }
                    let fates: [MemoryLeaseStore.Fate] = [.isLost, .answerIsLost] + Array(repeating: .works, count: 8)
                    await traffic.release(
                        Int.random(in: 0..<count, using: &random), fates.randomElement(using: &random) ?? .works)
                }
                while await !traffic.isStill { await Task.yield() }
                var now: [Int] = []
                for (number, leadership) in contenders.enumerated() where await leadership.counter != nil {
                    now.append(number)
                }
                #expect(now.count <= 1, "seed \(seed): \(now)")
                believed.formUnion(now)
            }
            while await traffic.heldCount > 0 {
                await traffic.release(0, .works)
                while await !traffic.isStill { await Task.yield() }
            }
        }
        #expect(believed.count > 1, "seed \(seed) shows nothing")
        let written = await store.written
        for (earlier, later) in zip(written, written.dropFirst()) {
            #expect(later.counter >= earlier.counter)
            if later.identity != earlier.identity { #expect(later.counter == earlier.counter + 1) }
        }
    }
}
