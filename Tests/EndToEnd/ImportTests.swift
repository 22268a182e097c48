// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// Definitions made from other tools' files, by the real program.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct ImportTests {
    private let directory: TemporaryDirectory
    private let git: GitCommandLine
    private let varve: VarveProcess

    init() async throws {
        directory = try TemporaryDirectory.required()
        git = try await GitCommandLine.initialize(directory.path("fleet"))
        varve = VarveProcess(repository: git.folder, state: directory.path("state"))
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: git.folder + "/" + path, encoding: .utf8)
    }

    private func files() async throws -> [String] {
        try await Command.run(
            "find", [git.folder, "-path", "*/.git", "-prune", "-o", "!", "-type", "d", "-printf", "%P\n"]
        )
        .lines.sorted()
    }

    private static let recipe = """
        name: DS-Python
        description: |
          Python: "quoted", # and more
        owner: group/ds
        visibility: owner
        hardware_type: cpu
        supports: [dask]
        schema_version: 2022.08.01
        versions:
        - name: 2022.01.06
          archived: true
          image_uri: null
        - name: 2022.01.07
          image_uri: null
          build_data:
            base_image_uri: python:3.12
            apt_packages: jq git
            pip_requirements: polars>=1
            post_build: echo done
        """

    @Test
    func recipeOfSaturnBecomesAFolderThatValidates() async throws {
        let recipe = try directory.write(Self.recipe, to: "recipe.yaml")
        let result = try await varve.run("import", "saturn", recipe)
        #expect(result.status == 0, "\(result)")
        #expect(
            result.stderr.split(separator: "\n").map { $0.replacing(recipe, with: "R") } == [
                "R:1:7: note: the name 'DS-Python' is written 'ds-python'",
                "R:10:9: note: version '2022.01.06' is archived and is left out",
                "R:13:9: note: the version's name '2022.01.07' is not carried: each build has a tag of its own",
                "R:16:21: note: the base_image_uri 'python:3.12' is written 'docker.io/library/python:3.12'",
            ])
        #expect(
            try await files() == [
                ".varve/fleet.schema.json", ".varve/image.schema.json", "images/ds-python/apt.txt",
                "images/ds-python/image.yaml",
                "images/ds-python/postBuild", "images/ds-python/requirements.txt",
            ])
        #expect(
            try text("images/ds-python/image.yaml") == #"""
                # yaml-language-server: $schema=../../.varve/image.schema.json
                description: "Python: \"quoted\", # and more\n"
                owner: group/ds
                visibility: owner
                supports: [dask]
                base: "docker.io/library/python:3.12"

                """#)
        #expect(try text("images/ds-python/postBuild") == "echo done\n")
        #expect(FileManager.default.isExecutableFile(atPath: git.folder + "/images/ds-python/postBuild"))
        let check = try await varve.run("validate")
        #expect(check.stdout == "1 image good, 0 invalid\n", "\(check)")
    }

    @Test
    func folderThatIsThereIsNeverWrittenOver() async throws {
        try git.write(["images/ds-python/notes.txt": "mine\n"])
        let recipe = try directory.write(Self.recipe, to: "recipe.yaml")
        let other = try directory.write(
            #"{"name": "b", "hardware_type": "cpu", "schema_version": "2022.08.01","#
                + #""versions": [{"name": "1", "image_uri": null, "build_data": {"base_image_uri": "quay.io/c"}}]}"#,
            to: "other.json")
        let result = try await varve.run("import", "saturn", recipe, other, "--format", "json", "--owner", "user/me")
        #expect(result.status == 1, "\(result)")
        #expect(result.stderr.contains("images/ds-python' is there already"), "\(result)")
        let answer = try JSONValue(parsing: result.stdout)
        #expect(answer["images"].array.map { $0["folder"].string } == ["images/b"])
        let severities = answer["remarks"].array.map { $0["severity"].string }
        #expect(severities == ["note", "note", "note", "note", "error", "note"], "\(answer)")
        #expect(
            try await files() == [
                ".varve/fleet.schema.json", ".varve/image.schema.json", "images/b/image.yaml",
                "images/ds-python/notes.txt",
            ])
        #expect(try text("images/b/image.yaml").contains("\nowner: user/me\n"))

        // Run again: the name is taken now, and nothing changes.
        let again = try await varve.run("import", "saturn", other)
        #expect(again.status == 1 && again.stderr.contains("there is an image 'b' already"), "\(again)")
    }

    @Test
    func linksOfTheRepositoryLeadNowhere() async throws {
        let outside = try directory.makeFolder("outside")
        try FileManager.default.createSymbolicLink(atPath: git.folder + "/images", withDestinationPath: outside)
        try FileManager.default.createSymbolicLink(atPath: git.folder + "/.varve", withDestinationPath: outside)
        let recipe = try directory.write(Self.recipe, to: "recipe.yaml")
        let linked = try await varve.run("import", "saturn", recipe)
        #expect(linked.status == 1 && linked.stderr.contains("follows no link"), "\(linked)")
        let schema = try await varve.run("import", "saturn", recipe, "--folder", "other")
        #expect(schema.status == 1 && schema.stderr.contains("follows no link"), "\(schema)")
        let parent = try await varve.run("import", "saturn", recipe, "--folder", "../outside")
        #expect(parent.status != 0, "\(parent)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
    }

    /// repo2docker reads an environment.yml and not the requirements.txt beside it, but where the first names the second.
    @Test
    func foldersOfRepo2dockerAreAdoptedAsTheyStand() async throws {
        let files: [String: String?] = [
            "a/environment.yml": "dependencies: [python=3.12, pip: [-r requirements.txt]]\n",
            "a/requirements.txt": "polars\n", "a/postBuild": "grep polars requirements.txt\n", "a/data/x.csv": "1\n",
            "b/environment.yml": "dependencies: [python=3.12]\n", "b/requirements.txt": "not for pip\n",
            "c/binder/requirements.txt": "polars\n", "d/image.yaml": "name: a\nbase: localhost/x\n",
        ]
        try git.write(files)
        let first = try await varve.run("import", "repo2docker", ".", "--base", "localhost/base")
        #expect(first.status == 0, "\(first)")
        #expect(first.stderr.split(separator: "\n").count { $0.contains("requirements.txt") } == 2, "\(first)")
        let line = "# yaml-language-server: $schema=../.varve/image.schema.json\n"
        #expect(
            try text("a/image.yaml") == line
                + "name: a-2\nbase: localhost/base\nbuild:\n  pip: []\ninputs: [\"**\", requirements.txt]\n")
        #expect(try text("b/image.yaml") == line + "name: b\nbase: localhost/base\nbuild:\n  pip: []\n")
        #expect(try text("c/image.yaml") == line + "name: c\nbase: localhost/base\n")
        for (path, content) in files { #expect(try text(path) == content) }

        // As repo2docker would build it: conda's own pip list alone.
        try await git.commit([:], message: "Adopt")
        let plan = try await varve.run("plan", "--format", "json")
        let kinds = try JSONValue(parsing: plan.stdout)["images"].array.map { image in
            "\(image["name"].string ?? ""): \(image["layers"].array.compactMap { $0["kind"].string }.joined(separator: " "))"
        }
        #expect(
            kinds == [
                "a: base config", "a-2: base conda postBuild config", "b: base conda config", "c: base pip config",
            ])

        try git.write(["e\u{1B}[31m/apt.txt": "git\n"])
        let escape = try await varve.run("import", "repo2docker", ".", "--base", "localhost/base")
        #expect(escape.status == 0 && escape.stdout.contains(#"/e\u{1b}[31m/image.yaml"#), "\(escape)")
        let before = try await git("status", "--porcelain")
        let again = try await varve.run("import", "repo2docker", ".", "--base", "localhost/other")
        #expect(again.status == 0 && again.stdout.contains("nothing to do"), "\(again)")
        #expect(try await git("status", "--porcelain") == before)
        let nothing = try await varve.run("import", "repo2docker", "a/data", "--base", "localhost/base")
        #expect(nothing.status == 1 && nothing.stderr.contains("has repo2docker files"), "\(nothing)")
    }

    @Test
    func foldersCanStandOnABootstrap() async throws {
        try git.write(["a/requirements.txt": "six\n", "a/Containerfile": "FROM localhost/x\n", "b/apt.txt": "git\n"])
        let first = try await varve.run(
            "import", "repo2docker", "b", "--base", "bootstrap:bookworm", "--bootstrap-package", "python3",
            "--bootstrap-user", "joyvan")
        #expect(first.status == 0, "\(first)")
        let bootstrap = "{bootstrap: {distribution: debian, suite: bookworm, packages: [python3], user: joyvan}}"
        #expect(try text("b/image.yaml").hasSuffix("\nname: b\nbase: \(bootstrap)\n"))
        let second = try await varve.run("import", "repo2docker", "a", "--base", "containerfile:Containerfile")
        #expect(second.status == 0, "\(second)")
        #expect(try text("a/image.yaml").hasSuffix("\nbase: {containerfile: Containerfile}\n"))
        for flags in [[], ["--base", "localhost/x", "--mirror", "http://x"], ["--base", "A b"]] {
            let wrong = try await varve.run("import", "repo2docker", "a", options: flags)
            #expect(wrong.status != 0 && !wrong.stderr.isEmpty, "\(wrong)")
        }
    }
}
