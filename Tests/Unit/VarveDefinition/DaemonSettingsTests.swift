// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveDefinition
import VarveModel

/// The daemon's configuration file.
@Suite
struct DaemonSettingsTests {
    private func diagnostics(_ text: String) -> [String] {
        DaemonSettings.read(text, file: "varve.yaml").diagnostics.map { "\($0.code) \($0.line):\($0.column)" }
    }

    @Test
    func everyKeyIsRead() throws {
        let (settings, diagnostics) = DaemonSettings.read(
            """
            repositories:
            - repo: https://git.example.com/images.git
              branch: production
              registry: registry.example.com/a
            - repo: /srv/images
            stateDir: /var/lib/varve
            registry: registry.example.com/fleet
            plainHTTP: ['127.0.0.1:5000']
            isolation: rootless
            builders: 4
            layerTimeout: 30m
            interval: 90s
            baseInterval: 2h
            lease: {length: 30s, holder: builder-1}
            """, file: "varve.yaml")
        #expect(diagnostics.isEmpty)
        let found = try #require(settings)
        #expect(found.repositories.map(\.address) == ["https://git.example.com/images.git", "/srv/images"])
        #expect(found.repositories.map(\.branch) == ["production", nil])
        #expect(found.repositories.map(\.registry) == ["registry.example.com/a", nil])
        #expect(found.stateDirectory == "/var/lib/varve" && found.registry == "registry.example.com/fleet")
        #expect(found.plainHTTPHosts == ["127.0.0.1:5000"] && found.isolation == "rootless" && found.builders == 4)
        #expect(found.layerTimeout == .seconds(1_800) && found.interval == .seconds(90))
        #expect(found.baseInterval == .seconds(7_200))
        #expect(found.lease?.length == .seconds(30) && found.lease?.holder == "builder-1")
    }

    @Test
    func whatIsNotGivenHasItsDefault() throws {
        let found = try #require(DaemonSettings.read("repositories: [{repo: .}]\n", file: "f").settings)
        #expect(found.builders == 2 && found.interval == .seconds(60) && found.baseInterval == .seconds(900))
        #expect(found.lease?.length == .seconds(60) && found.lease?.holder == nil)
        #expect(found.layerTimeout == .seconds(3_600) && found.registry == nil && found.stateDirectory == nil)
    }

    @Test(arguments: [("off", false), ("on", true), ("{}", true), ("{length: 5s}", true)])
    func leaseCanBeTurnedOff(word: String, isOn: Bool) throws {
        let text = "repositories: [{repo: .}]\nlease: \(word)\n"
        let found = try #require(DaemonSettings.read(text, file: "f").settings)
        #expect((found.lease != nil) == isOn)
    }

    @Test
    func everyKeyIsDocumented() throws {
        let article = try String(
            contentsOfFile: "Sources/VarveCommands/VarveCommands.docc/Daemon.md", encoding: .utf8)
        for key in DaemonKeys.all { #expect(article.contains("| `\(key.name)` |"), "\(key.name)") }
        for key in DaemonKeys.repository + DaemonKeys.lease {
            #expect(article.contains("`\(key.name)`"), "\(key.name)")
        }
        let start = try #require(article.range(of: "```yaml\n"))
        let end = try #require(article.range(of: "```", range: start.upperBound..<article.endIndex))
        let example = DaemonSettings.read(String(article[start.upperBound..<end.lowerBound]), file: "example.yaml")
        #expect(example.diagnostics.isEmpty && example.settings?.repositories.count == 2)
    }

    @Test(arguments: [
        ("", ["VRV011 1:1"]), ("- a\n", ["VRV011 1:1"]), ("interval: 1s\n", ["VRV012 1:1"]),
        ("repositories: []\n", ["VRV012 1:15"]), ("repositories: [{repo: ., password: x}]\n", ["VRV010 1:26"]),
        ("repositories: [{repo: .}]\ninterval: 5\n", ["VRV190 2:11"]),
        (
            "repositories: [{repo: .}]\ninterval: 0s\nbaseInterval: 99999999999999999999h\n",
            ["VRV190 2:11", "VRV190 3:15"]
        ),
        ("repositories: [{repo: .}]\nbuilders: many\nisolation: none\n", ["VRV022 3:12"]),
        ("repositories: [{repo: .}]\nbuilders: 65\n", ["VRV190 2:11"]),
        ("repositories: [{repo: .}]\nlease: maybe\n", ["VRV190 2:8"]),
        ("repositories: [{repo: .}]\nlease: {length: 2h, holder: ''}\n", ["VRV190 2:17", "VRV190 2:29"]),
        ("repositories: [{repo: .}]\nlease: {lenght: 5s}\n", ["VRV010 2:9"]),
    ])
    func mistakesHaveTheirPlace(_ text: String, _ expected: [String]) {
        #expect(diagnostics(text) == expected)
    }
}
