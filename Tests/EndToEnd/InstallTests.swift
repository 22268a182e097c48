// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// Packages are really installed, and the finished image is what its definition says and nothing more.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct InstallTests {
    private struct CondaCase: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let base: TestBase
        let user: String
    }

    private static let condaCases = [
        CondaCase(testDescription: "as root", base: .conda, user: "root"),
        CondaCase(testDescription: "as jovyan", base: .condaUser, user: "jovyan"),
    ]

    @Test(arguments: condaCases)
    private func condaSolvesLinksAndHandsItsPipListOn(conda: CondaCase) async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(conda.base)
        let environment = """
            name: ignored
            channels: ["file:///srv/channel"]
            dependencies:
              - varve-shapes
              - pip
              - pip:
                - iniconfig

            """
        let files = ["environment.yml": environment, "requirements.txt": "zipp\n"]
        let outcome = try await fleet.pass(Fleet.image("a", base: base, files: files))
        try #require(outcome.status == 0, "\(outcome)")
        #expect(outcome.executed == ["conda", "pip"], "\(outcome)")
        let image = try await ImageRun(fleet.prefix + "/a:latest", in: fleet.directory)
        let program =
            "import varve_shapes, varve_colours, iniconfig, zipp; print(varve_colours.VERSION, varve_shapes.shapes())"
        // 2.0 of varve-colours exists; only a solver knows that varve-shapes needs less.
        let result = try await image.run("/opt/conda/bin/python", "-c", program)
        #expect(result.stdout == "1.1 8\n", "\(result)")
        #expect(try await image.run("id", "-un").stdout == conda.user + "\n")

        let second = try await fleet.pass([
            "images/a/environment.yml": environment.replacing("name: ignored", with: "# words\nname: other")
        ])
        #expect(second.status == 0 && second.executed.isEmpty, "\(second)")
        let third = try await fleet.pass([
            "images/a/environment.yml": environment.replacing("varve-shapes", with: "varve-colours=2.0")
        ])
        #expect(third.status == 0, "\(third)")
        #expect(third.executed == ["conda", "pip"], "\(third)")
        let newer = try await ImageRun(fleet.prefix + "/a:latest", in: fleet.directory)
        let version = ["-c", "import varve_colours; print(varve_colours.VERSION)"]
        #expect(try await newer.run("/opt/conda/bin/python", version[0], version[1]).stdout == "2.0\n")
    }

    @Test
    func finishedImageHoldsWhatItsDefinitionSays() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.user)
        let outcome = try await fleet.pass(
            Fleet.image(
                "a", base: base, more: "env: {WORD: \"a $HOME b\", TZ: UTC}\n",
                files: [
                    "apt.txt": "tree\n", "requirements.txt": "iniconfig\nzipp\n",
                    "postBuild": "env >$HOME/build-environment\npython3 -c 'import zipp'\n",
                    "start": "#!/bin/sh\nexport STARTED=yes\nexec \"$@\"\n",
                    "verify": "#!/bin/sh\nset -e\ntest \"$STARTED$(id -un)\" = yesjovyan\npython3 -c 'import zipp'\n",
                ]))
        try #require(outcome.status == 0, "\(outcome)")
        #expect(outcome.executed == ["apt", "pip", "postBuild", "verify"])
        let reference = fleet.prefix + "/a:latest"
        let image = try await ImageRun(reference, in: fleet.directory)

        #expect(image.config["config"]["User"].string == "jovyan")
        #expect(image.config["config"]["WorkingDir"].string == "/home/jovyan")
        #expect(
            image.config["config"]["Entrypoint"].strings
                == ["/usr/local/bin/varve-start", "/usr/bin/env", "VARVE_TEST_ENTRYPOINT=base"])
        #expect(try await image.start().stdout == "command of the base\n")
        let words = try await image.start(["sh", "-c", "echo $STARTED $VARVE_TEST_ENTRYPOINT $(id -un) $BASE_WORD $TZ"])
        #expect(words.stdout == "yes base jovyan kept UTC\n", "\(words)")
        #expect(try await image.start(["sh", "-c", "echo \"$WORD\""]).stdout == "a $HOME b\n")
        let imports = try await image.run("python3", "-c", "import iniconfig, zipp; print('both')")
        #expect(imports.stdout == "both\n", "\(imports)")
        #expect(try await image.run("tree", "--version").stdout.hasPrefix("tree v"))

        let environment = Set(image.config["config"]["Env"].strings.map { $0.split(separator: "=")[0] })
        #expect(environment == ["PATH", "BASE_WORD", "WORD", "TZ"], "\(environment)")
        let labels = image.config["config"]["Labels"].members.keys.sorted()
        #expect(!labels.contains("io.buildah.version"), "\(labels)")
        #expect(image.config["history"].array.isEmpty)

        let during = try await image.run("cat", "/home/jovyan/build-environment").lines
        for name in ["WORD=", "TZ=", "STARTED="] {
            #expect(!during.contains { $0.hasPrefix(name) }, "\(during)")
        }

        let layers = try await ImageRun.layerPaths(reference, in: fleet.directory)
        #expect(layers.count == 5, "\(layers.count) layers")
        try Self.expectNothingForeign(in: layers)
    }

    /// No apt lists, no caches, no CA bundle, no mount points, nothing that only the build needed.
    private static func expectNothingForeign(in layers: [[String]]) throws {
        let forbidden = [
            "run/varve", "var/lib/apt/lists/", "var/cache/apt/", ".cache", "root/.", "etc/resolv.conf", "etc/hosts",
            "etc/hostname", "proc/", "sys/", "dev/", "run/secrets", "run/.containerenv", "tmp/", "var/tmp/",
            "ca-bundle", "var/log/apt", "var/log/dpkg.log", "certificates",
        ]
        // The first layer is the base's, and holds what the base holds.
        for (number, layer) in layers.enumerated().dropFirst() {
            for path in layer {
                let path = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
                guard !path.isEmpty else { continue }
                for word in forbidden where path.hasPrefix(word) && path != word || path.contains("/.cache/") {
                    Issue.record("layer \(number) holds \(path)")
                    break
                }
            }
        }
        let apt = layers[1]
        #expect(apt.contains { $0.hasSuffix("usr/bin/tree") }, "\(apt)")
        #expect(layers[2].contains { $0.contains("opt/venv/") && $0.contains("iniconfig") })
        #expect(
            layers[3].map { $0.replacing("./", with: "") }.filter { !$0.hasSuffix("/") } == [
                "home/jovyan/build-environment"
            ])
        #expect(layers[4].contains { $0.hasSuffix("usr/local/bin/varve-start") })
    }

    @Test
    func stepSeesNoProcessOfTheHost() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let pid = ProcessInfoID.current
        let script = """
            #!/bin/sh
            ls -d /proc/[0-9]* >/processes
            tr '\\0' ' ' </proc/1/cmdline >/first
            if kill -0 \(pid) 2>/dev/null; then echo reached >/host; else echo none >/host; fi

            """
        let outcome = try await fleet.pass(Fleet.image("a", base: base, files: ["postBuild": script]))
        try #require(outcome.status == 0, "\(outcome)")
        let image = try await ImageRun(fleet.prefix + "/a:latest", in: fleet.directory)
        let processes = try await image.run("cat", "/processes").lines
        #expect(processes.count <= 8, "\(processes)")
        #expect(!processes.contains("/proc/\(pid)"))
        let first = try await image.run("cat", "/first").stdout
        #expect(first.contains("buildah") || first.contains("setpriv") || first.contains("unshare"), "\(first)")
        #expect(try await image.run("cat", "/host").stdout == "none\n")
    }

    @Test
    func credentialsOfTheHostReachNeitherAStepNorARecord() async throws {
        var fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let secret = "hunter2-\(UInt32.random(in: 0...UInt32.max))"
        fleet.varve.environment["AWS_SECRET_ACCESS_KEY"] = secret
        let script = "#!/bin/sh\nenv\necho https://user:\(secret)@example.org/path\nenv >/environment\nexit 1\n"
        let outcome = try await fleet.pass(
            Fleet.image("a", base: base, files: ["postBuild": "#!/bin/sh\nenv >/environment\n"])
                + Fleet.image("b", base: base, files: ["postBuild": script]))
        #expect(outcome.status == 1)
        #expect(!outcome.pass.result.stdout.contains(secret))
        let image = try await ImageRun(fleet.prefix + "/a:latest", in: fleet.directory)
        #expect(try await !image.run("cat", "/environment").stdout.contains(secret))
        let notes = try await fleet.git("log", "--all", "-p", "--format=%N")
        #expect(
            !notes.replacing("postBuild", with: "").split(separator: "\n").contains { line in
                line.contains(secret) && !line.contains("echo https")
            })
        let logs = try await Command.result("grep", ["-r", secret, fleet.varve.state + "/logs"])
        #expect(logs.status == 1, "\(logs)")
    }
}

/// The id of this process as the host counts it.
private enum ProcessInfoID {
    static var current: Int32 { ProcessInfo.processInfo.processIdentifier }
}
