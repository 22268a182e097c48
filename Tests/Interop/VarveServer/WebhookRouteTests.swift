// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

@testable import VarveDefinition
@testable import VarveServer

/// Webhooks over HTTP: who is let in, and which loops ring.
@Suite(.temporaryDirectory, .timeLimit(.minutes(10)))
struct WebhookRouteTests {
    /// Which loops were rung, and whether they look outside.
    private typealias Rings = Happenings<String>

    private static let secret = "s3cret"

    private func hook(
        _ kind: WebhookSettings.Kind, repository: String? = nil, named name: String? = nil
    ) -> Webhook {
        Webhook(
            WebhookSettings(name: name ?? kind.rawValue, kind: kind, secretFile: "unused", repository: repository),
            secret: Secret(Self.secret))
    }

    private func withHooks(
        _ hooks: [Webhook],
        body: (String, Rings, Happenings<WebhookRoutes.Outcome>) async throws -> Void
    ) async throws {
        let rings = Rings()
        let outcomes = Happenings<WebhookRoutes.Outcome>()
        let addresses = [
            ("main", "https://github.com/acme/images.git", "main"), ("work", "git@github.com:acme/images.git", "work"),
            ("other", "/srv/git/other.git", nil), ("gitlab", "https://gitlab.example.com/acme/images", nil),
        ]
        let targets = addresses.map { name, address, branch in
            WebhookTarget(address: address, branch: branch, pause: .zero) {
                rings.add(name + ($0 ? " outside" : ""))
            }
        }
        try await withServer(webhooks: WebhookRoutes(hooks, targets: targets) { outcomes.add($1) }) {
            try await body($0 + "/webhooks/", rings, outcomes)
        }
    }

    private static func fixture(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(filePath: Fixtures.path("webhooks/" + name + ".json"))))
    }

    /// The headers of a forge, signed by Python.
    private static func headers(_ kind: WebhookSettings.Kind, _ body: [UInt8], event: String) async throws -> [String:
        String]
    {
        let script = """
            import hmac, sys
            print(hmac.new(sys.argv[1].encode(), sys.stdin.buffer.read(), 'sha256').hexdigest())
            """
        let signature = try await Command.run(
            "python3", ["-c", script, secret], input: String(decoding: body, as: UTF8.self)
        ).trimmed
        switch kind {
        case .github: return ["X-GitHub-Event": event, "X-Hub-Signature-256": "sha256=" + signature]
        case .gitlab: return ["X-Gitlab-Event": event, "X-Gitlab-Token": secret]
        case .gitea: return ["X-Gitea-Event": event, "X-GitHub-Event": event, "X-Gitea-Signature": signature]
        case .forgejo: return ["X-Forgejo-Event": event, "X-Forgejo-Signature": signature]
        case .generic: return ["X-Varve-Signature": "sha256=" + signature]
        case .registry: return ["Authorization": "Bearer " + secret]
        }
    }

    @Test(
        arguments: [
            (WebhookSettings.Kind.github, "github-push", "push", ["main"]),
            (.gitlab, "gitlab-push", "Push Hook", ["gitlab"]),
            (.gitlab, "gitlab-system-push", "System Hook", ["gitlab"]),
            // No repository of the configuration has this address: all that may follow the branch.
            (.gitea, "gitea-push", "push", ["gitlab", "main", "other"]),
            (.forgejo, "forgejo-push", "push", ["gitlab", "main", "other"]),
            (.generic, "github-push", "", ["main"]),
            (.registry, "registry-push", "", ["gitlab outside", "main outside", "other outside", "work outside"]),
        ] as [(WebhookSettings.Kind, String, String, [String])])
    func eventRingsTheLoopsThatItMayConcern(
        _ kind: WebhookSettings.Kind, _ fixture: String, _ event: String, _ expected: [String]
    ) async throws {
        let body = try Self.fixture(fixture)
        let headers = try await Self.headers(kind, body, event: event)
        try await withHooks([hook(kind)]) { address, rings, outcomes in
            let answer = try await post(address + kind.rawValue, body, headers: headers)
            #expect(answer.status == 202 && answer.text == "accepted\n")
            #expect(rings.all.sorted() == expected && outcomes.all == [.accepted])
        }
    }

    @Test(
        arguments: [
            (WebhookSettings.Kind.github, "github-ping", "ping", 200), (.github, "github-push", "issues", 202),
            (.gitlab, "gitlab-tag", "Tag Push Hook", 202), (.gitea, "gitea-push", "create", 202),
            (.registry, "registry-other", "", 202),
        ] as [(WebhookSettings.Kind, String, String, Int)])
    func otherEventsAreTakenAndRingNothing(
        _ kind: WebhookSettings.Kind, _ fixture: String, _ event: String, _ status: Int
    ) async throws {
        let body = try Self.fixture(fixture)
        let headers = try await Self.headers(kind, body, event: event)
        try await withHooks([hook(kind)]) { address, rings, _ in
            let answer = try await post(address + kind.rawValue, body, headers: headers).status
            #expect(answer == status)
            #expect(rings.all.isEmpty)
        }
    }

    @Test(arguments: WebhookSettings.Kind.allCases)
    func whoeverDoesNotKnowTheSecretIsRefused(_ kind: WebhookSettings.Kind) async throws {
        let body = try Self.fixture("github-push")
        let good = try await Self.headers(kind, body, event: "push")
        let forged = try await Self.headers(kind, body + [0x20], event: "push")
        try await withHooks([hook(kind)]) { address, rings, outcomes in
            var attempts: [[String: String]] = [["X-GitHub-Event": "push"], ["Authorization": "Basic s3cret"]]
            for (name, value) in good
            where name.contains("Signature") || name.contains("Token") || name == "Authorization" {
                attempts += ["", "x", "sha256=", value + "0", String(value.dropLast()), "sha1=" + value].map {
                    good.merging([name: $0]) { $1 }
                }
                if kind != .gitlab, kind != .registry { attempts.append(forged) }
            }
            for headers in attempts {
                let answer = try await post(address + kind.rawValue, body, headers: headers)
                #expect(answer.status == 401 && !answer.text.contains(Self.secret), "\(headers)")
            }
            #expect(rings.all.isEmpty && Set(outcomes.all) == [.refused])
            let answer2 = try await post(address + kind.rawValue, body, headers: good).status
            #expect(answer2 == 202)
        }
    }

    @Test
    func senderOfOnesOwnNeedsNoPayload() async throws {
        try await withHooks([hook(.generic), hook(.generic, repository: "/srv/git/other.git", named: "one")]) {
            address, rings, _ in
            let headers = ["Authorization": "bearer " + Self.secret]
            let answer3 = try await post(address + "one", [], headers: headers).status
            #expect(answer3 == 202)
            #expect(rings.all == ["other"])
            let answer4 = try await post(address + "generic", [], headers: headers).status
            #expect(answer4 == 202)
            #expect(rings.all.count == 5)
            let answer5 = try await post(address + "nobody", [], headers: headers).status
            #expect(answer5 == 404)
        }
    }

    @Test
    func oversizedBodyIsRefused() async throws {
        try await withHooks([hook(.generic)]) { address, rings, outcomes in
            let headers = ["Authorization": "Bearer " + Self.secret]
            let limit = Array(repeating: UInt8(0x20), count: 1 << 20)
            let answer6 = try await post(address + "generic", limit, headers: headers).status
            #expect(answer6 == 202)
            // The server may close the connection before all of it is sent.
            let status = try? await post(address + "generic", limit + [0x20], headers: headers).status
            #expect(status == nil || status == 413)
            #expect(outcomes.all == [.accepted] && rings.all.count == 4)
        }
    }

    @Test
    func registryOfTheDistributionRingsOnAPush() async throws {
        let directory = try TemporaryDirectory.required()
        let layout = try await TinyImage.layout(in: directory, named: "tiny", files: ["a": "b"])
        try await withHooks([hook(.registry)]) { address, rings, outcomes in
            let registry = try await RegistryProcess(
                in: directory, notifying: address + "registry", authorization: "Bearer " + Self.secret)
            try await registry.push("oci:\(layout):latest", to: "base:1")
            var seen: WebhookRoutes.Outcome
            repeat { seen = try await outcomes.next() } while seen == .ignored
            #expect(seen == .accepted && rings.all.contains("main outside"), "\(outcomes.all)")
        }
    }
}
