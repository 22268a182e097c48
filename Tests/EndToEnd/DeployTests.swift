// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// What stands in `deploy/`: it is valid by the tools of those who read it, and it runs.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct DeployTests {
    private static func path(_ name: String) -> String { Fixtures.checkout + "/deploy/" + name }
    private static func text(_ name: String) throws -> String {
        try String(contentsOfFile: path(name), encoding: .utf8)
    }

    private static var unit: String { path("systemd/varve.service") }

    @Test
    func unitHasTheExposureThatTheReadmeNames() async throws {
        let result = try await Command.run("systemd-analyze", ["security", "--offline=true", Self.unit])
        let level = try #require(result.lines.last?.firstMatch(of: #/service: (\d+\.\d+)/#)?.1)
        let readme = try Self.text("README.md")
        #expect(readme.contains("exposure level is \(level)"), "\(result.lines.last ?? "")")
        let verified = try await Command.result("systemd-analyze", ["verify", Self.unit])
        // The program of the unit is not on this machine, which is all that may be wrong.
        let complaints = verified.stderr.split(separator: "\n").filter { !$0.contains("is not executable") }
        #expect(complaints.isEmpty, "\(verified)")
    }

    /// A build with no more rights than the unit leaves: its capabilities, and no file to write to but the state.
    @Test
    func rightsOfTheUnitAreEnoughToBuild() async throws {
        let fleet = try await Fleet()
        try await fleet.git.commit(
            Fleet.image(
                "a", base: fleet.base(.user),
                more: "build: {pip: []}\nstart: |\n  exec \"$@\"\nverify: test -e /home/jovyan/mine\n",
                files: ["postBuild": "#!/bin/sh\necho by $(id -un) >/home/jovyan/mine\n"])
                + Fleet.image("b", base: fleet.base(.debian), more: "build: {apt: [busybox-static]}\n"))
        let result = try await Command.result(
            Fixtures.path("programs/as-the-unit"),
            [Self.unit, fleet.directory.path, try VarveProcess.binary(), "reconcile"] + fleet.varve.options,
            environment: fleet.varve.environment)
        #expect(result.status == 0, "\(result)")
    }

    @Test
    func containerfileMakesAnImageInWhichVarveRuns() async throws {
        let directory = try TemporaryDirectory.required()
        let store = directory.path("store")
        let options = ["--root", store + "/root", "--runroot", store + "/run"]
        directory.addCleanup {
            _ = try? await Command.run("buildah", options + ["rm", "--all"])
            await Fleet.unmount(below: store)
        }
        let dist = try directory.makeFolder("dist")
        try await Command.run(Self.path("bundle"), [VarveProcess.binary(), dist])
        let base = "localhost/debian:latest"
        try await Command.run(
            "skopeo",
            [
                "--insecure-policy", "copy", "--quiet", "oci:\(TestBase.debian.layout()):latest",
                "containers-storage:[overlay@\(store)/root+\(store)/run]\(base)",
            ])
        try await Command.run(
            "buildah",
            options + [
                "build", "--isolation", "chroot", "--build-arg", "BASE=\(base)", "--file",
                Self.path("Containerfile"), "--tag", "localhost/varve", dist,
            ])
        let container = try await Command.run("buildah", options + ["from", "--pull-never", "localhost/varve"]).trimmed
        func run(_ arguments: String...) async throws -> CommandResult {
            try await Command.result(
                "buildah",
                options + ["run", "--isolation", "chroot", "--cap-add", "CAP_SYS_ADMIN", container, "--"] + arguments)
        }
        let version = try await run("varve", "--version")
        #expect(version.status == 0 && version.stdout.contains("0."), "\(version)")
        let made = try await run("sh", "-c", "mkdir -p /srv/fleet && git init --quiet --bare /srv/fleet")
        try #require(made.status == 0, "\(made)")
        let doctor = try await run("varve", "doctor", "--repo", "/srv/fleet", "--format", "json")
        let checks = try JSONValue(parsing: doctor.stdout)["checks"].array
        for tool in ["buildah", "skopeo", "runc", "mmdebstrap", "unshare", "setpriv", "flock"] {
            let check = checks.first { $0["name"].string == "tool \(tool)" }
            #expect(check?["outcome"].string == "ok", "\(doctor)")
        }
        #expect(checks.first { $0["name"].string == "state directory" }?["detail"].string == "/var/lib/varve")
    }

    @Test
    func composeFileFitsItsSchemaAndItsConfigurationIsOne() async throws {
        let result = try await Command.result(
            "check-jsonschema", ["--builtin-schema", "vendor.compose-spec", Self.path("compose.yaml")])
        #expect(result.status == 0, "\(result)")
        try await Self.checkConfiguration("varve.yaml")
    }

    @Test
    func manifestsFitTheSchemasOfKubernetes() async throws {
        let base = try FileManager.default.contentsOfDirectory(atPath: Self.path("kubernetes/base"))
        let manifests = base.filter { $0.hasSuffix(".yaml") && !["varve.yaml", "kustomization.yaml"].contains($0) }
        #expect(manifests.count == 2)
        let result = try await Command.result(
            "kubernetes-validate", ["--strict", "-k", "1.31"] + manifests.map { Self.path("kubernetes/base/" + $0) })
        #expect(result.status == 0, "\(result)")
        // There is no kustomize in Debian: what it would read is there, and nothing that is there is forgotten.
        let program = """
            import os, sys, yaml
            folder = sys.argv[1]
            def check(folder):
                names = {"kustomization.yaml"}
                document = yaml.safe_load(open(os.path.join(folder, "kustomization.yaml")))
                assert document["kind"] == "Kustomization", document
                for resource in document["resources"]:
                    path = os.path.join(folder, resource)
                    assert os.path.exists(path), path
                    check(path) if os.path.isdir(path) else names.add(resource)
                for generator in document.get("configMapGenerator", []): names.update(generator["files"])
                assert names == set(os.listdir(folder)), (names, os.listdir(folder))
            check(folder)
            """
        let checked = try await Command.result(
            "python3", ["-c", program, Self.path("kubernetes/overlays/example")])
        #expect(checked.status == 0, "\(checked)")
        for name in ["kubernetes/base/varve.yaml", "kubernetes/overlays/example/varve.yaml"] {
            try await Self.checkConfiguration(name)
        }
    }

    /// The program reads a configuration and has nothing to say about its form.
    private static func checkConfiguration(_ name: String) async throws {
        let directory = try TemporaryDirectory.required()
        let text = try text(name).replacing("https://git.example.com/", with: "/nowhere/")
        let file = try directory.write(text, to: "configuration.yaml")
        let result = try await Command.result(
            VarveProcess.binary(), ["doctor", "--config", file, "--format", "json"],
            environment: ["VARVE_STATE_DIR": directory.path("state")])
        let checks = try JSONValue(parsing: result.stdout)["checks"].array
        let configuration = checks.first { $0["name"].string == "configuration" }
        #expect(configuration?["outcome"].string == "ok", "\(name): \(result)")
    }
}
