// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// What the program meets outside itself: servers with TLS, and terminals.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct SurroundingsTests {
    private static let post = ["postBuild": "#!/bin/sh\necho the last line of the log\n"]

    @Test
    func httpsRemoteIsTrustedByItsCertificateAlone() async throws {
        var fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let (certificate, withKey) = try await GitHTTPServer.makeCertificate(in: fleet.directory)
        let remote = fleet.directory.path("remotes/fleet.git")
        try fleet.directory.makeFolder("remotes")
        let bare = try await GitCommandLine.initialize(remote, bare: true)
        let server = try await GitHTTPServer(
            serving: fleet.directory.path("remotes"), in: fleet.directory, certificate: withKey)
        try await fleet.git.commit(Fleet.image("a", base: base, files: Self.post))
        try await fleet.git("push", "--quiet", remote, "main")

        fleet.varve.repository = server.address(of: "fleet.git")
        let refused = try await fleet.pass()
        #expect(refused.status == 1, "\(refused)")
        #expect(refused.pass.result.stderr.contains("certificate"), "\(refused)")
        #expect(refused.executed.isEmpty)

        fleet.varve.environment["SSL_CERT_FILE"] = certificate
        let trusted = try await fleet.pass()
        try #require(trusted.status == 0, "\(trusted)")
        #expect(try await bare("log", "-1", "--format=%N", "--notes=varve/log", "main").contains(" a built in "))
    }

    @Test
    func terminalShowsOneLineForEachRunningLayerAndRedrawsIt() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        try await fleet.git.commit(Fleet.image("a", base: base, files: Self.post))
        let words = try [VarveProcess.binary(), "reconcile"] + fleet.varve.options
        let command = words.map { "'\($0)'" }.joined(separator: " ")
        let result = try await Command.result(
            "script", ["--quiet", "--return", "--command", command, "/dev/null"], environment: fleet.varve.environment)
        #expect(result.status == 0, "\(result)")
        let text = result.stdout.replacingOccurrences(of: "\r\n", with: "\n")
        // Up one line and clear to the end: what was drawn for the running layer is drawn anew.
        let redrawn = text.components(separatedBy: "\u{1b}[1A\u{1b}[J")
        #expect(redrawn.contains { $0.contains(#/  a: postBuild  \d+s  the last line of the log\n/#) }, "\(text)")
        // What stays when all is drawn is what a pipe gets, without the lines of what was running.
        #expect(redrawn.last?.contains("1 built") == true, "\(text)")
        let piped = try await fleet.varve.run("reconcile")
        #expect(!piped.stdout.contains("\u{1b}"), "\(piped)")
    }
}
