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

/// Notifications, as a server receives them.
@Suite(.temporaryDirectory, .timeLimit(.minutes(10)))
struct NotifierTests {
    private static func record(
        _ image: String, _ status: ImageStatus, id: Int, commit: Character = "a", host: String = "host"
    ) throws -> BuildRecord {
        var record = BuildRecord(
            id: "\(id)", image: try ImageName(image), commit: try ObjectID(hex: String(repeating: commit, count: 40)),
            trigger: "daemon", status: status, reasons: [], layers: [], start: Timestamp(seconds: id), seconds: 1,
            engine: "e", host: host)
        if status == .error {
            record.error = FailureRecord(
                failureClass: .transient, layer: .pip, message: "password=xyzzy in <pip>", tail: "a\ntoken: xyzzy\n")
        }
        return record
    }

    /// Runs a notifier while the body does.
    private func running(_ notifier: Notifier, body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await notifier.run() }
            try await body()
            group.cancelAll()
        }
    }

    @Test
    func changesComeSignedAndOnce() async throws {
        let receiver = Receiver()
        let rig = try NotifierRig()
        try await withApplication(receiver.router) { address in
            let notifier = try rig.notifier(try rig.settings(.json, address + "/hook"))
            try await running(notifier) {
                for (index, status) in [ImageStatus.built, .error, .error, .error, .built, .built].enumerated() {
                    notifier.note(.imageFinished(try Self.record("ds", status, id: index)))
                }
                let failed = try await receiver.received.next()
                let json = try failed.json
                #expect(failed.path == "/hook" && json["event"].string == "failed" && json["image"].string == "ds")
                #expect(json["failure"]["class"].string == "transient" && json["failure"]["layer"].string == "pip")
                #expect(json["failure"]["message"].string == "password=*** in <pip>")
                #expect(json["failure"]["tail"].string == "a\ntoken: ***")
                #expect(json["commit"].string == String(repeating: "a", count: 40) && json["version"].int == 1)
                #expect(failed.header("X-Varve-Event") == "failed" && failed.header("X-Varve-Delivery") == "1")
                let signature = failed.header("X-Varve-Signature") ?? ""
                #expect(Secret("s3cret").signs(failed.body, as: signature.dropFirst("sha256=".count)))
                let event = try await receiver.received.next().json["event"].string
                #expect(event == "recovered")
            }
            #expect(receiver.received.all.count == 2)
        }
    }

    @Test
    func statusesAreSetAtTheForges() async throws {
        let receiver = Receiver()
        let rig = try NotifierRig()
        try await withApplication(receiver.router) { address in
            let notifier = try rig.notifier(
                try rig.settings(.github, address + "/api/v3"),
                try rig.settings(.gitea, address, more: ", project: o/r, events: [recovered]"))
            try await running(notifier) {
                let steps: [(ImageStatus, Character)] = [(.error, "a"), (.error, "b"), (.built, "c")]
                for (index, step) in steps.enumerated() {
                    notifier.note(.imageFinished(try Self.record("ds", step.0, id: index, commit: step.1)))
                }
                var all: [Received] = []
                for _ in 0..<4 { all.append(try await receiver.received.next()) }
                let github = all.filter { $0.path.hasPrefix("/api/v3/repos/acme/images/statuses/") }
                #expect(github.map { $0.path.suffix(2) } == ["aa", "bb", "cc"])
                let statuses = try github.map { try $0.json }
                #expect(statuses.map { $0["state"].string } == ["error", "error", "success"])
                #expect(statuses.allSatisfy { $0["context"].string == "varve/ds" })
                #expect(github.allSatisfy { $0.header("Authorization") == "Bearer s3cret" })
                #expect(github.allSatisfy { $0.header("Accept") == "application/vnd.github+json" })
                let gitea = all.filter { $0.path.hasPrefix("/api/v1/repos/o/r/statuses/") }
                #expect(gitea.map { $0.path.suffix(2) } == ["cc"])
                #expect(gitea.first?.header("Authorization") == "token s3cret")
                let recovered = try gitea.first?.json
                #expect(recovered?["state"].string == "success")
            }
        }
    }

    @Test
    func slackGetsAMessageAndOtherImagesAreLeftOut() async throws {
        let receiver = Receiver()
        let rig = try NotifierRig()
        try await withApplication(receiver.router) { address in
            let notifier = try rig.notifier(
                try rig.settings(.slack, address + "/services/T0/B0/x", more: ", images: ['ds-*']"))
            try await running(notifier) {
                notifier.note(.imageFinished(try Self.record("other", .error, id: 1)))
                notifier.note(.imageFinished(try Self.record("ds-a", .error, id: 2)))
                let text = try await receiver.received.next().json["text"].string ?? ""
                #expect(text.hasPrefix("*ds-a* failed in layer pip: password=*** in &lt;pip&gt;\n"))
            }
        }
    }

    @Test
    func passingFaultIsTriedAgainAndARefusalIsNot() async throws {
        var later = HTTPResponse(status: .tooManyRequests)
        later.headerFields[.retryAfter] = "0"
        let receiver = Receiver([later, HTTPResponse(status: .badGateway), HTTPResponse(status: .ok)])
        let rig = try NotifierRig()
        try await withApplication(receiver.router) { address in
            let notifier = try rig.notifier(try rig.settings(.json, address + "/secret/path"))
            try await running(notifier) {
                notifier.note(.imageFinished(try Self.record("ds", .error, id: 1)))
                for _ in 0..<3 {
                    let delivery = try await receiver.received.next().header("X-Varve-Delivery")
                    #expect(delivery == "1")
                }
                for expected in [Notifier.Outcome.retried, .retried, .sent] {
                    let outcome = try await rig.outcomes.next()
                    #expect(outcome == expected)
                }
            }
        }
        let refusing = Receiver([HTTPResponse(status: .notFound)])
        try await withApplication(refusing.router) { address in
            let notifier = try rig.notifier(try rig.settings(.json, address + "/secret/path"))
            try await running(notifier) {
                notifier.note(.imageFinished(try Self.record("ds", .built, id: 2)))
                let warning = try await rig.warnings.next()
                #expect(warning.hasPrefix("ds: 'recovered' was not told to json at 127.0.0.1"), "\(warning)")
                #expect(warning.hasSuffix(": status 404") && !warning.contains("secret"), "\(warning)")
                // The next one is not held up.
                notifier.note(.imageFinished(try Self.record("ds", .error, id: 3)))
                _ = try await refusing.received.next()
                let event2 = try await refusing.received.next().json["event"].string
                #expect(event2 == "failed")
            }
        }
    }

    @Test
    func receiverThatIsAwayHoldsUpNobodyAndIsGivenUp() async throws {
        let receiver = Receiver()
        let rig = try NotifierRig()
        let away = "http://127.0.0.1:\(try Loopback.freePort())/"
        try await withApplication(receiver.router) { address in
            let notifier = try rig.notifier(
                try rig.settings(.json, away), try rig.settings(.slack, address + "/hook"), attempts: 3)
            try await running(notifier) {
                notifier.note(.imageFinished(try Self.record("ds", .error, id: 1)))
                _ = try await receiver.received.next()
                let warning = try await rig.warnings.next()
                #expect(warning.contains("after 3 attempts"), "\(warning)")
            }
        }
    }

    @Test
    func restartRepeatsNothingAndTellsWhatWasMissed() async throws {
        let receiver = Receiver()
        let rig = try NotifierRig()
        try await withApplication(receiver.router) { address in
            let settings = try rig.settings(.json, address + "/hook")
            var records = [try Self.record("a", .error, id: 1), try Self.record("b", .built, id: 2)]
            // At the very first start the past is no news.
            let first = try rig.notifier(settings)
            first.learn(records, isStart: true)
            try await running(first) {
                first.note(.imageFinished(try Self.record("b", .error, id: 3)))
                let image3 = try await receiver.received.next().json["image"].string
                #expect(image3 == "b")
                let outcome = try await rig.outcomes.next()
                #expect(outcome == .sent)
            }
            // What this host recorded and did not tell before it died is told; what another host did is not.
            records += [
                try Self.record("b", .error, id: 3), try Self.record("c", .error, id: 4),
                try Self.record("d", .error, id: 5, host: "elsewhere"), try Self.record("a", .built, id: 6),
            ]
            let second = try rig.notifier(settings)
            second.learn(records, isStart: true)
            second.learn(records)
            try await running(second) {
                let told = [try await receiver.received.next().json, try await receiver.received.next().json]
                #expect(told.map { $0["image"].string } == ["c", "a"])
                #expect(told.map { $0["event"].string } == ["failed", "recovered"])
                // It knows all the same that d is broken.
                second.note(.imageFinished(try Self.record("d", .built, id: 7)))
                let next = try await receiver.received.next().json
                #expect(next["image"].string == "d" && next["event"].string == "recovered")
            }
        }
    }

    @Test
    func whoeverTakesOverRepeatsNothingAndTellsTheRecovery() async throws {
        let receiver = Receiver()
        let rig = try NotifierRig()
        try await withApplication(receiver.router) { address in
            let settings = try rig.settings(.json, address + "/hook")
            let start = try ["a", "b", "c"].map { try Self.record($0, .built, id: 1) }
            let before = try rig.notifier(settings)
            before.learn(start, isStart: true)
            try await running(before) {}
            let notifier = try rig.notifier(settings)
            notifier.learn(start, isStart: true)
            try await running(notifier) {
                // What another daemon did meanwhile, on this very host; then this one acts.
                notifier.learn([
                    try Self.record("a", .error, id: 2), try Self.record("b", .error, id: 3),
                    try Self.record("c", .invalid, id: 4),
                ])
                notifier.note(.imageFinished(try Self.record("a", .error, id: 5)))
                notifier.note(.imageFinished(try Self.record("c", .invalid, id: 6)))
                notifier.note(.imageFinished(try Self.record("b", .built, id: 7)))
                let told = try await receiver.received.next().json
                #expect(told["image"].string == "b" && told["event"].string == "recovered")
            }
            #expect(receiver.received.all.count == 1)
        }
    }

    @Test
    func whatCouldNotBeDeliveredSurvivesARestart() async throws {
        let rig = try NotifierRig()
        let port = try Loopback.freePort()
        let address = "http://127.0.0.1:\(port)"
        let first = try rig.notifier(try rig.settings(.json, address + "/hook"), attempts: 1_000)
        try await running(first) {
            first.note(.imageFinished(try Self.record("ds", .error, id: 1)))
            let outcome = try await rig.outcomes.next()
            #expect(outcome == .retried)
        }
        let receiver = Receiver()
        try await withApplication(receiver.router, port: port) { _ in
            let second = try rig.notifier(try rig.settings(.json, address + "/hook"))
            try await running(second) {
                let id4 = try await receiver.received.next().json["id"].string
                #expect(id4 == "1")
            }
        }
    }

    @Test
    func brokenDefinitionIsToldOnceWithOrWithoutARecord() async throws {
        let receiver = Receiver()
        let rig = try NotifierRig()
        let definition = InvalidDefinition(
            name: "ds", folder: try RepositoryPath("images/ds"),
            tree: try ObjectID(hex: String(repeating: "b", count: 40)),
            diagnostics: [
                Diagnostic(
                    code: "VRV010", file: try RepositoryPath("images/ds/image.yaml"), line: 2, column: 1,
                    message: "unknown key 'bass'")
            ])
        try await withApplication(receiver.router) { address in
            let notifier = try rig.notifier(try rig.settings(.json, address + "/hook"))
            try await running(notifier) {
                for pass in 0..<3 {
                    notifier.note(.invalid(definition))
                    if pass == 1 { notifier.note(.imageFinished(try Self.record("ds", .invalid, id: 1))) }
                    notifier.note(.finished(PassResult(commit: try ObjectID(hex: String(repeating: "c", count: 40)))))
                }
                let told = try await receiver.received.next().json
                #expect(told["event"].string == "invalid" && told["commit"].string?.hasPrefix("cc") == true)
                #expect(told["failure"]["message"].string?.contains("unknown key 'bass'") == true)
                notifier.note(.imageFinished(try Self.record("ds", .adopted, id: 2)))
                let event5 = try await receiver.received.next().json["event"].string
                #expect(event5 == "recovered")
            }
            #expect(receiver.received.all.count == 2)
        }
    }

    @Test
    func queueIsBounded() async throws {
        let rig = try NotifierRig()
        let notifier = try rig.notifier(try rig.settings(.json, "http://127.0.0.1:1/"))
        for index in 0..<(Outbox.limit + 10) {
            notifier.note(.imageFinished(try Self.record("image-\(index)", .error, id: index)))
        }
        #expect(rig.warnings.all.count == 10 && rig.outcomes.all == Array(repeating: .dropped, count: 10))
        #expect(rig.warnings.all.first?.hasPrefix("image-0:") == true)
    }
}
