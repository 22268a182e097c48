// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// `varve new` and `varve init` write definitions that are good, or nothing.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct NewTests {
    private let directory: TemporaryDirectory
    private let git: GitCommandLine
    private let varve: VarveProcess

    init() async throws {
        directory = try TemporaryDirectory.required()
        git = try await GitCommandLine.initialize(directory.path("fleet"))
        varve = VarveProcess(repository: git.folder, state: directory.path("state"))
        try git.write(["images/parent/image.yaml": "base: quay.io/a/b\nhardware: gpu\nbuild: {apt: [jq]}\n"])
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: git.folder + "/" + path, encoding: .utf8)
    }

    @Test
    func everyKeyHasAFlag() async throws {
        let requirements = try directory.write("polars>=1\n", to: "in/requirements.txt")
        let script = try directory.write("#!/bin/sh\nexec \"$@\"\n", to: "in/run.sh")
        let data = try directory.write("1\n", to: "in/table.csv")
        let result = try await varve.run(
            "new", "lab", "--base", "parent", "--folder", "teams/ds", "--description", "A \"lab\": # 1\nsecond 😀",
            "--owner", "group/ds", "--visibility", "owner", "--hardware", "gpu", "--supports", "dask", "--supports",
            "jupyterlab", "--tag", "stable", "--platform", "linux/amd64", "--suspend", "--apt", "git", "--apt", "g++",
            "--conda", "python=3.12", "--channel", "conda-forge", "--cran", "dplyr@1.1.4", "--bioconductor", "limma",
            "--remote", "r-lib/cli@v3.6.1", "--cran-mirror", "https://cran.r-project.org", "--register-kernel", "--env",
            "TZ=UTC", "--env", "LEVEL=1", "--input", "table.csv", "--post-build",
            "#!/bin/sh\n\nif true; then\n  echo '#: a'\nfi\n",
            "--install-r", " leading <- 1\n", "--verify", "python3 -c 'print(1)'", "--file", requirements, "--file",
            "start=\(script)", "--file", "table.csv=\(data)")
        #expect(result.status == 0, "\(result)")
        #expect(
            try text("teams/ds/lab/image.yaml") == #"""
                # yaml-language-server: $schema=../../../.varve/image.schema.json
                description: "A \"lab\": # 1\nsecond 😀"
                owner: group/ds
                visibility: owner
                hardware: gpu
                supports: [dask, jupyterlab]
                platforms: [linux/amd64]
                base: parent
                build:
                  apt: [git, "g++"]
                  conda: {channels: [conda-forge], dependencies: ["python=3.12"]}
                  cran: ["dplyr@1.1.4"]
                  bioconductor: [limma]
                  remotes: ["r-lib/cli@v3.6.1"]
                  cranMirror: "https://cran.r-project.org"
                  installR: " leading <- 1\n"
                  registerKernel: true
                  postBuild: |
                    #!/bin/sh

                    if true; then
                      echo '#: a'
                    fi
                env:
                  TZ: UTC
                  LEVEL: "1"
                inputs: [table.csv]
                tags: [stable]
                verify: |
                  python3 -c 'print(1)'
                suspend: true

                """#)
        #expect(try text("teams/ds/lab/requirements.txt") == "polars>=1\n")
        #expect(try text("teams/ds/lab/start") == "#!/bin/sh\nexec \"$@\"\n")
        #expect(FileManager.default.fileExists(atPath: git.folder + "/.varve/image.schema.json"))
        let check = try await varve.run("validate")
        #expect(check.status == 0 && check.stdout.hasPrefix("2 images good"), "\(check)")
        // PyYAML reads the same scripts.
        let read = try await Command.run(
            "python3",
            [
                "-c", "import sys, yaml; d = yaml.safe_load(open(sys.argv[1])); print(repr(d['build']['postBuild']))",
                git.folder + "/teams/ds/lab/image.yaml",
            ])
        #expect(read.trimmed == ##""#!/bin/sh\n\nif true; then\n  echo '#: a'\nfi\n""##)
    }

    @Test
    func basesOfEachKind() async throws {
        let cases: [([String], String)] = [
            (["--base", "quay.io/a/b:1"], "base: \"quay.io/a/b:1\"\n"),
            (["--base", "bootstrap:bookworm"], "base: {bootstrap: {distribution: debian, suite: bookworm}}\n"),
            (
                [
                    "--base", "bootstrap:ubuntu/noble", "--bootstrap-package", "python3", "--bootstrap-user", "joyvan",
                    "--mirror", "http://archive.ubuntu.com/ubuntu",
                ],
                "base: {bootstrap: {distribution: ubuntu, suite: noble, mirror: \"http://archive.ubuntu.com/ubuntu\", "
                    + "packages: [python3], user: joyvan}}\n"
            ),
            (["--copy-from", "parent"], "copyFrom: parent\n"),
        ]
        for (index, (flags, expected)) in cases.enumerated() {
            let result = try await varve.run("new", "i\(index)", options: flags)
            #expect(result.status == 0, "\(result)")
            #expect(try text("images/i\(index)/image.yaml").hasSuffix(expected), "\(flags)")
        }
    }

    @Test
    func whatIsWrongIsSaidAndNothingIsWritten() async throws {
        let script = try directory.write("echo\n", to: "requirement.txt")
        let cases: [([String], String)] = [
            (["--base", "parrent"], "did you mean 'parent'?"),
            (["--copy-from", "parrent"], "did you mean 'parent'?"),
            (["--base", "parent", "--visibility", "organ"], "expected one of owner, org, account"),
            (["--base", "parent", "--hardware", "gpus"], "did you mean 'gpu'?"),
            (["--base", "parent", "--supports", "jupyter-lab"], "did you mean 'jupyterlab'?"),
            (["--base", "parent", "--owner", "grup/ds"], "did you mean 'group/ds'?"),
            (["--base", "bootstrap:debain/bookworm"], "did you mean 'debian'?"),
            (["--base", "parent", "--apt", "Git"], "did you mean 'git'?"),
            (["--base", "parent", "--pip", "a\nb: [c"], "VRV060"),
            (["--base", "parent", "--tag", "latest"], "reserved"),
            (["--base", "parent", "--start", "echo"], "VRV037"),
            (["--base", "parent", "--file", script], "did you mean 'requirements.txt'?"),
            (["--base", "parent", "--file", "../x=\(script)"], "--file takes the name"),
            (["--base", "parent", "--env", "TZ"], "--env takes NAME=VALUE"),
            (["--base", "parent", "--mirror", "http://x"], "go with --base bootstrap:SUITE"),
            (["--base", "parent", "--folder", "../out"], "not a valid path"),
            (["--base", "parent", "--channel", "conda-forge"], "--channel says where"),
            ([], "--base, --copy-from or --external is needed"),
        ]
        for (flags, words) in cases {
            let result = try await varve.run("new", "lab", options: flags)
            #expect(result.status != 0 && result.stderr.contains(words), "\(flags): \(result)")
            #expect(!FileManager.default.fileExists(atPath: git.folder + "/images/lab"), "\(flags)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: git.folder + "/images") == ["parent"])
        let there = try await varve.run("new", "parent", "--base", "quay.io/a/b")
        #expect(there.status == 1 && there.stderr.contains("is there already"), "\(there)")
        let twice = try await varve.run("new", "parent", "--base", "quay.io/a/b", "--folder", "other")
        #expect(twice.status == 1 && twice.stderr.contains("VRV021"), "\(twice)")
        #expect(try text("images/parent/image.yaml").hasPrefix("base: quay.io/a/b\n"))
    }

    @Test
    func initWritesTheEditorLineAndChangesNothingTheSecondTime() async throws {
        let folder = directory.path("new")
        let binary = try VarveProcess.binary()
        let first = try await Command.result(binary, ["init", folder])
        #expect(first.status == 0, "\(first)")
        let path = folder + "/images/hello/image.yaml"
        let written = try String(contentsOfFile: path, encoding: .utf8)
        #expect(written.hasPrefix("# yaml-language-server: $schema=../../.varve/image.schema.json\n"))
        let check = try await Command.result(binary, ["validate", "--repo", folder])
        #expect(check.status == 0, "\(check)")
        try await checkEditorLines(in: folder)
        try TemporaryDirectory.write("mine\n", to: path)
        try TemporaryDirectory.write("groups: {a: [b]}\n", to: folder + "/varve.yaml")
        let second = try await Command.result(binary, ["init", folder])
        #expect(second.status == 0, "\(second)")
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine\n")
        #expect(try String(contentsOfFile: folder + "/varve.yaml", encoding: .utf8) == "groups: {a: [b]}\n")
    }

    /// Prints for each file whether its text, with `#key` as `key`, is valid against the schema that its first line names.
    private static let editor = """
        import json, os, re, sys, jsonschema, yaml
        for path in sys.argv[1:]:
            text = open(path).read()
            name = re.match(r"# yaml-language-server: [$]schema=(\\S+)\\n", text).group(1)
            schema = json.load(open(os.path.join(os.path.dirname(path), name)))
            jsonschema.Draft7Validator.check_schema(schema)
            document = yaml.safe_load(re.sub(r"(?m)^#(?=\\w|  )", "", text))
            print(schema["title"], sorted(document), jsonschema.Draft7Validator(schema).is_valid(document))
        """

    /// What stands in varve.yaml as a comment is good for the program and for the editor, and sets nothing as it stands.
    private func checkEditorLines(in folder: String) async throws {
        let fleet = folder + "/varve.yaml"
        let read = try await Command.result(
            "python3", ["-c", Self.editor, folder + "/images/hello/image.yaml", fleet])
        let lines = [
            "image.yaml ['base', 'build', 'description', 'verify'] True",
            "varve.yaml ['defaults', 'definitions', 'groups', 'policy'] True",
        ]
        #expect(read.stdout == lines.map { $0 + "\n" }.joined(), "\(read)")
        let text = try String(contentsOfFile: fleet, encoding: .utf8)
        let set = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("# ") && !line.hasPrefix("#  ") ? line : line.drop { $0 == "#" }
        }
        try TemporaryDirectory.write(set.joined(separator: "\n"), to: fleet)
        let result = try await Command.result(try VarveProcess.binary(), ["validate", "--repo", folder])
        #expect(result.stdout == "1 image good, 0 invalid\n", "\(result)")
        try TemporaryDirectory.write(text, to: fleet)
    }
}
