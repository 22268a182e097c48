// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveServer

/// How rings are brought together.
@Suite(.timeLimit(.minutes(5)))
struct WebhookTargetTests {
    private final class Rings: Sendable {
        private let all = Mutex<[Bool]>([])
        var looks: [Bool] { all.withLock(\.self) }
        func ring(_ looksOutside: Bool) { all.withLock { $0.append(looksOutside) } }
    }

    @Test
    func firstRingsAtOnceAndTheRestOnce() async {
        let rings = Rings()
        // A pause that the test never sees the end of: what rings, rings before it, or at the cancellation.
        let target = WebhookTarget(address: "a", branch: nil, pause: .seconds(3_600), ring: rings.ring)
        await target.note(looksOutside: false)
        #expect(rings.looks == [false])
        await withTaskGroup { group in
            group.addTask { await target.note(looksOutside: false) }
            for index in 0..<50 { group.addTask { await target.note(looksOutside: index == 25) } }
            // All but the one that waits for the pause's end are answered at once.
            for _ in 0..<50 { await group.next() }
            #expect(rings.looks == [false])
            group.cancelAll()
        }
        #expect(rings.looks == [false, true])
    }

    @Test
    func ringAfterThePauseGoesThroughAtOnce() async {
        let rings = Rings()
        let target = WebhookTarget(address: "a", branch: nil, pause: .zero, ring: rings.ring)
        for _ in 0..<3 { await target.note(looksOutside: false) }
        #expect(rings.looks == [false, false, false])
    }

    @Test
    func lateRingComesAtThePausesEnd() async {
        let rings = Rings()
        let target = WebhookTarget(address: "a", branch: nil, pause: .milliseconds(50), ring: rings.ring)
        await target.note(looksOutside: false)
        let began = ContinuousClock().now
        await target.note(looksOutside: true)
        #expect(rings.looks == [false, true] && ContinuousClock().now - began < .seconds(5))
    }

    @Test
    func pushOfItsOwnImageConcernsOnlyOthers() throws {
        let target = WebhookTarget(address: "a", branch: nil) { _ in }
        #expect(target.mayStand(on: ["fleet/ds-python"]))
        var record = try Samples.record(1)
        record.reference = "registry.example.com:5000/fleet/ds-python@sha256:\(String(repeating: "a", count: 64))"
        target.learn([record])
        #expect(!target.mayStand(on: ["fleet/ds-python"]))
        #expect(target.mayStand(on: ["fleet/ds-python", "library/debian"]))
        #expect(target.mayStand(on: ["fleet/other"]) && target.mayStand(on: []))
        let other = WebhookTarget(address: "b", branch: nil) { _ in }
        other.learn([])
        #expect(other.mayStand(on: ["fleet/ds-python"]))
    }

    @Test
    func branchChoosesAndHeadFollowsAll() {
        let main = WebhookTarget(address: "a", branch: "refs/heads/main") { _ in }
        let head = WebhookTarget(address: "a", branch: nil) { _ in }
        #expect(main.follows("main") && !main.follows("work") && main.follows(nil))
        #expect(head.follows("main") && head.follows("work"))
    }
}
