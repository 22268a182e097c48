// SPDX-License-Identifier: Apache-2.0

import Synchronization
import VarveModel
import VarveReconcile

/// What is answered, without anything of HTTP's wire.
struct API: Sendable {
    let repositories: [ServedRepository]
    let metrics: @Sendable () async -> String
    let areMetricsOpen: Bool
    let logs: LogWatch
    /// How many logs may be followed at a time.
    let streamLimit: Int

    // MARK: What every handler needs

    /// The repository that a request is about.
    func repository(_ call: Call) throws -> ServedRepository {
        if let name = call.parameters["repository"] {
            guard let found = repositories.first(where: { $0.name == name }) else {
                throw APIError(404, "no-repository", "there is no repository \(Quoted.text(name))")
            }
            return found
        }
        guard repositories.count == 1, let only = repositories.first else {
            let names = repositories.map(\.name).joined(separator: ", ")
            throw APIError(
                400, "repository-needed", "there are several repositories; name one by '?repository=': \(names)")
        }
        return only
    }

    /// The image that a path names.
    func image(_ call: Call) throws -> ImageName {
        let text = call.segments["name"] ?? ""
        do { return try ImageName(text) } catch {
            throw APIError(400, "invalid-name", "\(Quoted.text(text)) is not the name of an image: \(error.rule)")
        }
    }

    /// The body as an object with none but these members; an empty one where there is no body.
    func body(_ call: Call, members: [String]) throws -> [String: JSONNode] {
        guard !call.request.body.isEmpty else { return [:] }
        let type = call.request.headers["content-type"]?.split(separator: ";").first ?? ""
        guard type.trimmed.lowercased() == "application/json" else {
            throw APIError(415, "unsupported-media-type", "the body is to be application/json")
        }
        guard let node = SortedJSON.node(call.request.body), case .object(let object) = node else {
            throw APIError(400, "invalid-body", "the body is not a JSON object")
        }
        for name in object.keys.sorted() where !members.contains(name) {
            throw APIError(
                400, "invalid-body",
                "unknown member \(Quoted.text(name)); expected \(members.joined(separator: ", "))")
        }
        return object
    }
}

extension Substring {
    /// The text without blanks at its ends.
    fileprivate var trimmed: Substring {
        var text = self
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
