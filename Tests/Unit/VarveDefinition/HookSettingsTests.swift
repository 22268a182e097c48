// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveDefinition
import VarveModel

/// `webhooks` and `notifications` of the daemon's configuration file.
@Suite
struct HookSettingsTests {
    private static let head = "repositories: [{repo: https://git.example.com/acme/images.git}]\n"

    private func diagnostics(_ text: String) -> [Diagnostic] {
        DaemonSettings.read(Self.head + text, file: "varve.yaml").diagnostics
    }

    @Test
    func everyKeyIsRead() throws {
        let (settings, diagnostics) = DaemonSettings.read(
            Self.head + """
                webhooks:
                - name: forge
                  kind: forgejo
                  secretFile: /run/secrets/forge
                  repository: https://git.example.com/acme/images.git
                - {name: registry_1, kind: registry, secretFile: token}
                notifications:
                - {kind: github, tokenFile: token, project: acme/images, images: [ds-*, r], events: [failed]}
                - {kind: json, url: 'https://a.example.com/x', secretFile: s, repository: 'https://git.example.com/acme/images.git'}
                - {kind: slack, urlFile: /run/secrets/slack}
                """, file: "varve.yaml")
        #expect(diagnostics.isEmpty, "\(diagnostics)")
        let found = try #require(settings)
        #expect(found.webhooks.map(\.name) == ["forge", "registry_1"])
        #expect(found.webhooks.map(\.kind) == [.forgejo, .registry])
        #expect(found.webhooks.map(\.secretFile) == ["/run/secrets/forge", "token"])
        #expect(found.webhooks.map(\.repository) == ["https://git.example.com/acme/images.git", nil])
        let notifications = found.notifications
        #expect(notifications.map(\.kind) == [.github, .json, .slack])
        #expect(notifications.map(\.url) == ["https://api.github.com", "https://a.example.com/x", nil])
        #expect(notifications.map(\.tokenFile) == ["token", nil, nil])
        #expect(notifications.map(\.secretFile) == [nil, "s", nil])
        #expect(notifications.map(\.urlFile) == [nil, nil, "/run/secrets/slack"])
        #expect(notifications.map(\.project) == ["acme/images", nil, nil])
        #expect(notifications[0].events == [.failed] && notifications[1].events.count == 3)
        #expect(["ds-python", "r", "rstudio", "x-ds-y"].map(notifications[0].watches) == [true, true, false, false])
        #expect(notifications[1].watches("anything"))
    }

    @Test(arguments: [
        ("webhooks: [{name: a/b, kind: github, secretFile: s}]", "VRV190 2:19", "part of a path"),
        ("webhooks: [{name: a, kind: hg, secretFile: s}]", "VRV022 2:28", "github, gitlab"),
        ("webhooks: [{name: a, kind: github}]", "VRV012 2:12", "secretFile"),
        (
            "webhooks: [{name: a, kind: github, secretFile: s}, {name: a, kind: gitlab, secretFile: s}]", "VRV190 2:59",
            "twice"
        ),
        (
            "webhooks: [{name: a, kind: github, secretFile: s, repository: 'https://git.example.com/acme/image.git'}]",
            "VRV190 2:63", "none of the repositories"
        ),
        ("webhooks: [{name: a, kind: github, secret: x, secretFile: s}]", "VRV010 2:36", "unknown key"),
        ("notifications: [{kind: json}]", "VRV012 2:17", "'url'"),
        ("notifications: [{kind: slack, url: hooks.example.com/T0/x}]", "VRV190 2:36", "http://"),
        ("notifications: [{kind: slack, url: 'https://a/b', urlFile: f}]", "VRV190 2:60", "both"),
        ("notifications: [{kind: gitea, url: 'https://a'}]", "VRV012 2:17", "'tokenFile'"),
        ("notifications: [{kind: json, url: 'https://a', tokenFile: t}]", "VRV190 2:59", "means nothing"),
        ("notifications: [{kind: github, tokenFile: t, project: acme}]", "VRV190 2:55", "OWNER/NAME"),
        ("notifications: [{kind: github, tokenFile: t, project: acme/..}]", "VRV190 2:55", "OWNER/NAME"),
        ("notifications: [{kind: github, tokenFile: t, images: ['a/b']}]", "VRV190 2:55", "pattern"),
        ("notifications: [{kind: github, tokenFile: t, events: [fail]}]", "VRV022 2:55", "failed, recovered"),
    ])
    func mistakesHaveTheirPlace(_ text: String, _ place: String, _ words: String) throws {
        let found = diagnostics(text + "\n")
        #expect(found.map { "\($0.code) \($0.line):\($0.column)" } == [place], "\(found)")
        #expect(found.first?.message.contains(words) == true, "\(found)")
    }

    @Test
    func addressThatMayBeASecretIsNotRepeated() {
        let found = diagnostics("notifications: [{kind: slack, url: 'ftp://hooks.example.com/services/T0/B0/xyzzy'}]\n")
        #expect(found.count == 1 && !"\(found)".contains("xyzzy"))
    }

    @Test
    func everyKeyIsDocumented() throws {
        let article = try String(
            contentsOfFile: "Sources/VarveCommands/VarveCommands.docc/Daemon.md", encoding: .utf8)
        for key in WebhookSettings.keys + NotificationSettings.keys {
            #expect(article.contains("`\(key.name)`"), "\(key.name)")
        }
        for kind in WebhookSettings.Kind.allCases { #expect(article.contains("`\(kind.rawValue)`"), "\(kind)") }
        for kind in NotificationSettings.Kind.allCases { #expect(article.contains("`\(kind.rawValue)`"), "\(kind)") }
    }
}
