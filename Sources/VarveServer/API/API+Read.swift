// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan
import VarveReconcile

extension API {
    func alive(_ call: Call) throws -> APIResponse { try .json(["alive": true] as JSONNode) }

    func ready(_ call: Call) throws -> APIResponse {
        let isReady = repositories.allSatisfy(\.isReady)
        return try .json(["ready": .bool(isReady)] as JSONNode, status: isReady ? 200 : 503)
    }

    func metricsText(_ call: Call) async throws -> APIResponse {
        APIResponse(status: 200, type: DaemonMetrics.contentType, text: await metrics())
    }

    func repositoryList(_ call: Call) throws -> APIResponse { try .json(repositories.map(RepositoryJSON.init)) }

    func imageList(_ call: Call) async throws -> APIResponse {
        let repository = try repository(call)
        guard let findings = try await repository.findings(.recorded) else { return try .json([] as [StatusJSON]) }
        return try .json(rows(findings, repository.control.snapshot))
    }

    func imageDetail(_ call: Call) async throws -> APIResponse {
        let repository = try repository(call)
        let name = try image(call)
        let findings = try await repository.findings(.recorded)
        let snapshot = repository.control.snapshot
        guard let findings, let row = rows(findings, snapshot).first(where: { $0.name == name.value }) else {
            throw noImage(name)
        }
        return try .json(
            ImageJSON(
                status: row,
                plan: findings.plan.images.first { $0.definition.name == name }.map(PlanJSON.Image.init),
                latest: findings.history.latest[name],
                running: snapshot.running.first { $0.image == name }.map(QueueJSON.Running.init)))
    }

    func imageBuilds(_ call: Call) async throws -> APIResponse {
        let repository = try repository(call)
        let name = try image(call)
        var limit = 100
        if let text = call.parameters["limit"] {
            guard let number = Int(text), (1...1_000).contains(number), !text.hasPrefix("+") else {
                throw APIError(400, "invalid-parameter", "'limit' is a number from 1 to 1000")
            }
            limit = number
        }
        let records = try await repository.records(.image(name))
        guard !records.isEmpty else { throw APIError(404, "no-record", "there is no record of an image '\(name)'") }
        return try .json(Array(records.reversed().prefix(limit)))
    }

    func queue(_ call: Call) throws -> APIResponse {
        let repository = try repository(call)
        return try .json(QueueJSON(repository: repository.name, repository.control.snapshot))
    }

    func plan(_ call: Call) async throws -> APIResponse {
        let repository = try repository(call)
        let lookup: Survey.BaseLookup
        switch call.parameters["bases"] {
        case nil, "registry": lookup = .registry
        case "recorded": lookup = .recorded
        default: throw APIError(400, "invalid-parameter", "'bases' is 'registry' or 'recorded'")
        }
        guard let findings = try await repository.findings(lookup) else { return try .json(PlanJSON()) }
        return try .json(PlanJSON(commit: findings.commit, plan: findings.plan))
    }

    func graph(_ call: Call) async throws -> APIResponse {
        let findings = try await repository(call).findings(.recorded)
        return try .json(GraphJSON(commit: findings?.commit, plan: findings?.plan))
    }

    // MARK: Parts

    func rows(_ findings: Survey.Findings, _ snapshot: LoopSnapshot) -> [StatusJSON] {
        let running = snapshot.running.map { ($0.image.value, StatusJSON.Running(step: $0.step, start: $0.start)) }
        return StatusJSON.rows(
            findings, running: Dictionary(running) { $1 }, suspended: snapshot.suspended)
    }

    func noImage(_ name: ImageName) -> APIError { APIError(404, "no-image", "there is no image '\(name)'") }
}
