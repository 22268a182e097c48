// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

@Suite("image.yaml")
struct ImageFileTests {
    @Test
    func everyKeyIsRead() throws {
        let image = try DefinitionFixture.image(
            """
            name: ds-python
            description: Python for the group
            owner: group/data-science
            visibility: account
            hardware: cpu
            supports: [dask, jupyterlab, dask]
            base: docker.io/library/debian:bookworm-slim
            build:
              apt: [graphviz, git, git]
              conda: {channels: [conda-forge], dependencies: [python=3.12, xarray], variables: {A: 1.10}}
              pip: |
                polars>=1
              postBuild: |
                echo done
            env: {TZ: UTC, VERSION: 1.10, ON: yes, OCTAL: 012}
            inputs: [config/*.json]
            start: |
              exec "$@"
            verify: python -c 'import polars'
            platforms: [linux/arm64, linux/arm64]
            tags: [stable, '3.10', 3.10]
            suspend: true
            """, ["config/a.json": "{}", "config/deep/b.json": "{}"]
        )
        #expect(image.name.value == "ds-python")
        #expect(image.description == "Python for the group")
        #expect(image.owner == .group("data-science"))
        #expect(image.visibility == .account)
        #expect(image.hardware == .cpu)
        #expect(image.supports == [.jupyterlab, .dask])
        #expect(image.base == .registry(try ImageReference("docker.io/library/debian:bookworm-slim")))
        #expect(image.build.apt?.packages == ["git", "graphviz"])
        #expect(image.build.conda?.channels == ["conda-forge"])
        #expect(image.build.conda?.dependencies == ["python 3.12.*", "xarray"])
        #expect(image.build.conda?.variables == ["A": "1.10"])
        #expect(image.build.pip?.requirements == ["polars>=1"])
        #expect(image.build.postBuild?.script.bytes == Array("echo done\n".utf8))
        #expect(image.build.postBuild?.inputs.map(\.path.description) == ["config/a.json"])
        #expect(image.environment == ["TZ": "UTC", "VERSION": "1.10", "ON": "yes", "OCTAL": "012"])
        // The kernel runs the entrypoint, and takes no script without a shebang.
        #expect(image.start?.bytes == Array("#!/usr/bin/env bash\nexec \"$@\"\n".utf8))
        #expect(image.verify?.bytes == Array("python -c 'import polars'".utf8))
        #expect(image.platforms.map(\.description) == ["linux/arm64"])
        #expect(image.tags == ["stable", "3.10"])
        #expect(image.isSuspended)
    }

    @Test
    func defaultsHoldWhereAKeyIsAbsentOrEmpty() throws {
        for yaml in ["base: other\n", "base: other\nowner:\nbuild: {apt: , pip: ~}\nenv:\ntags: null\nsuspend:\n"] {
            let fleet = try DefinitionFixture.fleet(["i/image.yaml": yaml, "other/image.yaml": "base: localhost/x\n"])
            let image = try #require(fleet.images.first)
            #expect(fleet.invalid.isEmpty)
            #expect(image.name.value == "i")
            #expect(image.owner == .allUsers)
            #expect(image.visibility == .org)
            #expect(image.hardware == .cpu)
            #expect(image.base == .image(try ImageName("other")))
            #expect(image.build == BuildData())
            #expect(image.platforms == [try Platform("linux/amd64")])
            #expect(image.environment.isEmpty && image.tags.isEmpty && !image.isSuspended)
        }
    }

    @Test
    func bootstrapBaseIsRead() throws {
        let image = try DefinitionFixture.image(
            "base: {bootstrap: {distribution: debian, suite: bookworm, mirror: 'http://deb.debian.org/debian', packages: [curl, ca-certificates], user: joyvan}}\n"
        )
        #expect(
            image.base
                == .bootstrap(
                    BootstrapSpecification(
                        distribution: "debian", suite: "bookworm", mirror: "http://deb.debian.org/debian",
                        packages: ["ca-certificates", "curl"], user: "joyvan"
                    )
                )
        )
    }

    @Test
    func imageAtTheRootNeedsAName() throws {
        let fleet = try DefinitionFixture.fleet(["image.yaml": "name: root\nbase: localhost/x\n"])
        #expect(fleet.images.map(\.folder) == [.root])
        let unnamed = try DefinitionFixture.fleet(["image.yaml": "base: localhost/x\n"])
        #expect(places(unnamed.invalid.flatMap(\.diagnostics)) == ["VRV020 1:1 image.yaml"])
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var yaml: String
        var expected: [String]
        var text = ""
        var testDescription: String { name }
    }

    static let cases = [
        Case(
            name: "unknown key", yaml: "base: localhost/x\nbulid: {}\n", expected: ["VRV010 2:1"],
            text: "did you mean 'build'?"),
        Case(
            name: "unknown nested key", yaml: "base: localhost/x\nbuild:\n  postbuild: x\n", expected: ["VRV010 3:3"],
            text: "did you mean 'postBuild'?"),
        Case(
            name: "all at once", yaml: "nme: x\nbase: localhost/x\nhardware: gpx\nsuspend: yes\ntags: x\n",
            expected: ["VRV010 1:1", "VRV022 3:11", "VRV011 4:10", "VRV011 5:7"]),
        Case(
            name: "yes is no truth value", yaml: "base: localhost/x\nsuspend: yes\n", expected: ["VRV011 2:10"],
            text: "write true"),
        Case(name: "quoted true is text", yaml: "base: localhost/x\nsuspend: 'true'\n", expected: ["VRV011 2:10"]),
        Case(name: "missing base", yaml: "name: x\n", expected: ["VRV012 1:1"], text: "'base' is missing"),
        Case(name: "empty file", yaml: "", expected: ["VRV012 0:0"]),
        Case(name: "only a comment", yaml: "# x\n", expected: ["VRV012 0:0"]),
        Case(name: "a list", yaml: "- base\n", expected: ["VRV011 1:1"]),
        Case(
            name: "not supported yet", yaml: "base: localhost/x\nrefresh: {apt: 24h}\n", expected: ["VRV013 2:1"],
            text: "not supported yet"),
        Case(name: "copyFrom without a value", yaml: "copyFrom:\n", expected: ["VRV012 1:1"]),
        Case(name: "external", yaml: "external: x\n", expected: ["VRV126 1:11"], text: "REGISTRY/REPOSITORY:TAG"),
        Case(name: "containerfile", yaml: "base: {containerfile: Containerfile}\n", expected: ["VRV121 1:23"]),
        Case(name: "name", yaml: "name: Big\nbase: localhost/x\n", expected: ["VRV020 1:7"]),
        Case(
            name: "name with a line feed", yaml: "name: \"a\\nb\"\nbase: localhost/x\n", expected: ["VRV020 1:7"],
            text: "a\\nb"),
        Case(
            name: "owner", yaml: "base: localhost/x\nowner: grup/a\n", expected: ["VRV023 2:8"],
            text: "did you mean 'group/a'?"),
        Case(name: "owner without a name", yaml: "base: localhost/x\nowner: user/\n", expected: ["VRV023 2:8"]),
        Case(
            name: "word", yaml: "base: localhost/x\nvisibility: orgs\n", expected: ["VRV022 2:13"],
            text: "did you mean 'org'?"),
        Case(
            name: "word in a list", yaml: "base: localhost/x\nsupports: [dask, jupiterlab]\n",
            expected: ["VRV022 2:18"], text: "did you mean 'jupyterlab'?"),
        Case(
            name: "base without its registry", yaml: "base: debian:12\n", expected: ["VRV024 1:7"],
            text: "did you mean 'docker.io/library/debian:12'?"),
        Case(
            name: "base with a path only", yaml: "base: jupyter/scipy\n", expected: ["VRV024 1:7"],
            text: "did you mean 'docker.io/jupyter/scipy'?"),
        Case(
            name: "base with a scheme", yaml: "base: https://ghcr.io/a/b\n", expected: ["VRV024 1:7"],
            text: "did you mean 'ghcr.io/a/b'?"),
        Case(name: "base with credentials", yaml: "base: https://me:hunter2@ghcr.io/a/b\n", expected: ["VRV067 1:7"]),
        Case(name: "base with a user", yaml: "base: me:hunter2@ghcr.io/a/b\n", expected: ["VRV067 1:7"]),
        Case(name: "base of the wrong type", yaml: "base: [a]\n", expected: ["VRV011 1:7"]),
        Case(
            name: "credential in a wrong word", yaml: "base: localhost/x\nvisibility: token=hunter2\n",
            expected: ["VRV022 2:13"], text: "token=***"),
        Case(name: "empty base", yaml: "base: {}\n", expected: ["VRV024 1:7"]),
        Case(
            name: "bootstrap without a suite", yaml: "base: {bootstrap: {distribution: debian}}\n",
            expected: ["VRV012 1:19"]),
        Case(
            name: "bootstrap distribution", yaml: "base: {bootstrap: {distribution: Debian, suite: x}}\n",
            expected: ["VRV022 1:34"], text: "did you mean 'debian'?"),
        Case(
            name: "bootstrap package", yaml: "base: {bootstrap: {distribution: debian, suite: x, packages: [a*]}}\n",
            expected: ["VRV041 1:63"]),
        Case(
            name: "bootstrap mirror",
            yaml: "base: {bootstrap: {distribution: debian, suite: x, mirror: 'file:///x'}}\n",
            expected: ["VRV033 1:60"]),
        Case(
            name: "bootstrap suite", yaml: "base: {bootstrap: {distribution: debian, suite: '-x'}}\n",
            expected: ["VRV033 1:49"]),
        Case(name: "tag", yaml: "base: localhost/x\ntags: ['a b']\n", expected: ["VRV027 2:8"]),
        Case(
            name: "reserved tag", yaml: "base: localhost/x\ntags: [latest]\n", expected: ["VRV027 2:8"],
            text: "reserved"),
        Case(
            name: "build tag", yaml: "base: localhost/x\ntags: [2026.11.23-0123456789ab]\n", expected: ["VRV027 2:8"],
            text: "reserved"),
        Case(
            name: "platform", yaml: "base: localhost/x\nplatforms: [linux-amd64]\n", expected: ["VRV028 2:13"],
            text: "did you mean 'linux/amd64'?"),
        Case(
            name: "too many platforms",
            yaml: "base: localhost/x\nplatforms: [linux/amd64, linux/arm64, linux/386, linux/s390x, linux/arm]\n",
            expected: ["VRV028 2:63"], text: "at most 4 platforms"),
        Case(
            name: "gpu on a bootstrap",
            yaml: "base: {bootstrap: {distribution: debian, suite: bookworm}}\nhardware: gpu\n",
            expected: ["VRV080 1:7"], text: "a bootstrap has none"),
        Case(
            name: "bootstrap package of a suite",
            yaml: "base: {bootstrap: {distribution: debian, suite: x, packages: [a1, a1/b, a1=2:3]}}\n",
            expected: ["VRV033 1:67"]),
        Case(
            name: "bootstrap mirror that the build refuses",
            yaml: "base: {bootstrap: {distribution: debian, suite: x, mirror: 'HTTP://a.b/'}}\n",
            expected: ["VRV033 1:60"]),
        Case(
            name: "bootstrap user", yaml: "base: {bootstrap: {distribution: debian, suite: x, user: Joyvan}}\n",
            expected: ["VRV120 1:58"], text: "did you mean 'joyvan'?"),
        Case(
            name: "bootstrap user root", yaml: "base: {bootstrap: {distribution: debian, suite: x, user: root}}\n",
            expected: ["VRV120 1:58"]),
        Case(
            name: "bootstrap suite in capitals", yaml: "base: {bootstrap: {distribution: debian, suite: Bookworm}}\n",
            expected: ["VRV033 1:49"]),
        Case(
            name: "variable", yaml: "base: localhost/x\nenv: {A-B: x, '1': y}\n",
            expected: ["VRV029 2:7", "VRV029 2:15"]),
        Case(name: "variable without a value", yaml: "base: localhost/x\nenv: {A: }\n", expected: ["VRV011 2:10"]),
        Case(name: "variable with a list", yaml: "base: localhost/x\nenv: {A: [b]}\n", expected: ["VRV011 2:10"]),
        Case(name: "NUL", yaml: "base: localhost/x\nenv: {A: \"a\\0b\"}\n", expected: ["VRV008 2:10"]),
        Case(name: "input without a match", yaml: "base: localhost/x\ninputs: ['*.json']\n", expected: ["VRV031 2:10"]),
        Case(name: "input that climbs", yaml: "base: localhost/x\ninputs: [../x]\n", expected: ["VRV030 2:10"]),
        Case(name: "absolute input", yaml: "base: localhost/x\ninputs: [/etc/passwd]\n", expected: ["VRV030 2:10"]),
        Case(name: "image.yaml as input", yaml: "base: localhost/x\ninputs: [image.yaml]\n", expected: ["VRV030 2:10"]),
        Case(name: "unclosed bracket", yaml: "base: localhost/x\ninputs: ['[a']\n", expected: ["VRV030 2:10"]),
        Case(
            name: "start without exec", yaml: "base: localhost/x\nstart: |\n  export A=1\n  \"$@\"\n",
            expected: ["VRV037 4:3"]),
        Case(
            name: "duplicate key", yaml: "base: localhost/x\nname: a\nname: b\n", expected: ["VRV004 3:1"],
            text: "first in line 2"),
        Case(
            name: "duplicate key in quotes", yaml: "base: localhost/x\nenv:\n  A: a\n  B: b\n  'A': c\n",
            expected: ["VRV004 5:3"]),
        Case(name: "several documents", yaml: "base: localhost/x\n---\nbase: localhost/y\n", expected: ["VRV006 2:1"]),
        Case(name: "alias", yaml: "base: &b localhost/x\nname: *b\n", expected: ["VRV005 2:7"], text: "aliases"),
        Case(name: "merge key", yaml: "base: localhost/x\n<<: {name: a}\n", expected: ["VRV005 2:1"]),
        Case(name: "tag of YAML", yaml: "base: !!binary localhost/x\n", expected: ["VRV005 1:7"]),
        Case(name: "key that is a list", yaml: "base: localhost/x\n? [a]\n: b\n", expected: ["VRV005 2:3"]),
        Case(
            name: "tab", yaml: "base: localhost/x\nbuild:\n\tapt: [git]\n", expected: ["VRV003 3:1"],
            text: "not by tabs"),
        Case(name: "syntax", yaml: "base: localhost/x\nenv: {A: b\n", expected: ["VRV003 3:1"]),
        Case(
            name: "column in characters", yaml: "base: localhost/x\nenv: {ä: é, 'ß-': x}\n",
            expected: ["VRV029 2:7", "VRV029 2:13"]),
        Case(
            name: "apt in a block", yaml: "base: localhost/x\nbuild:\n  apt: |\n\n    git\n    cur*l\n",
            expected: ["VRV041 6:5"]),
        Case(
            name: "pip in a list", yaml: "base: localhost/x\nbuild:\n  pip:\n    - numpy\n    - 'pandas=2'\n",
            expected: ["VRV060 5:14"]),
        Case(
            name: "conda in line", yaml: "base: localhost/x\nbuild: {conda: {dependencies: ['a==']}}\n",
            expected: ["VRV051 2:32"]),
    ]

    @Test(arguments: cases)
    func diagnosticsAreExact(_ test: Case) throws {
        let diagnostics = try DefinitionFixture.diagnostics(test.yaml)
        #expect(diagnostics.map { "\($0.code) \($0.line):\($0.column)" } == test.expected, "\(diagnostics)")
        #expect(test.text.isEmpty || diagnostics.contains { $0.description.contains(test.text) }, "\(diagnostics)")
        #expect(!diagnostics.contains { $0.description.contains("hunter2") })
    }

    @Test
    func layerGivenTwiceIsAnError() throws {
        let diagnostics = try DefinitionFixture.diagnostics(
            """
            base: localhost/x
            build:
              apt: [git]
              conda: {dependencies: [a]}
              pip: [b]
              postBuild: c
            start: exec "$@"
            verify: e
            """,
            [
                "apt.txt": "git\n", "environment.yml": "dependencies: [a]\n", "requirements.txt": "b\n",
                "postBuild": "c\n",
                "start": "exec \"$@\"\n", "verify": "e\n",
            ]
        )
        #expect(diagnostics.map(\.code) == Array(repeating: "VRV014", count: 6))
        #expect(diagnostics.map(\.line) == [3, 4, 5, 6, 7, 8])
    }

    @Test
    func emptyListLeavesTheFileOut() throws {
        let image = try DefinitionFixture.image(
            "base: localhost/x\nbuild: {apt: [], pip: []}\n",
            ["apt.txt": "git\n", "requirements.txt": "not a requirement\n", "postBuild": "c\n"])
        #expect(image.build.apt == nil && image.build.pip == nil && image.build.postBuild != nil)
    }

    @Test
    func everyCodeHasItsExplanation() {
        #expect(Set(DiagnosticCode.allCases.map(\.rawValue)).count == DiagnosticCode.allCases.count)
        for code in DiagnosticCode.allCases {
            #expect(code.rawValue.wholeMatch(of: /VRV[01]\d\d/) != nil)
            #expect(code.explanation.hasSuffix(".") && !code.explanation.contains("\n"), "\(code)")
            #expect(DiagnosticCode.explanation(of: code.rawValue) == code.explanation)
        }
        #expect(DiagnosticCode.explanation(of: "VRV999") == nil)
    }
}
