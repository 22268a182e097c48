// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// The configuration file's credentials and identity, against servers that ask for them.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct CredentialsTests {
    private static func remote(_ fleet: Fleet) async throws -> GitCommandLine {
        let remote = fleet.directory.path("remotes/fleet.git")
        let bare = try await GitCommandLine.initialize(remote, bare: true)
        try await fleet.git.commit(Fleet.image("a", base: fleet.base(.tiny), files: ["postBuild": "#!/bin/sh\n:\n"]))
        try await fleet.git("push", "--quiet", remote, "HEAD:main")
        return bare
    }

    @Test
    func keyFileOpensAnSSHRemoteAndTheNotesAreFromTheIdentity() async throws {
        let fleet = try await Fleet()
        let bare = try await Self.remote(fleet)
        let server = try await SSHServer(in: fleet.directory)
        let home = try fleet.directory.makeFolder("home")
        let daemon = try DaemonProcess(
            fleet, repository: server.address(of: bare.folder),
            more: """
                  credentials: {sshKey: \(server.userKey), knownHosts: \(server.knownHosts)}
                  identity: {name: Image Bot, email: images@example.com}
                interval: 10h
                """, environment: ["HOME": home, "SSH_AUTH_SOCK": nil])
        #expect(try await daemon.built("a"), "\(daemon.process.errorOutput)")
        _ = try await daemon.event("pass-finished")
        let author = try await bare("log", "-1", "--format=%an <%ae> %cn", "refs/notes/varve/log")
        #expect(author.hasPrefix("Image Bot <images@example.com> Image Bot"), "\(author)")
    }

    @Test
    func tokenFileOpensAnHTTPRemoteAndCanBeReplacedWhileTheDaemonRuns() async throws {
        let fleet = try await Fleet()
        let bare = try await Self.remote(fleet)
        let server = try await GitHTTPServer(
            serving: fleet.directory.path("remotes"), in: fleet.directory, credentials: "bot:s3cret")
        let token = try fleet.directory.write("expired\n", to: "token")
        let daemon = try DaemonProcess(
            fleet, repository: server.address(of: "fleet.git"),
            more: "credentials: {tokenFile: \(token), username: bot}\ninterval: 1s\n",
            environment: ["HOME": try fleet.directory.makeFolder("home")])
        let warning = try await daemon.event("warning")
        #expect(warning?["message"].string?.contains("no credentials were accepted") == true, "\(warning ?? .null)")
        try fleet.directory.write("s3cret\n", to: "token")
        #expect(try await daemon.built("a"), "\(daemon.process.errorOutput)")
        _ = try await daemon.event("pass-finished")
        #expect(try await bare("notes", "--ref=varve/log", "show", "main").contains(" a built in "))
        #expect(!daemon.process.output.contains("s3cret") && !daemon.process.errorOutput.contains("s3cret"))
    }
}
