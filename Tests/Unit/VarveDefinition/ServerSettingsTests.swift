// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveDefinition
import VarveModel

/// `server` of the daemon's configuration file.
@Suite
struct ServerSettingsTests {
    private static let hash = String(repeating: "0a", count: 32)

    private func read(_ text: String) -> (settings: ServerSettings?, diagnostics: [Diagnostic]) {
        let (settings, diagnostics) = DaemonSettings.read("repositories: [{repo: .}]\n" + text, file: "varve.yaml")
        return (settings?.server, diagnostics)
    }

    @Test
    func everyKeyIsRead() throws {
        let (settings, diagnostics) = read(
            """
            server:
              listen: '[::1]:8443'
              certificate: /etc/varve/tls.crt
              key: /etc/varve/tls.key
              openMetrics: true
              tokens:
              - user: ada
                name: Ada Lovelace
                email: ada@example.com
                groups: [data-science, platform]
                scopes: [read, act]
                sha256: \(Self.hash)
            """)
        #expect(diagnostics.isEmpty, "\(diagnostics)")
        let found = try #require(settings)
        #expect(found.host == "::1" && found.port == 8_443 && found.openMetrics)
        #expect(found.certificate == "/etc/varve/tls.crt" && found.key == "/etc/varve/tls.key")
        let token = try #require(found.tokens.first)
        #expect(token.user == "ada" && token.name == "Ada Lovelace" && token.email == "ada@example.com")
        #expect(token.groups == ["data-science", "platform"] && token.scopes == ["read", "act"])
        #expect(token.sha256 == Self.hash)
    }

    @Test
    func whatIsNotGivenHasItsDefault() throws {
        #expect(read("").settings == nil)
        let found = try #require(read("server: {tokens: [{user: ada, sha256: \(Self.hash)}]}\n").settings)
        #expect(found.host == "127.0.0.1" && found.port == 8_080 && found.certificate == nil && !found.openMetrics)
        #expect(found.tokens.first?.name == "ada" && found.tokens.first?.scopes == ["read"])
    }

    @Test(arguments: [
        ("server: 8080\n", "VRV011 2:9"),
        ("server: {listen: '8080'}\n", "VRV190 2:18"),
        ("server: {listen: 'localhost:99999'}\n", "VRV190 2:18"),
        ("server: {listen: '::1:8080'}\n", "VRV190 2:18"),
        ("server: {listen: ':8080'}\n", "VRV190 2:18"),
        ("server: {listens: 'localhost:1'}\n", "VRV010 2:10"),
        ("server: {certificate: a.pem}\n", "VRV190 2:23"),
        ("server: {tokens: [{user: ada}]}\n", "VRV012 2:19"),
        ("server: {tokens: [{user: ada, sha256: varve_secret}]}\n", "VRV190 2:39"),
        ("server: {tokens: [{user: ada, sha256: \(hash), scopes: [write]}]}\n", "VRV022 2:114"),
        ("server: {tokens: [{user: \"a\\nb\", sha256: \(hash)}]}\n", "VRV190 2:26"),
        ("server: {tokens: [{user: a, sha256: \(hash)}, {user: b, sha256: \(hash)}]}\n", "VRV190 2:122"),
    ])
    func mistakesHaveTheirPlace(_ text: String, _ expected: String) {
        let found = read(text).diagnostics
        #expect(found.map { "\($0.code) \($0.line):\($0.column)" } == [expected])
        // Somebody may have put the token itself where its hash belongs.
        #expect(!found.contains { $0.message.contains("varve_secret") })
    }

    @Test
    func everyKeyIsDocumented() throws {
        let article = try String(
            contentsOfFile: "Sources/VarveCommands/VarveCommands.docc/Daemon.md", encoding: .utf8)
        for key in DaemonKeys.server { #expect(article.contains("| `server.\(key.name)` |"), "\(key.name)") }
        for key in DaemonKeys.token { #expect(article.contains("`\(key.name)`"), "\(key.name)") }
    }
}
