// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc

/// The distribution's `sshd` on a loopback port, with host and user keys of its own; it serves Git repositories by
/// their absolute paths.
public struct SSHServer: Sendable {
    /// The port.
    public let port: Int
    /// A home folder whose `.ssh` holds the user's ed25519 key and the known hosts: run programs with `HOME` set to it.
    public let home: String
    /// The user's private key.
    public var userKey: String { home + "/.ssh/id_ed25519" }
    /// The file that names the server's host key.
    public var knownHosts: String { home + "/.ssh/known_hosts" }
    /// Holds pushes between the advertisement of the refs and the reading of the pack.
    public let gate: PushGate
    private let process: ChildProcess

    /// Starts the server; it ends with the test.
    ///
    /// - Throws: `FixtureError` when it does not start.
    public init(in directory: TemporaryDirectory) async throws {
        let name = "ssh-\(UUID().uuidString.prefix(8))"
        let folder = try directory.makeFolder(name)
        home = try directory.makeFolder(name + "/home")
        gate = try PushGate(folder: directory.makeFolder(name + "/gate"))
        try directory.makeFolder(name + "/home/.ssh")
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: home + "/.ssh")
        for key in [folder + "/host_ed25519", home + "/.ssh/id_ed25519"] {
            try await Command.run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", key])
        }
        if getuid() == 0 {
            // Where sshd separates its privileges; the service's unit makes it, a container has none.
            try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        }
        port = try Loopback.freePort()
        let command = "\(Fixtures.path("programs/git-ssh-command")) \(gate.folder)"
        try directory.write(
            """
            ListenAddress 127.0.0.1:\(port)
            HostKey \(folder)/host_ed25519
            AuthorizedKeysFile \(folder)/authorized_keys
            PidFile none
            UsePAM no
            StrictModes no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin yes
            PrintMotd no
            MaxStartups 100:30:200
            ForceCommand bash \(command)

            """, to: name + "/sshd_config")
        let userKey = try String(contentsOfFile: home + "/.ssh/id_ed25519.pub", encoding: .utf8)
        try directory.write(userKey, to: name + "/authorized_keys")
        let hostKey = try String(contentsOfFile: folder + "/host_ed25519.pub", encoding: .utf8)
        try directory.write("[127.0.0.1]:\(port) \(hostKey)", to: name + "/home/.ssh/known_hosts")
        let process = try ChildProcess.server("sshd", ["-D", "-e", "-f", folder + "/sshd_config"])
        self.process = process
        directory.addCleanup { await process.stop() }
        let port = port
        try await Loopback.wait(for: "sshd", process: process) { Loopback.exchange(port: port, send: "") != nil }
    }

    /// The address of a repository by its absolute path.
    public func address(of repository: String) -> String {
        "ssh://\(NSUserName())@127.0.0.1:\(port)\(repository)"
    }

    /// What makes the git command line use this server's keys.
    public var environment: [String: String?] {
        [
            "GIT_SSH_COMMAND": "ssh -F none -i \(userKey) -o IdentitiesOnly=yes -o UserKnownHostsFile=\(knownHosts) "
                + "-o StrictHostKeyChecking=yes"
        ]
    }

    /// What sshd wrote, for messages of failing tests.
    public var log: String { process.errorOutput }

    /// Ends the server before the test ends.
    public func stop() async { await process.stop() }
}
