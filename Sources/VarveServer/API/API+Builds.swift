// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarveReconcile

extension API {
    /// A build, found by its id.
    enum FoundBuild {
        case recorded(BuildRecord, ServedRepository)
        case running(LoopSnapshot.Running, ServedRepository)
    }

    func build(_ call: Call) async throws -> APIResponse {
        switch try await foundBuild(call) {
        case .recorded(let record, _): return try .json(record)
        case .running(let running, _):
            return try .json(
                RunningBuildJSON(
                    id: LogFolder.build(ofFile: running.log), image: running.image, status: .building,
                    step: running.step, start: running.start))
        }
    }

    /// The log of a build: as it is now, or as events that go on until the build ends.
    func buildLog(_ call: Call) async throws -> APIResponse {
        let isFollowed = try isFollowed(call)
        let found = try await foundBuild(call)
        let (image, id, repository) =
            switch found {
            case .recorded(let record, let repository): (record.image, record.id, repository)
            case .running(let running, let repository):
                (running.image, LogFolder.build(ofFile: running.log), repository)
            }
        let folder = LogFolder(repository.state, image: image)
        guard let path = folder.path(ofBuild: id), let file = OpenFile(path) else {
            throw APIError(404, "no-log", "the log of this build is not on this machine; the record has its end")
        }
        guard isFollowed else {
            return APIResponse(
                status: 200, headers: ["content-type": "text/plain; charset=utf-8"],
                content: .file(file, size: file.size))
        }
        guard logs.count < streamLimit else {
            throw APIError(503, "busy", "too many logs are followed at the moment", headers: ["retry-after": "10"])
        }
        let start = call.request.headers["last-event-id"].flatMap { Int($0) } ?? 0
        let control = repository.control
        let prefix = id.prefix(12)
        let isRunning: @Sendable () -> Bool = {
            control.snapshot.running.contains { LogFolder.build(ofFile: $0.log) == prefix }
        }
        return APIResponse(
            status: 200, headers: ["content-type": "text/event-stream; charset=utf-8"],
            content: .followedLog(.init(tail: logs.tail(of: path, file, isRunning: isRunning), start: start)))
    }

    private func isFollowed(_ call: Call) throws -> Bool {
        switch call.parameters["follow"] {
        case "true": return true
        case "false": return false
        case nil:
            return (call.request.headers["accept"] ?? "").lowercased().contains("text/event-stream")
        default: throw APIError(400, "invalid-parameter", "'follow' is true or false")
        }
    }

    /// The build of an id: the whole one of a record, or at least its first twelve digits.
    private func foundBuild(_ call: Call) async throws -> FoundBuild {
        let id = call.segments["id"] ?? ""
        guard (12...32).contains(id.utf8.count), id.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else {
            throw APIError(
                400, "invalid-id", "\(Quoted.text(id)) is not a build's id; expected 12 to 32 hexadecimal digits")
        }
        let searched = call.parameters["repository"] == nil ? repositories : [try repository(call)]
        for repository in searched {
            let running = repository.control.snapshot.running
            if let found = running.first(where: { LogFolder.build(ofFile: $0.log) == id.prefix(12) }) {
                return .running(found, repository)
            }
        }
        for repository in searched {
            if let record = try await repository.records(.build(id)).last {
                return .recorded(record, repository)
            }
        }
        throw APIError(404, "no-build", "there is no build '\(id)'")
    }
}
