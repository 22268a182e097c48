// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarveReconcile

/// A running loop on fakes, and what it tells.
struct LoopRig {
    let bell: Bell
    let control: LoopControl
    private let events: AsyncStream<PassEvent>

    /// Waits that are too long for any test, so that only what is under test can end them.
    static var slow: LoopSettings {
        LoopSettings(
            interval: .seconds(3_600), baseInterval: .seconds(7_200),
            retry: RetryPolicy(first: .seconds(3_600), limit: .seconds(3_600), jitter: { 0.5 }))
    }

    /// Runs a loop over the parts of a rig until the body is done.
    static func run(
        _ rig: Rig, _ settings: LoopSettings = slow, slots: BuildSlots? = nil, builds: LayerBuilds = LayerBuilds(),
        _ body: (LoopRig) async throws -> Void
    ) async throws {
        let (stream, continuation) = AsyncStream<PassEvent>.makeStream()
        let bell = Bell()
        let control = try LoopControl(rig.state, bell: bell, now: { Timestamp(seconds: 0) })
        let events: @Sendable (PassEvent) -> Void = { event in
            control.note(event)
            continuation.yield(event)
        }
        let loop = ReconcileLoop(
            try rig.reconciler(slots: slots, builds: builds, events: events), settings: settings, bell: bell,
            control: control, events: events)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await loop.run()
                continuation.finish()
            }
            try await body(LoopRig(bell: bell, control: control, events: stream))
            group.cancelAll()
        }
    }

    /// The next end of a pass; nil when the loop ends without one.
    func pass() async -> PassResult? {
        for await event in events {
            if case .finished(let result) = event { return result }
        }
        return nil
    }

    /// Waits until a pass has planned; tells what it is to build.
    func planned() async -> Int? {
        for await event in events {
            if case .planned(_, _, let count) = event { return count }
        }
        return nil
    }

    /// The next image that is done with.
    func finished() async -> BuildRecord? {
        for await event in events {
            if case .imageFinished(let record) = event { return record }
        }
        return nil
    }

    /// The next image whose layer is being executed.
    func started(_ kind: LayerKind) async -> String? {
        for await event in events {
            if case .layerStarted(let name, kind, _) = event { return name.value }
        }
        return nil
    }

    /// The next image that is left alone, and why.
    func skipped() async -> String? {
        for await event in events {
            if case .imageSkipped(let name, _, let cause) = event { return "\(name): \(cause)" }
        }
        return nil
    }

    /// The next warning.
    func warning() async -> String? {
        for await event in events {
            if case .warning(let text) = event { return text }
        }
        return nil
    }

    /// Reads on to the loop's end.
    func end() async { for await _ in events {} }
}
