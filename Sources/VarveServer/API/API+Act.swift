// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan
import VarveReconcile

extension API {
    func rebuild(_ call: Call) async throws -> APIResponse {
        let object = try body(call, members: ["layer"])
        var layer: LayerKind?
        if let node = object["layer"], node != .null {
            layer = node.string.flatMap(LayerKind.init(rawValue:))
            guard layer != nil else {
                let kinds = LayerKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw APIError(400, "invalid-body", "'layer' is not a kind of layer; expected \(kinds)")
            }
        }
        let (repository, name) = try await definedImage(call)
        let rebuild = Rebuild(from: layer, by: user(call))
        try keeping { try repository.control.rebuild(name, rebuild) }
        repository.asked(Request(.rebuild, of: name, from: layer, by: user(call)))
        return try await accepted(name, in: repository)
    }

    func stop(_ call: Call) async throws -> APIResponse {
        _ = try body(call, members: [])
        let repository = try repository(call)
        let name = try image(call)
        guard repository.control.stop(name, by: user(call)) else {
            let leader = await repository.leader().map { " by this daemon; '\($0)' leads the repository" }
            throw APIError(409, "not-building", "the image '\(name)' is not being built" + (leader ?? ""))
        }
        repository.asked(Request(.stop, of: name, by: user(call)))
        return try accepted(["image": .text(name.value), "repository": .text(repository.name)])
    }

    func suspend(_ call: Call) async throws -> APIResponse {
        _ = try body(call, members: [])
        let (repository, name) = try await definedImage(call)
        try keeping { try repository.control.suspend(name) }
        repository.asked(Request(.suspend, of: name, by: user(call)))
        return try await accepted(name, in: repository, ["suspended": true])
    }

    /// Also for an image whose definition is gone: what was suspended can always be resumed.
    func resume(_ call: Call) async throws -> APIResponse {
        _ = try body(call, members: [])
        let repository = try repository(call)
        let name = try image(call)
        if !repository.control.snapshot.suspended.contains(name) { _ = try await definedImage(call) }
        try keeping { try repository.control.resume(name) }
        repository.asked(Request(.resume, of: name, by: user(call)))
        return try await accepted(name, in: repository, ["suspended": false])
    }

    /// Has one repository looked at anew, or all where none is named.
    func reconcile(_ call: Call) async throws -> APIResponse {
        let object = try body(call, members: ["images"])
        var names: [ImageName] = []
        if let node = object["images"], node != .null {
            guard case .list(let items) = node, items.count <= 1_000 else {
                throw APIError(400, "invalid-body", "'images' is a list of at most 1000 names")
            }
            for item in items {
                guard let text = item.string, let name = try? ImageName(text) else {
                    throw APIError(400, "invalid-body", "'images' has an item that is not the name of an image")
                }
                names.append(name)
            }
        }
        let isForAll = names.isEmpty && call.parameters["repository"] == nil
        let chosen = isForAll ? repositories : [try repository(call)]
        if !names.isEmpty {
            let known = try await definedNames(in: chosen[0])
            for name in names where !known.contains(name.value) { throw noImage(name) }
        }
        for repository in chosen {
            repository.control.reconcile(names, looksOutside: true)
            let subjects: [ImageName?] = names.isEmpty ? [nil] : names
            for name in subjects { repository.asked(Request(.reconcile, of: name, by: user(call))) }
        }
        return try accepted([
            "images": .list(names.map { .text($0.value) }), "repositories": .list(chosen.map { .text($0.name) }),
        ])
    }

    // MARK: Parts

    private func user(_ call: Call) -> String { call.request.principal?.user ?? "somebody" }

    private func accepted(_ body: JSONNode) throws -> APIResponse { try .json(body, status: 202) }

    /// What is kept here, and counts as soon as this process leads; who leads now is named, so that they can be asked.
    private func accepted(
        _ image: ImageName, in repository: ServedRepository, _ more: [String: JSONNode] = [:]
    ) async throws -> APIResponse {
        var answer = more
        answer["image"] = .text(image.value)
        answer["repository"] = .text(repository.name)
        if let leader = await repository.leader() { answer["leader"] = .text(leader) }
        return try accepted(.object(answer))
    }

    private func definedNames(in repository: ServedRepository) async throws -> Set<String> {
        guard let findings = try await repository.findings(.recorded) else { return [] }
        return Set(findings.plan.images.map(\.definition.name.value) + findings.plan.invalid.map(\.name))
    }

    private func definedImage(_ call: Call) async throws -> (ServedRepository, ImageName) {
        let repository = try repository(call)
        let name = try image(call)
        guard try await definedNames(in: repository).contains(name.value) else { throw noImage(name) }
        return (repository, name)
    }

    private func keeping(_ body: () throws -> Void) throws {
        do { try body() } catch {
            throw APIError(503, "unwritable", singleLine(redacted("this cannot be kept: \(error)"), limit: 500))
        }
    }
}
