// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import VarveModel
public import VarveReconcile

/// What the server needs of one repository's loop.
public struct ServedRepository: Sendable {
    /// The name, unique among the daemon's repositories; without credentials.
    public let name: String
    let survey: Survey
    let control: LoopControl
    let state: StateDirectory
    /// The longest rest between two passes.
    let interval: Duration
    /// Which other process acts on the repository at the moment; nil where this one may.
    let leader: @Sendable () async -> String?
    /// Told of what people asked for.
    let asked: @Sendable (Request) -> Void
    private let now: @Sendable () -> Timestamp
    private let gate = SurveyGate()

    /// A repository.
    public init(
        name: String, survey: Survey, control: LoopControl, state: StateDirectory, interval: Duration,
        leader: @escaping @Sendable () async -> String? = { nil },
        asked: @escaping @Sendable (Request) -> Void = { _ in }, now: @escaping @Sendable () -> Timestamp
    ) {
        self.name = name
        self.survey = survey
        self.control = control
        self.state = state
        self.interval = interval
        self.leader = leader
        self.asked = asked
        self.now = now
    }

    /// Whether a pass is at work, which may take hours, or the last one was carried through and is not too long ago.
    var isReady: Bool {
        if control.isWorking { return true }
        guard let last = control.snapshot.lastPass, last.error == nil else { return false }
        return now().seconds - last.end.seconds <= 60 + 3 * Int(interval.components.seconds)
    }

    /// Reads the repository, a few requests at a time.
    ///
    /// - Throws: `APIError` when it cannot be read now.
    func findings(_ bases: Survey.BaseLookup) async throws -> Survey.Findings? {
        try await reading { try await survey.survey(bases: bases) }
    }

    /// Records, oldest first.
    func records(_ filter: RecordFilter) async throws -> [BuildRecord] {
        try await reading { try await survey.allRecords(filter) }
    }

    private func reading<Value>(_ body: () async throws -> Value) async throws -> Value {
        guard gate.enter() else {
            throw APIError(
                503, "busy", "too many requests read the repository at the moment", headers: ["retry-after": "1"])
        }
        defer { gate.leave() }
        do {
            return try await body()
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw APIError(
                503, "unreadable", singleLine(redacted("the repository cannot be read: \(error)"), limit: 500))
        }
    }
}

/// Bounds how many surveys run at a time: each reads all definitions and records.
private final class SurveyGate: Sendable {
    private let count = Mutex(0)

    func enter() -> Bool {
        count.withLock { count in
            guard count < 16 else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
