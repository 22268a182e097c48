// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// Scripts as people write them: what would fail before its first command is an error, everything else is taken as it stands.
@Suite("Scripts")
struct ScriptFixtureTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        /// The errors of each file: `line:column` of VRV036, VRV037 or VRV038.
        var postBuild: [String] = []
        var start: [String] = []
        var testDescription: String { text.debugDescription }
    }

    static let cases = [
        Case(text: "#!/bin/bash\necho a\nexec \"$@\"\n"),
        Case(text: "#!/usr/bin/env -S bash -e\nexec \"$@\"\n"),
        Case(text: "echo a\nexec \"$@\""),
        Case(text: "#!/bin/bash\r\nexec \"$@\"\r\n", postBuild: ["VRV036 1:1"], start: ["VRV036 1:1"]),
        Case(text: "#!/usr/bin/env python3\r\nprint()\r\n", postBuild: ["VRV036 1:1"], start: ["VRV036 1:1"]),
        // The shebang alone was mended; bash would look for the command `echo a\r`.
        Case(text: "#!/bin/sh\necho a\r\nexec \"$@\"\n", postBuild: ["VRV036 2:1"], start: ["VRV036 2:1"]),
        Case(text: "echo a\r\nexec \"$@\"\n", postBuild: ["VRV036 1:1"], start: ["VRV036 1:1"]),
        Case(text: "#!/usr/bin/env python3\nprint(1)\r\nprint(2)\r\n"),
        Case(text: "#!/usr/bin/python3\nimport os, sys\nos.execvp(sys.argv[1], sys.argv[1:])\n"),
        Case(text: "cat >f <<'EOF'\nexec \"$@\"\nEOF\n", start: ["VRV037 3:1"]),
        Case(text: "cat >f <<-EOF\n\ta # not a comment\n\tEOF\nexec \"$@\" # last\n"),
        Case(text: "#!/bin/sh\npython3 - <<E\nprint('x')\nE\nexec env \\\n  A=1 \\\n  \"$@\"\n"),
        Case(text: "echo a\n", start: ["VRV037 1:1"]),
        Case(text: "\u{FEFF}#!/bin/sh\nexec \"$@\"\n", postBuild: ["VRV038 1:1"], start: ["VRV038 1:1"]),
        Case(text: " \n\t\n"),
    ]

    @Test(arguments: cases)
    func errorsAreExact(_ test: Case) throws {
        for (name, expected) in [("postBuild", test.postBuild), ("start", test.start), ("verify", test.postBuild)] {
            let found = try DefinitionFixture.diagnostics("base: localhost/x\n", [name: test.text])
            let places = found.map { "\($0.code) \($0.line):\($0.column)" }
            // What `start` ends in is beside the point where the script cannot begin.
            #expect(
                places.filter { name == "start" || !$0.hasPrefix("VRV037") }.prefix(1) == expected.prefix(1),
                "\(name): \(found)")
        }
    }

    @Test(arguments: ["x <- 1\r\ncat(x)\r\n", "#!/usr/bin/env Rscript\r\ncat(1)\r\n", "cat('é')"])
    func rReadsBothKindsOfLineEnd(_ text: String) throws {
        let image = try DefinitionFixture.image("base: localhost/x\n", ["install.R": text])
        #expect(image.build.installR?.script.bytes == Array(text.utf8))
    }

    /// The mode bit of a script does not count, its bytes do.
    @Test
    func theModeBitDoesNotCount() throws {
        func build(_ text: String, isExecutable: Bool) throws -> (BuildData, Script?) {
            let file = MemorySourceTree.File.file(Array(text.utf8), isExecutable: isExecutable)
            let tree = try MemorySourceTree([
                "i/image.yaml": .file(Array("base: localhost/x\n".utf8)), "i/postBuild": file, "i/start": file,
                "i/install.R": file,
            ])
            let fleet = try DefinitionReader(tree: tree, hostPlatform: Platform("linux/amd64")).readFleet()
            let image = try #require(fleet.images.first)
            return (image.build, image.start)
        }
        let one = try build("exec \"$@\"\n", isExecutable: false)
        #expect(try one == build("exec \"$@\"\n", isExecutable: true))
        #expect(try one != build("exec  \"$@\"\n", isExecutable: false))
    }
}
