// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

@Suite("Files beside image.yaml")
struct LayerFileTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var file: String
        var text: String
        var expected: [String]
        var contains = ""
        var testDescription: String { file + ": " + text.prefix(60).debugDescription }
    }

    private static let a64 = String(repeating: "a", count: 64)

    static let cases = [
        Case(file: "apt.txt", text: "git\ncur?l\n", expected: ["VRV041 2:1"]),
        Case(file: "apt.txt", text: "git vim* # x\n", expected: ["VRV041 1:5"]),
        Case(file: "apt.txt", text: "~nvim\n", expected: ["VRV041 1:1"]),
        Case(file: "apt.txt", text: "^vim$\n", expected: ["VRV041 1:1"]),
        Case(file: "apt.txt", text: "mail-server^\n", expected: ["VRV041 1:1"], contains: "task"),
        Case(file: "apt.txt", text: "vim-\n", expected: ["VRV041 1:1"], contains: "removal"),
        Case(file: "apt.txt", text: "vim+\n", expected: ["VRV041 1:1"], contains: "forced"),
        Case(file: "apt.txt", text: "-y git\n", expected: ["VRV042 1:1"]),
        Case(file: "apt.txt", text: "--allow-downgrades\n", expected: ["VRV042 1:1"]),
        Case(file: "apt.txt", text: "-oDPkg::Pre-Invoke::=id\n", expected: ["VRV042 1:1"]),
        Case(file: "apt.txt", text: "git==1\n", expected: ["VRV040 1:1"], contains: "name=version"),
        Case(file: "apt.txt", text: "Git\n", expected: ["VRV040 1:1"], contains: "did you mean 'git'?"),
        Case(file: "apt.txt", text: "g\n", expected: ["VRV040 1:1"]),
        Case(file: "apt.txt", text: "./x.deb\n/tmp/x.deb\n", expected: ["VRV040 1:1", "VRV040 2:1"]),
        Case(file: "apt.txt", text: "git;id\ngit$(id)\n", expected: ["VRV040 1:1", "VRV041 2:1"]),
        Case(file: "apt.txt", text: "git\u{1B}[31m\n", expected: ["VRV041 1:1"], contains: "\\u{1b}"),
        Case(file: "environment.yml", text: "- a\n", expected: ["VRV050 1:1"]),
        Case(
            file: "environment.yml", text: "dependancies: [a]\n", expected: ["VRV050 1:1"],
            contains: "did you mean 'dependencies'?"),
        Case(file: "environment.yml", text: "dependencies: {a: b}\n", expected: ["VRV050 1:15"]),
        Case(
            file: "environment.yml", text: "dependencies:\n  - numpy:\n", expected: ["VRV050 2:5"],
            contains: "without a colon"),
        Case(file: "environment.yml", text: "dependencies:\n  - numpy >=1 <2\n", expected: ["VRV051 2:5"]),
        Case(
            file: "environment.yml", text: "dependencies:\n  - x[version='>=1,<2|3',build=/d::*]\n",
            expected: ["VRV051 2:5"]),
        Case(file: "requirements.txt", text: "https://a.b/c\\ # d\n", expected: ["VRV060 1:1"], contains: "backslash"),
        Case(file: "environment.yml", text: "dependencies:\n  - dask[a b=c\n", expected: ["VRV051 2:5"]),
        Case(file: "environment.yml", text: "dependencies:\n  - '[a]'\n", expected: ["VRV051 2:5"]),
        Case(file: "environment.yml", text: "dependencies:\n  - \"a\\nb\"\n", expected: ["VRV051 2:5"]),
        Case(file: "environment.yml", text: "dependencies:\n  - '*'\n", expected: ["VRV051 2:5"]),
        Case(file: "environment.yml", text: "dependencies:\n  - a ~=1.*\n", expected: ["VRV051 2:5"]),
        Case(file: "environment.yml", text: "channels: ['./local']\ndependencies: [a]\n", expected: ["VRV052 1:12"]),
        Case(
            file: "environment.yml", text: "channels: ['https://u:hunter2@x.org/c']\ndependencies: [a]\n",
            expected: ["VRV067 1:12"]),
        Case(
            file: "environment.yml", text: "channels: ['https://x.org/t/tk-hunter2/c']\ndependencies: [a]\n",
            expected: ["VRV067 1:12"]),
        Case(file: "environment.yml", text: "dependencies:\n  - pip:\n    - numpy=1\n", expected: ["VRV060 3:12"]),
        Case(file: "environment.yml", text: "dependencies: [a]\nvariables: {A-B: c}\n", expected: ["VRV029 2:13"]),
        Case(file: "environment.yml", text: "@EXPLICIT\nhttps://x.org/a.conda\n", expected: ["VRV054 2:1"]),
        Case(
            file: "environment.yml", text: "version: 1\nmetadata: {a: b}\npackage: [{a: b}]\n", expected: ["VRV053 1:1"]
        ),
        Case(
            file: "requirements.txt", text: "numpy=1.19\n", expected: ["VRV060 1:6"], contains: "pip writes name==1.0"),
        // packaging takes the first and refuses what it normalises it to.
        Case(file: "requirements.txt", text: "a_\nb-\n", expected: ["VRV060 1:2", "VRV060 2:2"]),
        Case(
            file: "environment.yml",
            text: "dependencies:\n  - c[build='*~']\n  - c[build='*[a']\n  - x[version='1|2',build=*-]\n",
            expected: ["VRV051 2:5", "VRV051 3:5", "VRV051 4:5"]),
        Case(
            file: "requirements.txt", text: "git+https://a.b/c@;;  os_name=='x'\n", expected: ["VRV060 1:1"],
            contains: "semicolon"),
        Case(file: "requirements.txt", text: "numpy>=1.*\n", expected: ["VRV060 1:8"]),
        Case(
            file: "requirements.txt", text: "# c\n\nx; pyton_version<'3'\n", expected: ["VRV060 3:4"],
            contains: "did you mean 'python_version'?"),
        Case(file: "requirements.txt", text: "x \\\n  >=1,\\\n  =2\n", expected: ["VRV060 3:3"]),
        Case(
            file: "requirements.txt", text: "--indexurl https://x.org\n", expected: ["VRV061 1:1"],
            contains: "did you mean '--index-url'?"),
        Case(
            file: "requirements.txt", text: "x --index-url https://x.org\n", expected: ["VRV061 1:3"],
            contains: "line of its own"),
        Case(file: "requirements.txt", text: "--hash=sha256:\(a64)\n", expected: ["VRV061 1:1"]),
        Case(file: "requirements.txt", text: "-i\n", expected: ["VRV062 1:1"]),
        Case(file: "requirements.txt", text: "--pre=yes\n", expected: ["VRV062 1:1"]),
        Case(file: "requirements.txt", text: "--index-url ftp://x.org\n", expected: ["VRV062 1:1"]),
        Case(file: "requirements.txt", text: "-f ./wheels\n", expected: ["VRV062 1:1"]),
        Case(file: "requirements.txt", text: "x==1 --hash=md5:abc\n", expected: ["VRV062 1:6"]),
        Case(file: "requirements.txt", text: "x --config-settings \"a\n", expected: ["VRV062 1:3"]),
        Case(file: "requirements.txt", text: "-r nowhere.txt\n", expected: ["VRV063 1:1"]),
        Case(
            file: "requirements.txt", text: "-r requirement.txt\n", expected: ["VRV063 1:1"],
            contains: "did you mean 'requirements.txt'?"),
        Case(
            file: "requirements.txt", text: "-r requirements.txt\n", expected: ["VRV064 1:1"],
            contains: "i/requirements.txt -> i/requirements.txt"),
        Case(file: "requirements.txt", text: "-r ../../etc/passwd\n", expected: ["VRV065 1:1"]),
        Case(file: "requirements.txt", text: "-c /etc/passwd\n", expected: ["VRV065 1:1"]),
        Case(file: "requirements.txt", text: "-r ../.git/config\n", expected: ["VRV065 1:1"]),
        Case(file: "requirements.txt", text: "file:///etc/x\n", expected: ["VRV065 1:1"]),
        Case(file: "requirements.txt", text: "x @ file:///etc/x\n", expected: ["VRV065 1:1"]),
        Case(file: "requirements.txt", text: "-e git+file:///x\n", expected: ["VRV065 1:1"]),
        Case(file: "requirements.txt", text: "-i https://${TOKEN}@x.org\n", expected: ["VRV066 1:12"]),
        Case(file: "requirements.txt", text: "-i https://u:hunter2@x.org\n", expected: ["VRV067 1:1"]),
        Case(file: "requirements.txt", text: "--extra-index-url=https://hunter2@x.org\n", expected: ["VRV067 1:1"]),
        Case(file: "requirements.txt", text: "git+https://hunter2@github.com/a/b\n", expected: ["VRV067 1:1"]),
        Case(file: "requirements.txt", text: "x @ https://u:hunter2@x.org/x.whl\n", expected: ["VRV067 1:1"]),
        Case(file: "requirements.txt", text: "-c https://u:hunter2@x.org/c.txt\n", expected: ["VRV067 1:1"]),
        Case(file: "requirements.txt", text: "x @ https://u:hunter2@x.org/x.whl y\n", expected: ["VRV060 1:35"]),
        Case(file: "apt.txt", text: "https://u:hunter2@x.org/x.deb\n", expected: ["VRV040 1:1"]),
        Case(file: "requirements.txt", text: "./nowhere\n", expected: ["VRV068 1:1"]),
        Case(file: "requirements.txt", text: "-e .\n", expected: ["VRV068 1:1"], contains: "pyproject.toml"),
        Case(file: "requirements.txt", text: "./x-1.0-py3-none-any.whl\n", expected: ["VRV069 1:1"]),
        Case(file: "requirements.txt", text: "./x-1.0.tar.gz\n", expected: ["VRV069 1:1"]),
        Case(file: "requirements.txt", text: "../../x-1.0-py3-none-any.whl\n", expected: ["VRV065 1:1"]),
        Case(file: "requirements.txt", text: "-r https://x.org/r.txt\n", expected: ["VRV070 1:1"]),
        Case(file: "requirements.txt", text: "x\u{1B}[0m\n", expected: ["VRV008 1:1"]),
        Case(file: "postBuild", text: "#!/bin/bash\r\necho\r\n", expected: ["VRV036 1:1"]),
        Case(file: "postBuild", text: "echo a\necho b\r\n", expected: ["VRV036 2:1"]),
        Case(file: "postBuild", text: "\u{FEFF}#!/bin/bash\n", expected: ["VRV038 1:1"]),
        Case(file: "start", text: "#!/bin/sh\necho\n", expected: ["VRV037 2:1"]),
        Case(file: "start", text: "exec $@\n", expected: ["VRV037 1:1"]),
        Case(file: "postbuild", text: "x\n", expected: ["VRV009 0:0"], contains: "'postBuild'"),
        Case(file: "Start", text: "x\n", expected: ["VRV009 0:0"]),
    ]

    @Test(arguments: cases)
    func diagnosticsAreExact(_ test: Case) throws {
        let diagnostics = try DefinitionFixture.diagnostics("base: localhost/x\n", [test.file: test.text])
        #expect(diagnostics.map { "\($0.code) \($0.line):\($0.column)" } == test.expected, "\(diagnostics)")
        #expect(diagnostics.allSatisfy { $0.file.description == "i/" + test.file })
        #expect(
            test.contains.isEmpty || diagnostics.contains { $0.description.contains(test.contains) }, "\(diagnostics)")
        #expect(!diagnostics.contains { $0.description.contains("hunter2") })
    }

    @Test
    func aptReadsWhatPeopleWrite() throws {
        let apt = try DefinitionFixture.image(
            files: "apt.txt",
            "\u{FEFF}# tools\r\n  git\tvim # editors\r\n\r\nlibc6:i386\ncurl=7.88.1-10+deb12u5\nhello/bookworm-backports\ng++\nlibstdc++6\npython3.11"
        ).build.apt
        #expect(
            apt?.packages == [
                "curl=7.88.1-10+deb12u5", "g++", "git", "hello/bookworm-backports", "libc6:i386", "libstdc++6",
                "python3.11", "vim",
            ]
        )
        #expect(try DefinitionFixture.image(files: "apt.txt", "# nothing\n\n").build.apt == nil)
    }

    @Test
    func environmentIsRead() throws {
        let image = try DefinitionFixture.image(
            files: "environment.yaml",
            """
            name: any
            prefix: /home/me/env
            platforms: [linux-64]
            channels: [conda-forge, nodefaults, 'https://x.org/c/', conda-forge/label/dev, conda-forge]
            dependencies:
              - NumPy=1.26
              - python 3.10
              - xarray >=2023, !=2023.5
              - pytorch::torch=2=*cuda*
              -
              - pip
              - pip:
                - Requests[security] == 2.31.0
                - --pre
            variables: {A: 1.10, B: yes, C: }
            """
        )
        let conda = try #require(image.build.conda)
        #expect(conda.channels == ["conda-forge", "nodefaults", "https://x.org/c", "conda-forge/label/dev"])
        #expect(
            conda.dependencies == [
                "numpy 1.26.*", "pip", "python ==3.10", "pytorch::torch ==2 *cuda*", "xarray !=2023.5,>=2023",
            ])
        #expect(conda.variables == ["A": "1.10", "B": "yes", "C": ""])
        #expect(conda.pip == PipContent(options: ["--pre"], requirements: ["requests[security]==2.31"]))
        #expect(image.build.pip == nil)
    }

    @Test
    func requirementsAreReadWithAllTheyInclude() throws {
        let image = try DefinitionFixture.image(
            "base: localhost/x\n",
            [
                "requirements.txt": """
                --index-url=https://x.org/simple  # ours
                -r more/dev.txt
                -c ../shared/constraints.txt
                -c https://x.org/constraints.txt
                Numpy == 1.26.0 ; python_version<'3.13'
                pkg==1.0 \\
                    --config-settings=a=b
                git+ssh://git@github.com/a/b.git@main#egg=b
                -e git+https://github.com/a/c#egg=c
                -e ../lib/mylib[test]
                ./pkg
                """,
                "more/dev.txt": "pytest\n-r more.txt\n-r ../more/more.txt\n", "more/more.txt": "Black\n",
                "pkg/setup.py": "x",
            ],
            outside: [
                "shared/constraints.txt": "scipy<2\n-r extra.txt\n", "shared/extra.txt": "extra-req\n",
                "lib/mylib/pyproject.toml": "",
            ]
        )
        let pip = try #require(image.build.pip)
        #expect(pip.options == ["--index-url https://x.org/simple", "--constraint https://x.org/constraints.txt"])
        #expect(
            pip.requirements == [
                "-e git+https://github.com/a/c#egg=c", "black", "extra-req",
                "git+ssh://git@github.com/a/b.git@main#egg=b",
                "numpy==1.26; python_version < \"3.13\"", "pkg==1 --config-settings=a=b", "pytest",
            ]
        )
        #expect(pip.constraints == ["scipy<2"])
        #expect(pip.localSources.map(\.name) == ["mylib", "pkg"])
        #expect(pip.localSources.map(\.isEditable) == [true, false])
        #expect(pip.localSources.map(\.extras) == [["test"], []])
        #expect(image.outsideInputs.map(\.description) == ["lib/mylib", "shared/constraints.txt", "shared/extra.txt"])
    }

    @Test
    func binderFoldersReplaceTheFolder() throws {
        for name in ["binder", ".binder"] {
            let image = try DefinitionFixture.image(
                "base: localhost/x\n", ["\(name)/apt.txt": "git\n", "requirements.txt": "numpy\n"])
            #expect(image.build.apt?.packages == ["git"])
            #expect(image.build.pip == nil)
        }
        let both = try DefinitionFixture.diagnostics(
            "base: localhost/x\n", [".binder/apt.txt": "git\n", "binder/apt.txt": "git\n"])
        #expect(both.map(\.code) == ["VRV015"])
        let environments = try DefinitionFixture.diagnostics(
            "base: localhost/x\n",
            ["environment.yml": "dependencies: [a]\n", "environment.yaml": "dependencies: [a]\n"]
        )
        #expect(environments.map(\.code) == ["VRV016"])
    }

    @Test
    func scriptsAreKeptByteForByte() throws {
        let python = "#!/usr/bin/env python3\r".replacing("\r", with: "") + "\nprint('a')\r\n"
        let image = try DefinitionFixture.image(
            "base: localhost/x\n", ["postBuild": python, "start": "#!/usr/bin/python3\nimport os\n"])
        #expect(image.build.postBuild?.script.bytes == Array(python.utf8))
        #expect(image.start?.hasShebang == true)
        #expect(
            try DefinitionFixture.image("base: localhost/x\n", ["postBuild": " \n", "verify": ""]).build.postBuild
                == nil)
    }

    @Test(arguments: [
        "exec \"$@\"\n", "exec \"$@\"", "#!/bin/bash -e\nexport A=1\n\nexec \"${@}\"  \n# end\n",
        "exec tini -- \\\n  \"$@\"\n",
        "exec \"$@\";\n", "exec ${1+\"$@\"}\n",
    ])
    func startEndsInExec(_ script: String) throws {
        #expect(try DefinitionFixture.image("base: localhost/x\n", ["start": script]).start != nil)
    }

    @Test
    func utf16IsRead() throws {
        let text = "dependencies: [numpy]\r\n"
        let bytes: [UInt8] =
            [0xFF, 0xFE] + text.utf16.flatMap { unit -> [UInt8] in [UInt8(unit & 0xFF), UInt8(unit >> 8)] }
        let tree = try MemorySourceTree([
            "i/image.yaml": .file(Array("base: localhost/x\n".utf8)), "i/environment.yml": .file(bytes),
            "i/requirements.txt": .file(Array("numpy\nna".utf8) + [0xEF, 0x76]),
        ])
        let fleet = try DefinitionReader(tree: tree, hostPlatform: Platform("linux/amd64")).readFleet()
        #expect(places(fleet.invalid.flatMap(\.diagnostics)) == ["VRV001 2:3 requirements.txt"])
    }
}

extension DefinitionFixture {
    /// The image with one file beside an `image.yaml` that only names a base.
    static func image(files name: String, _ text: String) throws -> ImageDefinition {
        try image("base: localhost/x\n", [name: text])
    }
}
