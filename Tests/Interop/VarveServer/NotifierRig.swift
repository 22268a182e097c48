// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing
import VarveDefinition
import VarveModel
import VarveReconcile
import VarveTestSupport

@testable import VarveServer

/// A request as it came in.
struct Received: Sendable {
    var path: String
    var headers: HTTPFields
    var body: [UInt8]
    var json: JSONValue { get throws { try JSONValue(parsing: String(decoding: body, as: UTF8.self)) } }
    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
}

/// A server that answers with the statuses it is given, then with 200.
final class Receiver: Sendable {
    let received = Happenings<Received>()
    private let answers: Mutex<[HTTPResponse]>

    init(_ answers: [HTTPResponse] = []) { self.answers = Mutex(answers) }

    var router: Router<BasicRequestContext> {
        let router = Router()
        router.post("**") { request, _ in
            let body = try await request.body.collect(upTo: 1 << 20)
            self.received.add(
                Received(path: request.uri.path, headers: request.headers, body: Array(body.readableBytesView)))
            let answer = self.answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            return Response(status: answer?.status ?? .ok, headers: answer?.headerFields ?? [:])
        }
        return router
    }
}

/// A state directory, and what notifiers that keep theirs there say.
final class NotifierRig: Sendable {
    let directory: TemporaryDirectory
    let state: StateDirectory
    let warnings = Happenings<String>()
    let outcomes = Happenings<Notifier.Outcome>()

    init() throws {
        directory = try TemporaryDirectory.required()
        state = StateDirectory(path: directory.path, repository: "/repository")
        try state.prepare()
    }

    func settings(
        _ kind: NotificationSettings.Kind, _ url: String, more: String = ""
    ) throws -> NotificationSettings {
        let file = try directory.write("s3cret\n", to: "secret")
        let key = kind == .json ? "secretFile" : "tokenFile"
        let secret = kind == .slack ? "" : ", \(key): \(file)"
        let text =
            "repositories: [{repo: 'https://h/acme/images.git'}]\n"
            + "notifications: [{kind: \(kind.rawValue), url: '\(url)'\(secret)\(more)}]\n"
        let (settings, diagnostics) = DaemonSettings.read(text, file: "f")
        return try #require(settings?.notifications.first, "\(diagnostics)")
    }

    func notifier(_ settings: NotificationSettings..., attempts: Int = 4) throws -> Notifier {
        try Notifier(
            settings, repository: "https://h/acme/images.git", directory: state, host: "host",
            pace: Notifier.Pace(
                retry: RetryPolicy(first: .milliseconds(10), limit: .milliseconds(20)), attempts: attempts,
                timeout: .seconds(30)),
            path: { $0 }, now: { Timestamp(seconds: 0) }, warn: { self.warnings.add($0) },
            observe: { self.outcomes.add($1) })
    }
}
