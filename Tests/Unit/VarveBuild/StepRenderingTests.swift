// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild

@Suite struct StepRenderingTests {
    private func text(_ path: String, of step: Step) -> String? {
        step.files.first { $0.path == path }.flatMap { file in
            if case .bytes(let bytes) = file.content { String(decoding: bytes, as: UTF8.self) } else { nil }
        }
    }

    private var sources: [LocalSource] {
        get throws {
            let tree = try ObjectID(hex: String(repeating: "1", count: 40))
            return [
                LocalSource(name: "a", path: try RepositoryPath("a"), tree: tree, isEditable: true),
                LocalSource(
                    name: "b", path: try RepositoryPath("b"), tree: tree, isEditable: false, extras: ["y", "x"]),
            ]
        }
    }

    @Test func aptPackagesAreArguments() {
        let step = AptStep.make(AptContent(packages: ["tree", "git=1:2.39", "a;reboot"]))
        #expect(step.arguments == ["/bin/sh", "/run/varve/step/apt.sh", "a;reboot", "git=1:2.39", "tree"])
        #expect(step.user == .root)
        #expect(step.cache == .shared("apt"))
        #expect(AptStep.program.contains(#"install -- "$@""#))
    }

    @Test func pipFilesHoldOptionsRequirementsAndFolders() throws {
        let content = PipContent(
            options: ["--index-url https://pypi.example/simple", "--pre"], requirements: ["xx", "six>=1"],
            constraints: ["six==1.16"], localSources: try sources
        )
        let step = PipStep.make(content, user: "jo:users")
        #expect(step.arguments == ["/bin/sh", "/run/varve/step/pip.sh", "jo:users"])
        #expect(
            text("step/requirements.txt", of: step) == """
                --index-url https://pypi.example/simple
                --pre
                six>=1
                xx
                -e /usr/local/src/a
                /usr/local/src/b[x,y]

                """
        )
        #expect(text("step/constraints.txt", of: step) == "six==1.16\n")
        #expect(step.cache == .owned("pip"))
    }

    @Test func versionOfPythonIsAnArgument() {
        let step = PipStep.make(PipContent(requirements: [], python: "3.10"), user: "")
        #expect(step.arguments == ["/bin/sh", "/run/varve/step/pip.sh", "", "3.10"])
        #expect(text("step/requirements.txt", of: step) == "")
    }

    @Test(arguments: ["strict", "flexible", "disabled"])
    func channelPriorityIsGivenToEachTool(_ priority: String) {
        let step = CondaStep.make(CondaContent(channels: [], dependencies: ["a"], channelPriority: priority))
        #expect(step.environment["CONDA_CHANNEL_PRIORITY"] == priority)
        #expect(step.environment["MAMBA_CHANNEL_PRIORITY"] == priority)
        #expect(CondaStep.make(CondaContent(channels: [], dependencies: ["a"])).environment.isEmpty)
    }

    @Test func environmentFileIsQuotedThroughout() throws {
        let content = CondaContent(
            channels: ["conda-forge", "https://c.example/x"], dependencies: ["xarray", #"n=1.26[build="a b"]"#],
            pip: PipContent(
                options: ["--pre"], requirements: ["six"], constraints: ["six<2"], localSources: [try sources[0]]
            ),
            variables: ["B": "a: #\n\u{1}", "A": "1"], cudaOverride: "12.4"
        )
        let step = CondaStep.make(content)
        #expect(step.environment["CONDA_OVERRIDE_CUDA"] == "12.4")
        #expect(step.user == .image)
        #expect(
            text("step/environment.yml", of: step) == #"""
                channels:
                  - "conda-forge"
                  - "https://c.example/x"
                dependencies:
                  - "n=1.26[build=\"a b\"]"
                  - "xarray"
                  - pip:
                    - "--pre"
                    - "six"
                    - "/run/varve/scratch/src/a"
                    - "-c /run/varve/step/constraints.txt"
                variables:
                  "A": "1"
                  "B": "a: #\n\x01"

                """#
        )
    }

    @Test func explicitListIsGivenAsAListAndItsRequirementsApart() {
        let content = CondaContent(
            channels: [], dependencies: [], pip: PipContent(requirements: ["six @ https://x.org/six.whl#sha256=aa"]),
            explicit: ["https://x.org/c/noarch/b-1-0.conda#00", "https://x.org/c/noarch/a-1-0.conda"])
        let step = CondaStep.make(content)
        #expect(step.files.map(\.path) == ["step/conda.sh", "step/explicit.txt", "step/requirements.txt"])
        #expect(
            text("step/explicit.txt", of: step) == """
                @EXPLICIT
                https://x.org/c/noarch/b-1-0.conda#00
                https://x.org/c/noarch/a-1-0.conda

                """
        )
        #expect(text("step/requirements.txt", of: step) == "six @ https://x.org/six.whl#sha256=aa\n")
    }

    @Test func packagesOfRAreFiles() {
        let cran = RStep.make(CranContent(repository: "https://r.example", packages: ["b@1.0", "a\"); reboot"]))
        #expect(cran.arguments == ["/bin/sh", "/run/varve/step/r.sh", "/run/varve/step/install.R", "cran", ""])
        #expect(text("step/packages.txt", of: cran) == "a\"); reboot\nb@1.0\n")
        #expect(text("step/mirror.txt", of: cran) == "https://r.example\n")
        #expect(text("step/install.R", of: cran) == RStep.installer)
        #expect(cran.user == .root)
        let bioconductor = RStep.make(
            BioconductorContent(repository: "https://r.example", version: "3.18", packages: ["limma"]))
        #expect(bioconductor.arguments.suffix(2) == ["bioconductor", "3.18"])
        let script = RStep.make(InstallRContent(repository: "https://r.example", script: Script(bytes: [0x31])))
        #expect(script.arguments == ["/bin/sh", "/run/varve/step/r.sh", "/run/varve/build/install.R"])
        #expect(script.files.filter { $0.path.hasPrefix("build/") }.map(\.path) == ["build/install.R"])
        #expect(script.workingDirectory == "/run/varve/build")
    }

    @Test func networkErrorsOfRAreTransient() {
        func cause(_ kind: LayerKind, _ line: String) -> BuildFailure.Class {
            FailureCause(kind: kind, status: .exited(1), tail: [line]).failureClass
        }
        let line = "Warning: unable to access index for repository https://r.example/src/contrib:"
        #expect(cause(.cran, line) == .transient)
        #expect(cause(.cran, "  cannot open URL 'https://r.example/src/contrib/PACKAGES'") == .transient)
        #expect(cause(.installR, line) == .definition)
        #expect(cause(.cran, "varve: the R package 'a' is not installed") == .definition)
    }

    @Test func postBuildSeesItsScriptAndInputs() throws {
        let blob = try ObjectID(hex: String(repeating: "2", count: 40))
        let script = Script(bytes: Array("#!/bin/sh\n".utf8))
        let inputs = [InputFile(path: try RepositoryPath("x/y"), id: blob, isExecutable: true)]
        let step = PostBuildStep.make(PostBuildContent(script: script, inputs: inputs))
        #expect(step.arguments == ["/bin/sh", "/run/varve/step/run.sh", "/run/varve/build/postBuild"])
        #expect(
            step.files.filter { $0.path.hasPrefix("build/") } == [
                Step.File(path: "build/x/y", content: .blob(blob), isExecutable: true),
                Step.File(path: "build/postBuild", content: .bytes(script.bytes), isExecutable: true),
            ]
        )
        let plain = PostBuildStep.make(PostBuildContent(script: Script(bytes: Array("echo".utf8))))
        #expect(plain.arguments.suffix(2) == ["bash", "/run/varve/build/postBuild"])
    }

    @Test func valuesAndWordsAreTakenLiterally() {
        #expect(BuildahEngine.assignment("A", "$x ${y} $") == "A=$$x $${y} $$")
        #expect(BuildahEngine.shellWords(["a b", "it's", ""]) == #"'a b' 'it'\''s' ''"#)
        #expect(BuildahEngine.json(["/bin/a", "\"q\""]) == #"["/bin/a","\"q\""]"#)
    }

    @Test func bootstrapArgumentsAreThoseOfTheSpecification() throws {
        let specification = BootstrapSpecification(
            distribution: "debian", suite: "bookworm", mirror: "https://deb.example/debian",
            packages: ["git", "ca-certificates"]
        )
        let arguments = try BootstrapArguments(specification, platform: Platform("linux/arm/v7"), target: "/t/base.tar")
        #expect(arguments.arguments.contains("--architectures=armhf"))
        #expect(arguments.arguments.contains("--include=ca-certificates,git"))
        #expect(arguments.arguments.suffix(4) == ["--", "bookworm", "/t/base.tar", "https://deb.example/debian"])
    }

    @Test func ubuntuIsTakenFromItsOwnArchive() throws {
        let specification = BootstrapSpecification(distribution: "ubuntu", suite: "noble", packages: ["git"])
        let arguments = try BootstrapArguments(specification, platform: Platform("linux/amd64"), target: "/t/base.tar")
        #expect(arguments.keyringPackage == "ubuntu-keyring")
        #expect(arguments.arguments.contains("--keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg"))
        let end = ["--", "noble", "/t/base.tar", "http://archive.ubuntu.com/ubuntu"]
        #expect(arguments.arguments.suffix(4) == end[...])
        // The ports are on another host than the archive.
        let ports = try BootstrapArguments(specification, platform: Platform("linux/arm64"), target: "/t/base.tar")
        #expect(ports.arguments.last == "http://ports.ubuntu.com/ubuntu-ports")
    }

    @Test func userOfABootstrapIsPartOfNoShellLine() throws {
        let specification = BootstrapSpecification(distribution: "debian", suite: "bookworm", user: "joyvan")
        let arguments = try BootstrapArguments(specification, platform: Platform("linux/amd64"), target: "/t/base.tar")
        #expect(arguments.environment == ["VARVE_USER": "joyvan"])
        #expect(!arguments.arguments.contains { $0.contains("joyvan") })
        #expect(arguments.arguments.count { $0.hasPrefix("--customize-hook=") } == 2)
    }

    static let hostile = [
        BootstrapSpecification(distribution: "debian", suite: "bookworm", user: "root"),
        BootstrapSpecification(distribution: "debian", suite: "bookworm", user: "a; reboot"),
        BootstrapSpecification(distribution: "debian", suite: "bookworm", user: "-r"),
        BootstrapSpecification(distribution: "arch", suite: "x"),
        BootstrapSpecification(distribution: "debian", suite: "--help"),
        BootstrapSpecification(distribution: "debian", suite: "a/b"),
        BootstrapSpecification(distribution: "debian", suite: "bookworm", mirror: "/etc/passwd"),
        BootstrapSpecification(distribution: "debian", suite: "bookworm", mirror: "-"),
        BootstrapSpecification(distribution: "debian", suite: "bookworm", mirror: "http://u:p@h/"),
        BootstrapSpecification(distribution: "debian", suite: "bookworm", mirror: "http://h/ x"),
        BootstrapSpecification(distribution: "debian", suite: "bookworm", packages: ["./x.deb"]),
        BootstrapSpecification(distribution: "debian", suite: "bookworm", packages: ["?essential"]),
        BootstrapSpecification(distribution: "debian", suite: "bookworm", packages: ["a b"]),
    ]

    @Test(arguments: hostile) func hostileBootstrapIsRefused(_ specification: BootstrapSpecification) throws {
        let platform = try Platform("linux/amd64")
        let failure = #expect(throws: BuildFailure.self) {
            try BootstrapArguments(specification, platform: platform, target: "/t")
        }
        #expect(failure?.failureClass == .definition)
    }
}
