// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveBuild

@Suite struct ImageTests {
    private let bench = EngineBench.shared

    /// The base with a run configuration, as one from a registry might have.
    private func derived(_ arguments: [String], before script: String = "true") async throws -> BuiltLayer {
        let engine = try await bench.makeEngine()
        let base = try await bench.base()
        let key = try EngineBench.makeKey()
        try await WorkingContainer.with(base.configDigest, layer: nil, buildah: engine.buildah) { container in
            _ = try await engine.buildah.check(
                ["run", "--isolation", "chroot", container.name, "--", "sh", "-c", script], layer: nil, verb: "prepare"
            )
            try await container.configure(arguments)
            try await container.commit(as: BuildahStore.name(of: key, kind: .base))
        }
        return try #require(try await engine.layer(for: key, kind: .base))
    }

    @Test func startWrapsTheEntrypointAndKeepsTheRest() async throws {
        let engine = try await bench.makeEngine(environment: ["https_proxy": "http://proxy.example:3128"])
        let parent = try await derived([
            "--entrypoint", #"["/usr/bin/env","--"]"#, "--cmd", "sh -c 'echo it'\\''s'", "--user", "1000", "--env",
            "OLD=1",
        ])
        let start = Script(bytes: Array("#!/bin/sh\nexport STARTED=yes\nexec \"$@\"\n".utf8))
        let key = try EngineBench.makeKey()
        let layer = try await engine.build(
            EngineBench.request(
                .config(
                    ConfigContent(
                        environment: ["TZ": "UTC", "PRICE": "$5 ${HOME} 'x'"], start: start,
                        labels: ["team": "data science"]
                    )
                ),
                parent: parent, key: key
            ),
            log: Lines()
        )
        let config = try #require(try await engine.buildah.inspect(layer.configDigest.hex)).configuration
        #expect(config.entrypoint == ["/usr/local/bin/varve-start", "/usr/bin/env", "--"])
        #expect(config.command == ["sh", "-c", "echo it's"])
        #expect(config.user == "1000")
        #expect(
            Set(config.environment ?? []) == ["PATH=\(BuildahEngine.path)", "OLD=1", "TZ=UTC", "PRICE=$5 ${HOME} 'x'"]
        )
        let text = try await EngineBench.shell(
            "buildah \(engine.buildah.store.arguments.joined(separator: " ")) inspect --type image "
                + "\(layer.configDigest.hex) | jq -c '.Config | fromjson'"
        )
        #expect(!text.contains(key.hex) && text.contains("data science"))
        #expect(!["localhost/varve", "history", "buildah", "proxy.example"].contains { text.contains($0) })

        let log = Lines()
        let check =
            #"[[ $STARTED == yes && $TZ == UTC && $PRICE == '$5 ${HOME} '\''x'\''' && $(id -u) == 1000 ]] && echo fine"#
        try await engine.verify(layer, script: Script(bytes: Array(check.utf8)), timeout: .seconds(60), log: log)
        #expect(log.all == ["fine"])
    }

    @Test func verifyLeavesTheImageAndFailsByItsStatus() async throws {
        let base = try await bench.base()
        let engine = try await bench.makeEngine()
        let script = Script(
            bytes: Array("#!/bin/sh\nenv >/srv/env; test -z \"$SOURCE_DATE_EPOCH$SSL_CERT_FILE\" && exit 4\n".utf8))
        let failure = await #expect(throws: BuildFailure.self) {
            try await engine.verify(base, script: script, timeout: .seconds(60), log: Lines())
        }
        #expect(failure?.failureClass == .definition)
        #expect(failure?.message == "failed to verify the image: it ended with exit status 4")
        #expect(try await engine.layer(for: base.key, kind: .base) == base)
    }

    /// A wheel with one module, as `pip wheel` would make it.
    private static func wheel() throws -> [UInt8] {
        let program = """
            import base64, io, json, sys, zipfile
            data, info = io.BytesIO(), "wheeled-1.0+a.dist-info"
            with zipfile.ZipFile(data, "w") as file:
                file.writestr("wheeled.py", "answer = 42\\n")
                file.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: wheeled\\nVersion: 1.0+a\\n")
                file.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                file.writestr(info + "/RECORD", f"wheeled.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
            sys.stdin.read()
            print(json.dumps(base64.b64encode(data.getvalue()).decode()))
            """
        return Array(try Python.run(program, input: [String](), as: Data.self))
    }

    @Test func pipInstallsAsTheImagesUserIntoAnEnvironmentOnItsPath() async throws {
        let engine = try await bench.makeEngine()
        let parent = try await derived(["--user", "jo"], before: "useradd -m -u 1234 jo")
        let blob = try ObjectID(hex: String(repeating: "b", count: 40))
        let tree = try ObjectID(hex: String(repeating: "c", count: 40))
        let module = try ObjectID(hex: String(repeating: "d", count: 40))
        let wheel = try ObjectID(hex: String(repeating: "e", count: 40))
        let wheelName = "wheeled-1.0+a-py3-none-any.whl"
        let sources = MemorySource(
            blobs: [
                blob: Array(
                    "[build-system]\nrequires=['setuptools']\nbuild-backend='setuptools.build_meta'\n[project]\nname='ours'\nversion='1'\n[tool.setuptools]\npy-modules=['ours']\n"
                        .utf8
                ),
                module: Array("answer = 42\n".utf8), wheel: try Self.wheel(),
            ],
            folders: [
                .root: [
                    SourceEntry(name: "lib", kind: .folder, id: tree),
                    SourceEntry(name: wheelName, kind: .file, id: wheel),
                ],
                try RepositoryPath("lib"): [
                    SourceEntry(name: "ours.py", kind: .file, id: module),
                    SourceEntry(name: "pyproject.toml", kind: .file, id: blob),
                ],
            ]
        )
        let pip = try await engine.build(
            EngineBench.request(
                .pip(
                    PipContent(
                        requirements: ["six>=1.15"], constraints: ["six==1.16.0"],
                        localSources: [
                            LocalSource(name: "ours", path: RepositoryPath("lib"), tree: tree, isEditable: true),
                            LocalSource(
                                name: wheelName, path: RepositoryPath(wheelName), tree: wheel, isEditable: false),
                        ]
                    )
                ),
                parent: parent, sources: sources
            ),
            log: Lines()
        )
        let check = """
            python3 -c 'import six, ours, wheeled; assert six.__version__ == "1.16.0" and ours.answer == wheeled.answer; print(ours.__file__)'
            stat -c %U /opt/venv /opt/venv/lib/python3.11/site-packages/six.py /usr/local/src/ours/ours.py; whoami; echo $HOME
            find / -xdev -user root -path '/opt/venv/*' 2>/dev/null; ls -A ~ | grep -v '^\\.\\(bash\\|profile\\)'; true
            """
        let log = Lines()
        try await engine.verify(pip, script: Script(bytes: Array(check.utf8)), timeout: .seconds(60), log: log)
        #expect(log.all == ["/usr/local/src/ours/ours.py", "jo", "jo", "jo", "jo", "/home/jo"])
    }

    @Test func missingVenvModuleSaysWhichPackageToAdd() async throws {
        let engine = try await bench.makeEngine()
        let parent = try await derived([], before: "rm -rf /usr/lib/python3*/ensurepip")
        let failure = await #expect(throws: BuildFailure.self) {
            try await engine.build(
                EngineBench.request(.pip(PipContent(requirements: ["six"])), parent: parent), log: Lines()
            )
        }
        #expect(failure?.failureClass == .definition)
        #expect(failure?.message.hasSuffix("add python3-venv to the apt packages") == true)
    }

    @Test func linksOfTheImageDoNotLeadTheCleaningOut() throws {
        let folder = NSTemporaryDirectory() + "varve-link-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: folder + "/varve", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data().write(to: URL(filePath: folder + "/varve/file"))
        let root = NSTemporaryDirectory() + "varve-root-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: root + "/etc", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try FileManager.default.createSymbolicLink(atPath: root + "/run", withDestinationPath: folder)
        try FileManager.default.createSymbolicLink(
            atPath: root + "/etc/hosts", withDestinationPath: folder + "/varve/file")
        for path in BuildahEngine.mountPoints { BuildahEngine.removeMountPoint(path, in: RootFolder(root)) }
        #expect(FileManager.default.fileExists(atPath: folder + "/varve/file"))
    }
}
