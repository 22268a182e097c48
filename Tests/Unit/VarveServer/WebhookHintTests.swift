// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

@testable import VarveServer

/// What is read from the events of forges and registries.
@Suite
struct WebhookHintTests {
    private static func fixture(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(filePath: Fixtures.path("webhooks/" + name + ".json"))))
    }

    @Test(arguments: [
        ("github-push", "github.com/acme/images"), ("gitea-push", "gitea.example.com/acme/images"),
        ("forgejo-push", "forgejo.example.com/acme/images"),
    ])
    func pushOfAForgeNamesBranchAndRepository(_ name: String, _ address: String) throws {
        guard case .push(let branch, let addresses) = WebhookHint(event: "push", body: try Self.fixture(name)) else {
            Issue.record("not a push")
            return
        }
        #expect(branch == "main" && addresses.contains(address), "\(addresses)")
    }

    @Test(arguments: ["gitlab-push", "gitlab-system-push"])
    func pushOfGitLabNamesBranchAndRepository(_ name: String) throws {
        let event = name == "gitlab-push" ? "Push Hook" : "System Hook"
        let hint = WebhookHint(gitlab: event, body: try Self.fixture(name))
        #expect(hint == .push(branch: "main", addresses: ["gitlab.example.com/acme/images"]))
    }

    @Test
    func otherEventsAreNoPush() throws {
        let push = try Self.fixture("github-push")
        #expect(WebhookHint(event: "ping", body: try Self.fixture("github-ping")) == .ping)
        #expect(WebhookHint(event: "issues", body: push) == .other && WebhookHint(event: nil, body: push) == .other)
        let tag = try Self.fixture("gitlab-tag")
        #expect(WebhookHint(gitlab: "Tag Push Hook", body: tag) == .other)
        #expect(WebhookHint(gitlab: "System Hook", body: tag) == .other)
        #expect(WebhookHint(gitlab: "Push Hook", body: tag) == .other)
        #expect(WebhookHint(event: "push", body: Array(#"{"ref":"refs/notes/varve/log"}"#.utf8)) == .other)
    }

    @Test(arguments: ["", "payload=%7B%7D", "[]", "[[[", #"{"ref":5,"repository":[]}"#, "null"])
    func unreadablePushMayConcernEverything(_ text: String) {
        #expect(WebhookHint(event: "push", body: Array(text.utf8)) == .push(branch: nil, addresses: []))
    }

    @Test
    func oneMemberOfAnotherTypeHidesNoOther() {
        let body = Array(#"{"ref":"refs/heads/a/b","repository":{"clone_url":5,"ssh_url":"git@h:p"},"project":1}"#.utf8)
        #expect(WebhookHint(event: "push", body: body) == .push(branch: "a/b", addresses: ["h/p"]))
        let short = Array(#"{"branch":"main","repository":"https://h/p.git"}"#.utf8)
        #expect(WebhookHint(event: "push", body: short) == .push(branch: "main", addresses: ["h/p"]))
    }

    @Test
    func deepNestingIsNoTrap() {
        let text = String(repeating: "[", count: 500_000)
        #expect(WebhookHint(event: "push", body: Array(text.utf8)) == .push(branch: nil, addresses: []))
        let object = String(repeating: #"{"repository":"#, count: 50_000)
        #expect(WebhookHint(event: "push", body: Array(object.utf8)) == .push(branch: nil, addresses: []))
    }

    @Test
    func registryTellsOfPushedManifestsAlone() throws {
        #expect(WebhookHint(registry: try Self.fixture("registry-push")) == .images(["library/debian"]))
        #expect(WebhookHint(registry: try Self.fixture("registry-other")) == .other)
        #expect(WebhookHint(registry: Array("what".utf8)) == .images([]))
        let vague = #"{"events":[{"action":"push","target":{"tag":"a","repository":"b"}},{"action":"push"}]}"#
        #expect(WebhookHint(registry: Array(vague.utf8)) == .images([]))
    }

    @Test(arguments: [
        ("https://user:secret@Example.com/a/b.git", "example.com/a/b"), ("git@example.com:a/b.git", "example.com/a/b"),
        ("ssh://git@example.com:2222/a/b", "example.com/a/b"), ("https://example.com/a/b/", "example.com/a/b"),
        ("http://127.0.0.1:8080/a.git", "127.0.0.1/a"), ("/srv/git/a.git", "/srv/git/a"), ("", ""), (":", ""),
    ])
    func addressesOfOneRepositoryAreEqual(_ address: String, _ expected: String) {
        #expect(WebhookHint.comparable(address) == expected)
    }
}
