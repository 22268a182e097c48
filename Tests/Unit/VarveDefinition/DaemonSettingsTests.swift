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
    func aRepositoryIsFollowedOnce() {
        let text =
            "repositories:\n- repo: https://git.example.com/a.git\n- {repo: https://git.example.com/a/, branch: dev}\n"
        #expect(diagnostics(text) == ["VRV190 3:10"])
        #expect(diagnostics("repositories:\n- repo: /srv/a\n- repo: /srv/b\n").isEmpty)
    }

    @Test
    func variablesSetTheLease() {
        func lease(_ file: String, _ environment: [String: String]) -> DaemonSettings.Lease? {
            DaemonSettings.read("repositories: [{repo: /a}]\n" + file, file: "f", environment: environment).settings?
                .lease
        }
        #expect(lease("", ["VARVE_LEASE_LENGTH": "20s", "VARVE_LEASE_HOLDER": "one"])?.length == .seconds(20))
        #expect(lease("lease: {length: 30s}\n", ["VARVE_LEASE_HOLDER": "one"])?.holder == "one")
        #expect(
            lease("lease: {length: 30s}\n", [:]) != nil
                && lease("lease: {length: 30s}\n", ["VARVE_LEASE": "off"]) == nil)
        #expect(
            DaemonSettings.read("repositories: [{repo: /a}]\n", file: "f", environment: ["VARVE_LEASE": "of"]).settings
                == nil)
    }

    @Test
    func diskCredentialsAndIdentityAreRead() throws {
        let (settings, diagnostics) = DaemonSettings.read(
            """
            repositories:
            - repo: https://git.example.com/images.git
              credentials: {tokenFile: /run/token, username: bot}
              identity: {name: Bot, email: bot@example.com}
            - repo: git@example.com:more.git
            credentials: {sshKey: /etc/varve/key, knownHosts: /etc/varve/hosts, netrc: /etc/varve/netrc}
            identity: {name: Varve, email: varve@example.com}
            disk: {reserve: 512MiB, cache: 1.5 TiB}
            """, file: "varve.yaml")
        #expect(diagnostics.isEmpty, "\(diagnostics)")
        let found = try #require(settings)
        #expect(found.disk.reserve == 512 << 20 && found.disk.cache == 3 << 39)
        let first = found.repositories[0].git.merging(found.git)
        #expect(first.tokenFile == "/run/token" && first.username == "bot" && first.sshKey == "/etc/varve/key")
        #expect(first.name == "Bot" && first.email == "bot@example.com" && first.netrc == "/etc/varve/netrc")
        let second = found.repositories[1].git.merging(found.git)
        #expect(second.knownHosts == "/etc/varve/hosts" && second.name == "Varve" && second.tokenFile == nil)
    }

    @Test
    func variablesBeatTheFile() throws {
        let text = "repositories: [{repo: .}]\nbuilders: 2\ndisk: {reserve: 1GiB}\n"
        func read(_ environment: [String: String]) -> (settings: DaemonSettings?, diagnostics: [Diagnostic]) {
            DaemonSettings.read(text, file: "f", environment: environment)
        }
        let settings = try #require(
            read([
                "VARVE_BUILDERS": "7", "VARVE_DISK_RESERVE": "3GiB", "VARVE_LAYER_TIMEOUT": "5m",
                "VARVE_CREDENTIALS_SSH_KEY": "/key", "VARVE_STATE_DIR": "/state", "VARVE_INTERVAL": "",
                "VARVE_IDENTITY_NAME": "a", "VARVE_IDENTITY_EMAIL": "b",
            ]).settings)
        #expect(settings.builders == 7 && settings.disk.reserve == 3 << 30 && settings.layerTimeout == .seconds(300))
        #expect(settings.git.sshKey == "/key" && settings.stateDirectory == "/state" && settings.git.name == "a")
        #expect(settings.interval == .seconds(60))
        #expect(read(["VARVE_BUILDERS": "many"]).diagnostics.map(\.code) == ["VRV190"])
        #expect(read(["VARVE_ISOLATION": "jail"]).diagnostics.map(\.code) == ["VRV022"])
        let names = EnvironmentOverrides.names().map(\.variable)
        #expect(Set(names).count == names.count && !names.contains("VARVE_REPOSITORIES"))
    }

    @Test(arguments: [
        "disk: {reserve: 5 parsecs}", "disk: {cache: -1GiB}", "disk: {cache: 8}", "credentials: {sshKey: id_ed25519}",
        "credentials: {tokenFile: ghp_secret}", "credentials: {username: bot}", "identity: {name: only}",
        "identity: {name: 'a <b>', email: c}",
    ])
    func settingsThatCannotWorkAreRefused(_ line: String) {
        let text = "repositories: [{repo: .}]\n\(line)\n"
        #expect(Set(diagnostics(text).map { $0.prefix(8) }) == ["VRV190 2"])
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
        for key in DiskSettings.keys + GitSettings.credentialKeys + GitSettings.identityKeys {
            #expect(article.contains("| `\(key.name)` |"), "\(key.name)")
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
