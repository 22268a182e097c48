// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveTestSupport

@testable import VarveDefinition
@testable import VarveServer

/// What is told of an image, and how it is put.
@Suite(.temporaryDirectory)
struct NotificationTests {
    static func record(
        _ status: ImageStatus, id: String, commit: Character = "a", start: Int = 0, message: String = "no such package",
        failureClass: BuildFailure.Class = .definition
    ) throws -> BuildRecord {
        var record = BuildRecord(
            id: id, image: try ImageName("ds"), commit: try ObjectID(hex: String(repeating: commit, count: 40)),
            trigger: "daemon", status: status, reasons: [], layers: [], start: Timestamp(seconds: start), seconds: 1,
            engine: "e", host: "host")
        if status == .error || status == .invalid {
            record.error = FailureRecord(
                failureClass: failureClass, layer: status == .error ? .pip : nil, message: message,
                tail: "first\npassword=xyzzy\nlast")
        }
        return record
    }

    private func changes(_ statuses: [(ImageStatus, Character)]) throws -> [String] {
        var known = KnownStates()
        return try statuses.enumerated().map { index, entry in
            let seen = Observation(try Self.record(entry.0, id: "\(index)", commit: entry.1, start: index))
            return seen.flatMap { known.take($0) }.map { $0.event.rawValue + ($0.isRepeated ? " again" : "") } ?? "-"
        }
    }

    @Test
    func changesAloneAreTold() throws {
        #expect(try changes([(.built, "a"), (.built, "b"), (.adopted, "c")]) == ["-", "-", "-"])
        #expect(
            try changes([(.error, "a"), (.error, "a"), (.error, "b"), (.built, "c"), (.built, "d")])
                == ["failed", "-", "failed again", "recovered", "-"])
        #expect(
            try changes([(.invalid, "a"), (.error, "b"), (.invalid, "c"), (.adopted, "d")])
                == ["invalid", "failed", "invalid", "recovered"])
        // What says nothing about the image changes nothing; what is gone begins anew.
        #expect(
            try changes([
                (.error, "a"), (.blocked, "a"), (.suspended, "b"), (.error, "a"), (.retired, "b"), (.built, "c"),
            ])
                == ["failed", "-", "-", "-", "-", "-"])
    }

    @Test
    func stoppedBuildIsNoFailure() throws {
        #expect(Observation(try Self.record(.error, id: "1", failureClass: .cancelled)) == nil)
    }

    @Test
    func recordThatIsKnownOrOlderChangesNothing() throws {
        var known = KnownStates()
        let failed = try #require(Observation(try Self.record(.error, id: "b", start: 5)))
        let (first, second) = (known.take(failed), known.take(failed))
        #expect(first?.event == .failed && second == nil)
        let older = try #require(Observation(try Self.record(.built, id: "c", start: 4)))
        let third = known.take(older)
        #expect(third == nil && known.images["ds"]?.state == .failed)
    }

    @Test
    func textOfABuildIsRedactedAndCapped() throws {
        let message = "token=xyzzy " + String(repeating: "x", count: 5_000) + "\u{202e}\n"
        let seen = try #require(Observation(try Self.record(.error, id: "1", message: message)))
        #expect(!seen.message.contains("xyzzy") && seen.message.count <= 501 && !seen.message.contains("\n"))
        #expect(seen.tail == "first\npassword=***\nlast")
    }

    // MARK: Requests

    private func channel(
        _ kind: NotificationSettings.Kind, url: String, project: String? = nil,
        repository: String = "https://user:secret@git.example.com/acme/images.git"
    ) throws -> NotificationChannel {
        let directory = try TemporaryDirectory.required()
        var settings = NotificationSettings(kind: kind)
        settings.url = url
        settings.project = project
        let file = try directory.write("s3cret\n", to: "secret")
        if kind == .json { settings.secretFile = file }
        if kind == .github || kind == .gitea { settings.tokenFile = file }
        return try #require(try NotificationChannel(settings, repository: repository) { $0 })
    }

    private func notification(_ event: NotificationSettings.Event, message: String = "no") -> Notification {
        Notification(
            id: "1", event: event, image: "ds", repository: "https://***@git.example.com/acme/images.git",
            commit: String(repeating: "a", count: 40),
            failureClass: event == .recovered ? nil : "definition", layer: event == .failed ? "pip" : nil,
            message: event == .recovered ? "" : message, tail: "", reference: nil, time: Timestamp(seconds: 0))
    }

    @Test
    func statusGoesToTheCommitOfTheProject() throws {
        let hash = String(repeating: "a", count: 40)
        let cases: [(NotificationSettings.Kind, String, String?, String)] = [
            (.github, "https://api.github.com/", nil, "https://api.github.com/repos/acme/images/statuses/"),
            (.github, "https://ghe.example.com/api/v3", "o/r", "https://ghe.example.com/api/v3/repos/o/r/statuses/"),
            (.gitea, "https://git.example.com", nil, "https://git.example.com/api/v1/repos/acme/images/statuses/"),
            (.gitea, "https://h/api/v1/", nil, "https://h/api/v1/repos/acme/images/statuses/"),
        ]
        for (kind, url, project, expected) in cases {
            let request = try channel(kind, url: url, project: project).request(notification(.failed))
            #expect(request.url == expected + hash)
            #expect(request.headers["Authorization"] == (kind == .github ? "Bearer s3cret" : "token s3cret"))
            let body = try JSONValue(parsing: String(decoding: request.body, as: UTF8.self))
            #expect(body["state"].string == "failure" && body["context"].string == "varve/ds")
        }
    }

    @Test
    func descriptionOfAStatusIsAsShortAsGitHubWants() throws {
        let request = try channel(.github, url: "https://api.github.com")
            .request(notification(.invalid, message: String(repeating: "é", count: 500)))
        let text = try JSONValue(parsing: String(decoding: request.body, as: UTF8.self))["description"].string
        #expect(text?.count == 140)
    }

    @Test
    func buildCanMentionNobodyInSlack() throws {
        let request = try channel(.slack, url: "https://hooks.example.com/T0/B0/xyzzy")
            .request(notification(.failed, message: "<!channel> & <https://evil|click>"))
        let text = try JSONValue(parsing: String(decoding: request.body, as: UTF8.self))["text"].string ?? ""
        #expect(
            text.contains("&lt;!channel&gt; &amp; ") && !text.contains("<") && text.contains("*ds* failed in layer pip")
        )
    }

    @Test
    func logNamesTheHostOfAChannelAlone() throws {
        let channel = try channel(.slack, url: "https://u:p@hooks.example.com/services/T0/B0/xyzzy")
        #expect(channel.name == "slack at hooks.example.com")
        #expect(!channel.key.contains("xyzzy"))
    }

    @Test(arguments: [
        ("https://github.com/acme/images.git", "acme/images"), ("git@github.com:acme/images.git", "acme/images"),
        ("ssh://git@h:22/acme/images/", "acme/images"), ("https://h/a/b/c", nil), ("/srv/git/a/b", nil),
        ("file:///a/b", nil), ("a/b", nil), ("https://h", nil),
    ])
    func projectIsFoundInTheAddress(_ address: String, _ expected: String?) {
        #expect(NotificationChannel.project(of: address) == expected)
    }

    @Test
    func statusWithoutAProjectIsRefusedAtTheStart() throws {
        let error = #expect(throws: NotificationError.self) {
            try channel(.gitea, url: "https://h", repository: "/srv/git/images.git")
        }
        #expect(error?.description.contains("'project'") == true)
    }
}
