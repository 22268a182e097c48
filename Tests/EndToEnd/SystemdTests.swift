// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// The unit under a systemd of its own, in a container that systemd boots.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct SystemdTests {
    /// A booted system that shares this machine's network.
    private struct System {
        let root: String
        private let process: ChildProcess

        /// Bootstraps a system with what the unit's readme installs, and boots it.
        init(_ directory: TemporaryDirectory) async throws {
            root = directory.path("root")
            let packages = "systemd,systemd-sysv,dbus,buildah,skopeo,mmdebstrap,runc,git,libgit2-1.5,ca-certificates"
            try await Command.run(
                "mmdebstrap", ["--quiet", "--variant=minbase", "--include=\(packages)", "bookworm", root])
            let process = try ChildProcess(
                "systemd-nspawn",
                [
                    "--directory", root, "--boot", "--register=no", "--keep-unit", "--console=pipe",
                    "--kill-signal=SIGRTMIN+3",
                    // So that the policy of devices holds in the container too.
                    "--capability=CAP_NET_ADMIN,CAP_BPF", "--system-call-filter=bpf",
                ], environment: ["SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"])
            self.process = process
            directory.addCleanup { await process.stop(grace: .seconds(60)) }
        }

        /// The first process of the system; nil before it is there.
        private var first: String? {
            let children = "/proc/\(process.pid)/task/\(process.pid)/children"
            return (try? String(contentsOfFile: children, encoding: .utf8))?.split(separator: " ").first.map(
                String.init)
        }

        /// Runs a command in the system.
        func run(_ command: String...) async throws -> CommandResult {
            let target = try #require(first)
            return try await Command.result(
                "nsenter", ["--target", target, "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--"] + command)
        }

        func booted() async throws {
            try await Loopback.wait(for: "systemd", deadline: .seconds(120)) {
                (try? await run("systemctl", "is-system-running"))?.trimmed == "running"
            }
        }

        /// A property of the service.
        func property(_ name: String) async throws -> String {
            try await run("systemctl", "show", "--property", name, "--value", "varve").trimmed
        }

        /// What the service said.
        func journal() async throws -> String { try await run("journalctl", "--unit", "varve", "--no-pager").stdout }
    }

    private func deployed(_ name: String) -> String { Fixtures.checkout + "/deploy/" + name }

    /// Puts the program, the unit, a configuration and a repository where the readme says.
    private func install(in system: System, _ fleet: Fleet) async throws -> String {
        let dist = fleet.directory.path("dist")
        try await Command.run(deployed("bundle"), [VarveProcess.binary(), dist])
        try await Command.run("cp", ["-r", dist + "/varve", system.root + "/opt/varve"])
        try await Command.run("ln", ["-s", "/opt/varve/varve", system.root + "/usr/local/bin/varve"])
        let unit = system.root + "/etc/systemd/system/varve.service"
        try await Command.run("install", ["-m", "644", deployed("systemd/varve.service"), unit])
        let remote = system.root + "/var/lib/varve/images.git"
        _ = try await GitCommandLine.initialize(remote, bare: true)
        let host = fleet.registry.host
        try await Command.run("mkdir", [system.root + "/etc/varve"])
        try TemporaryDirectory.write(
            """
            repositories:
            - repo: /var/lib/varve/images.git
            registry: \(host)/fleet
            plainHTTP: ['\(host)']
            interval: 10h
            """, to: system.root + "/etc/varve/varve.yaml")
        return remote
    }

    @Test(.enabled(if: repetitions(0, soak: 1) == 1, "it bootstraps and boots a whole system: Tests/run soak"))
    func unitRunsUnderSystemd() async throws {
        let fleet = try await Fleet()
        let system = try await System(fleet.directory)
        let remote = try await install(in: system, fleet)
        try await system.booted()
        let bootstrap = "{bootstrap: {distribution: debian, suite: bookworm, packages: [ca-certificates]}}"
        try await fleet.git.commit(
            Fleet.image("base", base: bootstrap)
                + Fleet.image(
                    "a", base: "base", more: "build: {apt: [busybox-static]}\nverify: test -e /word\n",
                    files: ["postBuild": "#!/bin/sh\necho none >/word\n"]))
        try await fleet.git("push", "--quiet", remote, "HEAD:main")

        #expect(try await system.run("systemctl", "start", "varve").status == 0)
        try await Loopback.wait(for: "the image", deadline: .seconds(600)) {
            try await fleet.registry.digest(of: "fleet/a:latest") != nil
        }
        let first = try await fleet.registry.digest(of: "fleet/a:latest")

        // A stop lets the layer that is being built finish; the next start goes on from it.
        let step = HeldStep()
        try await fleet.git.commit(["images/a/postBuild": step.script])
        try await fleet.git("push", "--quiet", remote, "HEAD:main")
        try await step.reached()
        async let stopped = system.run("systemctl", "stop", "varve")
        try await Loopback.wait(for: "the stop", deadline: .seconds(60)) {
            try await system.property("ActiveState") == "deactivating"
        }
        step.release()
        #expect(try await stopped.status == 0)
        #expect(try await system.property("Result") == "success")
        #expect(try await fleet.registry.digest(of: "fleet/a:latest") == first)
        #expect(try await system.run("systemctl", "start", "varve").status == 0)
        try await Loopback.wait(for: "the second image", deadline: .seconds(300)) {
            try await fleet.registry.digest(of: "fleet/a:latest") != first
        }
        #expect(try await system.journal().contains("a: postBuild reused"))

        // What is killed comes back by itself.
        let killed = try await system.property("MainPID")
        #expect(try await system.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "varve").status == 0)
        try await Loopback.wait(for: "the restart", deadline: .seconds(120)) {
            let process = try await system.property("MainPID")
            let state = try await system.property("ActiveState")
            return process != "0" && process != killed && state == "active"
        }
        #expect(try await system.property("NRestarts") == "1")

        let bare = GitCommandLine(remote)
        let notes = try await bare("log", "--notes=varve/log", "main")
        #expect(notes.contains(" a built in ") && notes.contains(" base built in "), "\(notes)")
        let doctor = try await system.run(
            "env", "VARVE_STATE_DIR=/var/lib/varve", "HOME=/var/lib/varve/home", "varve", "doctor", "--config",
            "/etc/varve/varve.yaml")
        #expect(doctor.status == 0, "\(doctor)")
    }
}
