// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarveReconcile

/// What one repository's loop is doing: `GET /api/v1/queue`.
struct QueueJSON: Encodable {
    struct Running: Encodable {
        let image: ImageName
        /// The beginning of the id that the build's record will have.
        let build: String
        let step: String
        let start: Timestamp
    }

    struct Queued: Encodable {
        let image: ImageName
        let owner: String
        let urgency: BuildClass
        let since: Timestamp
    }

    let repository: String
    let running: [Running]
    /// The most urgent first, then the oldest.
    let queued: [Queued]
    let suspended: [ImageName]
    let lastPass: LoopSnapshot.LastPass?

    init(repository: String, _ snapshot: LoopSnapshot) {
        self.repository = repository
        running = snapshot.running.map(Running.init)
        queued = snapshot.queued
            .sorted { ($1.urgency, $0.since, $0.image) < ($0.urgency, $1.since, $1.image) }
            .map { Queued(image: $0.image, owner: $0.owner, urgency: $0.urgency, since: $0.since) }
        suspended = snapshot.suspended
        lastPass = snapshot.lastPass
    }
}

extension QueueJSON.Running {
    init(_ running: LoopSnapshot.Running) {
        self.init(
            image: running.image, build: LogFolder.build(ofFile: running.log), step: running.step, start: running.start)
    }
}

/// One repository: an entry of `GET /api/v1/repositories`.
struct RepositoryJSON: Encodable {
    let name: String
    let running: Int
    let queued: Int
    let suspended: Int
    let isReady: Bool
    let lastPass: LoopSnapshot.LastPass?

    enum CodingKeys: String, CodingKey {
        case name, running, queued, suspended, lastPass
        case isReady = "ready"
    }

    init(_ repository: ServedRepository) {
        let snapshot = repository.control.snapshot
        name = repository.name
        running = snapshot.running.count
        queued = snapshot.queued.count
        suspended = snapshot.suspended.count
        isReady = repository.isReady
        lastPass = snapshot.lastPass
    }
}

/// All about one image: `GET /api/v1/images/{name}`.
struct ImageJSON: Encodable {
    let status: StatusJSON
    /// What a pass would do about it.
    let plan: PlanJSON.Image?
    /// The newest record.
    let latest: BuildRecord?
    /// What is being done about it now.
    let running: QueueJSON.Running?

    enum CodingKeys: String, CodingKey { case plan, latest, running }

    /// The row's members stand beside the others.
    func encode(to encoder: any Encoder) throws {
        try status.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(plan, forKey: .plan)
        try container.encodeIfPresent(latest, forKey: .latest)
        try container.encodeIfPresent(running, forKey: .running)
    }
}

/// A build that goes on: `GET /api/v1/builds/{id}` before there is a record.
struct RunningBuildJSON: Encodable {
    let id: String
    let image: ImageName
    let status: ImageStatus
    let step: String
    let start: Timestamp
}
