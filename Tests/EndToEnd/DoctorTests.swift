// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// `varve doctor`: it finds what is wrong, says how to mend it, and leaves nothing behind.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct DoctorTests {
    private struct Report: CustomStringConvertible {
        var result: CommandResult
        var checks: [JSONValue]
        var description: String { result.description }

        init(_ result: CommandResult) throws {
            self.result = result
            checks = try JSONValue(parsing: result.stdout)["checks"].array
        }

        func named(_ prefix: String) -> JSONValue {
            checks.first { $0["name"].string?.hasPrefix(prefix) == true } ?? .null
        }
        var failed: [String] {
            checks.filter { $0["outcome"].string == "failed" }.compactMap { $0["name"].string }
        }
    }

    private static func doctor(_ fleet: Fleet, _ options: String...) async throws -> Report {
        try Report(await fleet.varve.run("doctor", "--format", "json", options: options))
    }

    /// A fleet whose repository is behind http, and the bare repository that is served.
    private static func served() async throws -> (fleet: Fleet, bare: GitCommandLine) {
        var fleet = try await Fleet()
        let remote = fleet.directory.path("remotes/fleet.git")
        let bare = try await GitCommandLine.initialize(remote, bare: true)
        try await fleet.git.commit(["README": "fleet\n"])
        try await fleet.git("push", "--quiet", remote, "HEAD:main")
        let server = try await GitHTTPServer(serving: fleet.directory.path("remotes"), in: fleet.directory)
        fleet.varve.repository = server.address(of: "fleet.git")
        return (fleet, bare)
    }

    @Test
    func everythingIsThereAndNothingIsLeftBehind() async throws {
        let (fleet, bare) = try await Self.served()
        let refs = try await bare("for-each-ref")
        let report = try await Self.doctor(fleet)
        #expect(report.result.status == 0 && report.failed.isEmpty, "\(report)")
        for name in [
            "tool buildah", "tool skopeo", "tool runc", "tool unshare", "engine", "namespaces", "disk room", "clock",
            "certificates", "state directory", "lock", "remote http", "push refs/varve/*", "push refs/notes/varve/*",
            "registry \(fleet.prefix)", "push \(fleet.prefix)",
        ] {
            #expect(report.named(name)["outcome"].string != nil, "\(name): \(report)")
        }
        #expect(report.named("push refs/varve/*")["outcome"].string == "ok", "\(report)")
        #expect(try await bare("for-each-ref") == refs)
        #expect(try await fleet.registry.tags(of: "fleet/varve--cache").isEmpty)
        let left = try FileManager.default.contentsOfDirectory(atPath: fleet.varve.state)
        #expect(!left.contains { $0.hasPrefix("doctor") }, "\(left)")
        let text = try await fleet.varve.run("doctor")
        #expect(text.status == 0 && text.stdout.contains("ok\ttool buildah\tbuildah"), "\(text)")
    }

    @Test
    func registryThatIsDownIsNamed() async throws {
        let (fleet, _) = try await Self.served()
        await fleet.registry.stop()
        let report = try await Self.doctor(fleet)
        #expect(report.result.status == 1)
        #expect(report.failed == ["registry \(fleet.prefix)"], "\(report)")
        #expect(report.named("registry")["remedy"].string?.contains("registry runs") == true, "\(report)")
    }

    @Test
    func remoteThatRefusesANamespaceIsToldWhatToAllow() async throws {
        let (fleet, bare) = try await Self.served()
        try TemporaryDirectory.write(
            "#!/bin/sh\nwhile read -r old new ref; do case $ref in refs/varve/*) echo locked >&2; exit 1;; esac; done\n",
            to: bare.folder + "/hooks/pre-receive", executable: true)
        let report = try await Self.doctor(fleet)
        #expect(report.result.status == 1)
        #expect(report.failed == ["push refs/varve/*"], "\(report)")
        #expect(report.named("push refs/varve/*")["detail"].string?.contains("hook declined") == true, "\(report)")
        #expect(report.named("push refs/varve/*")["remedy"].string?.contains("allow refs/varve/*") == true)
        #expect(report.named("push refs/notes/varve/*")["outcome"].string == "ok", "\(report)")
    }

    @Test
    func remoteThatKeepsWhatItHasIsAWarning() async throws {
        let (fleet, bare) = try await Self.served()
        // `receive.denyDeletes` would only be asked about branches.
        try TemporaryDirectory.write(
            "#!/bin/sh\ncase $3 in *[!0]*) ;; *) exit 1;; esac\n", to: bare.folder + "/hooks/update", executable: true)
        let report = try await Self.doctor(fleet)
        #expect(report.result.status == 0, "\(report)")
        let check = report.named("push refs/varve/*")
        #expect(check["outcome"].string == "warning", "\(report)")
        #expect(check["remedy"].string?.contains("git push --delete") == true, "\(report)")
    }

    @Test
    func missingToolIsNamedWithItsPackage() async throws {
        var (fleet, _) = try await Self.served()
        let tools = try fleet.directory.makeFolder("tools")
        try await Command.run(
            "sh",
            [
                "-c",
                "for f in /usr/sbin/* /usr/bin/* /sbin/* /bin/*; do ln -sf \"$f\" \"$0/\"; done; rm \"$0/buildah\"",
                tools,
            ])
        fleet.varve.environment["PATH"] = tools
        let report = try await Self.doctor(fleet)
        #expect(report.result.status == 1)
        #expect(report.failed == ["tool buildah", "engine"], "\(report)")
        #expect(report.named("tool buildah")["remedy"].string?.contains("apt install buildah") == true, "\(report)")
    }

    @Test
    func configurationIsCheckedKeyByKey() async throws {
        let (fleet, _) = try await Self.served()
        let empty = try fleet.directory.write("", to: "empty")
        let open = try fleet.directory.write("token\n", to: "token")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: open)
        let file = try fleet.directory.write(
            """
            stateDir: \(fleet.varve.state)
            registry: \(fleet.prefix)
            plainHTTP: ['\(fleet.registry.host)']
            disk: {reserve: 900TiB}
            repositories:
            - repo: \(fleet.varve.repository)
              credentials: {tokenFile: \(open), netrc: /nowhere}
            - repo: \(fleet.git.folder)
              credentials: {sshKey: \(empty)}
            """, to: "daemon.yaml")
        let result = try await Command.result(
            VarveProcess.binary(), ["doctor", "--config", file, "--format", "json"],
            environment: fleet.varve.environment.merging(["VARVE_BUILDERS": "3"]) { $1 })
        let report = try Report(result)
        #expect(report.result.status == 1)
        #expect(
            Set(report.failed) == [
                "key repositories[0].credentials.netrc", "key repositories[1].credentials.sshKey", "disk room",
            ], "\(report)")
        #expect(
            report.named("key repositories[0].credentials.tokenFile")["remedy"].string?.contains("chmod 600") == true)
        #expect(report.named("configuration")["detail"].string?.contains("VARVE_BUILDERS") == true, "\(report)")
        #expect(report.named("key builders")["detail"].string?.hasPrefix("3 on") == true, "\(report)")
        let broken = try fleet.directory.write("repositories: [{repo: .}]\ndisk: {cache: big}\n", to: "broken.yaml")
        let refused = try await Command.result(
            VarveProcess.binary(), ["doctor", "--config", broken, "--format", "json"])
        #expect(refused.status == 1 && refused.stdout.contains("broken.yaml:2:15"), "\(refused)")
    }

    @Test
    func serverAndSecretsAreChecked() async throws {
        let fleet = try await Fleet()
        func write(_ text: String, _ name: String, mode: Int = 0o600) throws -> String {
            let path = try fleet.directory.write(text, to: name)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            return path
        }
        let (good, open, blank) = (
            try write("s3cret\n", "good"), try write("s3cret\n", "open", mode: 0o644), try write("\n", "blank")
        )
        let token = try await Command.run(
            VarveProcess.binary(), ["token", "--user", "ada", "--scope", "act", "--format", "json"])
        let entry = try JSONValue(parsing: token.stdout)["entry"]
        let entries = "tokens: [{user: ada, scopes: [act], sha256: \(entry["sha256"].string ?? "")}]"
        func report(_ certificate: String, _ key: String, tokens: String) async throws -> Report {
            let file = try fleet.directory.write(
                """
                stateDir: \(fleet.varve.state)
                registry: \(fleet.prefix)
                plainHTTP: ['\(fleet.registry.host)']
                repositories: [{repo: \(fleet.git.folder)}]
                server: {certificate: \(certificate), key: \(key), \(tokens)}
                webhooks:
                - {name: a, kind: github, secretFile: \(good)}
                - {name: b, kind: gitlab, secretFile: \(open)}
                - {name: c, kind: generic, secretFile: \(blank)}
                notifications:
                - {kind: json, url: 'http://127.0.0.1:1/', secretFile: /nowhere}
                """, to: "daemon.yaml")
            return try Report(
                await Command.result(
                    VarveProcess.binary(), ["doctor", "--config", file, "--format", "json"],
                    environment: fleet.varve.environment))
        }
        let valid = try await TestCertificate(in: fleet.directory, named: "valid")
        let ended = try await TestCertificate(in: fleet.directory, named: "ended", days: -1)
        let first = try await report(valid.certificate, valid.key, tokens: entries)
        #expect(first.result.status == 1)
        #expect(
            first.failed == ["key webhooks[c].secretFile", "key notifications[0].secretFile"], "\(first)")
        #expect(first.named("key webhooks[a]")["outcome"].string == "ok", "\(first)")
        #expect(first.named("key webhooks[b]")["remedy"].string?.contains("chmod 600") == true, "\(first)")
        #expect(first.named("key server.certificate")["detail"].string?.contains("valid until 20") == true, "\(first)")
        #expect(first.named("key server.key")["outcome"].string == "ok", "\(first)")
        #expect(first.named("key server.tokens")["detail"].string == "1 tokens: 0 may read, 1 may act", "\(first)")
        let second = try await report(ended.certificate, ended.key, tokens: "tokens: []")
        #expect(second.named("key server.certificate")["detail"].string?.contains("since 20") == true, "\(second)")
        #expect(second.named("key server.certificate")["remedy"].string?.contains("renew it") == true, "\(second)")
        #expect(second.named("key server.tokens")["outcome"].string == "warning", "\(second)")
        let third = try await report(valid.certificate, ended.key, tokens: entries)
        #expect(third.failed.contains("key server.certificate"), "\(third)")
        #expect(third.named("key server.certificate")["detail"].string?.contains("failed to use") == true, "\(third)")
        let fourth = try await report(valid.certificate, valid.key, tokens: "tokens: [{user: a, sha256: abc}]")
        #expect(fourth.failed == ["configuration"], "\(fourth)")
        #expect(!"\(first)\(second)\(third)\(fourth)".contains("s3cret"))
    }
}
