// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

@testable import VarveBuild

/// Scripts of definitions, as they are read, run in a real image.
@Suite struct ScriptTests {
    private static let scripts = [
        // No shebang: bash, whatever /bin/sh is.
        "a=(x y); echo ${#a[@]}\n": ["2"],
        "#!/usr/bin/env python3\nimport sys\r\nprint('python', sys.version_info[0])\r\n": ["python 3"],
        "#!/bin/sh -e\ncat >f <<'E'\nexec \"$@\" # $HOME\n\tE\nE\ncat f\nfalse\necho never\n": [
            "exec \"$@\" # $HOME", "\tE",
        ],
        "#! /bin/bash\npython3 - a <<E\nimport sys\nprint(sys.argv[1] * 2, \"$0\"[-9:])\nE": ["aa postBuild"],
        "echo one; echo two\n\n": ["one", "two"],
    ]

    private func definition(_ files: [String: String]) throws -> ImageDefinition {
        var tree: [String: MemorySourceTree.File] = ["i/image.yaml": .file(Array("base: localhost/x\n".utf8))]
        for (name, text) in files { tree["i/" + name] = .file(Array(text.utf8), isExecutable: false) }
        let fleet = try DefinitionReader(tree: MemorySourceTree(tree), hostPlatform: Platform("linux/amd64"))
            .readFleet()
        return try #require(fleet.images.first, "\(fleet.invalid.flatMap(\.diagnostics))")
    }

    @Test func postBuildRunsWithoutModeBitInItsOwnLanguage() async throws {
        let bench = EngineBench.shared
        let engine = try await bench.makeEngine()
        let base = try await bench.base()
        for (text, expected) in Self.scripts {
            let content = try #require(try definition(["postBuild": text]).build.postBuild)
            let log = Lines()
            let request = try EngineBench.request(.postBuild(content), parent: base)
            if text.contains("never") {
                let failure = await #expect(throws: BuildFailure.self) { try await engine.build(request, log: log) }
                #expect(failure?.failureClass == .definition)
            } else {
                _ = try await engine.build(request, log: log)
            }
            #expect(log.all == expected, "\(text)")
        }
    }

    @Test func startWrapsInItsOwnLanguage() async throws {
        let bench = EngineBench.shared
        let engine = try await bench.makeEngine()
        let base = try await bench.base()
        for text in [
            "export STARTED=yes\nexec \"$@\"",
            "#!/bin/sh\ncat <<E >/dev/null\nx\nE\nexport STARTED=yes\nexec \\\n  \"$@\"\n",
            "#!/usr/bin/env python3\nimport os, sys\r\nos.environ['STARTED'] = 'yes'\r\nos.execvp(sys.argv[1], sys.argv[1:])\r\n",
        ] {
            let start = try #require(try definition(["start": text]).start)
            let layer = try await engine.build(
                EngineBench.request(.config(ConfigContent(start: start)), parent: base), log: Lines())
            let log = Lines()
            let check = Script(bytes: Array("echo $STARTED".utf8))
            try await engine.verify(layer, script: check, timeout: .seconds(60), log: log)
            #expect(log.all == ["yes"], "\(text)")
        }
    }
}
