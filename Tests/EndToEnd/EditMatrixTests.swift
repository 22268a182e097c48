// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// One edit and the steps that it may execute.
private struct Edit: CustomStringConvertible {
    enum Change {
        case write(String)
        case replace(String, by: String)
        case append(String)
    }

    let description: String
    var changes: [String: Change]
    var executed: [String]
    var committed: [String]?
    var tag: String?

    init(
        _ description: String, _ changes: [String: Change], executes executed: [String], commits: [String]? = nil,
        tag: String? = nil
    ) {
        (self.description, self.changes, self.executed) = (description, changes, executed)
        (committed, self.tag) = (commits, tag)
    }

    /// The changed files; an edit that changes nothing is a mistake of the test.
    func files(in folder: String) throws -> [String: String?] {
        var result: [String: String?] = [:]
        for (path, change) in changes {
            let old = (try? String(contentsOfFile: folder + "/" + path, encoding: .utf8)) ?? ""
            let new: String
            switch change {
            case .write(let text): new = text
            case .replace(let part, let other): new = old.replacing(part, with: other)
            case .append(let text): new = old + text
            }
            guard new != old else { throw FixtureError("the edit '\(description)' changes nothing") }
            result[path] = new
        }
        return result
    }
}

/// A change executes exactly the layers that it changes in meaning, counted by a shim in front of the tools.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct EditMatrixTests {
    private static let yaml = """
        description: A library
        build:
          apt: [less, tree]
        env: {WORD: one}
        inputs: [config/*.json]

        """

    private static let edits = [
        Edit(
            "comments in lists",
            ["images/lib/requirements.txt": .write("# Words.\niniconfig>=1  # a parser\nzipp>=3\n")], executes: []),
        Edit(
            "reordered and re-spaced list",
            ["images/lib/requirements.txt": .write("zipp >= 3\n\n\niniconfig>=1\n")], executes: []),
        Edit(
            "comment and order in image.yaml",
            ["images/lib/image.yaml": .replace("[less, tree]", by: "[tree,   less] # tools")],
            executes: []),
        Edit(
            "description, owner, visibility",
            [
                "images/lib/image.yaml": .replace(
                    "A library", by: "Another\nowner: group/data\nvisibility: account")
            ], executes: []),
        Edit("tags", ["images/lib/image.yaml": .append("tags: [stable]\n")], executes: [], tag: "stable"),
        Edit(
            "edited verify", ["images/lib/verify": .write("#!/bin/sh\ntest -e /built && true\n")], executes: ["verify"]),
        Edit("file that is no input", ["images/lib/notes.txt": .write("seen by nobody\n")], executes: []),
        Edit(
            "input file", ["images/lib/config/a.json": .write("{\"a\": 2}\n")],
            executes: ["postBuild", "postBuild", "verify"]),
        // The image comes out the same: it has passed this check before, and its child needs nothing.
        Edit("postBuild byte", ["images/lib/postBuild": .append("# one byte more\n")], executes: ["postBuild"]),
        Edit(
            "postBuild that builds something else", ["images/lib/postBuild": .append("echo more >>/built\n")],
            executes: ["postBuild", "postBuild", "verify"]),
        Edit(
            "env", ["images/lib/image.yaml": .replace("WORD: one", by: "WORD: two")],
            executes: ["postBuild", "verify"], commits: ["config", "config", "postbuild"]),
        Edit(
            "start", ["images/lib/start": .write("#!/bin/sh\nexport STARTED=2\nexec \"$@\"\n")],
            executes: ["postBuild", "verify"], commits: ["config", "config", "postbuild"]),
        Edit(
            "one pip line", ["images/lib/requirements.txt": .write("zipp==3.20.0\niniconfig>=1\n")],
            executes: ["pip", "postBuild", "postBuild", "verify"]),
        Edit(
            "one apt package", ["images/lib/image.yaml": .replace("tree,   less", by: "tree")],
            executes: ["apt", "pip", "postBuild", "postBuild", "verify"]),
        Edit("child alone", ["images/app/postBuild": .write("#!/bin/sh\necho 2 >/app\n")], executes: ["postBuild"]),
    ]

    @Test
    func everyEditExecutesExactlyItsLayers() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.debian)
        let post = """
            #!/bin/sh
            set -e
            test -e config/a.json
            test ! -e notes.txt
            cat config/a.json >/built

            """
        let lib = Fleet.image(
            "lib", base: base, more: Self.yaml,
            files: [
                "requirements.txt": "iniconfig>=1\nzipp>=3\n", "postBuild": post, "config/a.json": "{}\n",
                "start": "#!/bin/sh\nexport STARTED=1\nexec \"$@\"\n", "verify": "#!/bin/sh\ntest -e /built\n",
            ])
        let app = Fleet.image("app", base: "lib", files: ["postBuild": "#!/bin/sh\necho 1 >/app\n"])
        let first = try await fleet.pass(lib + app)
        try #require(first.status == 0, "\(first)")
        #expect(first.executed == ["apt", "pip", "postBuild", "postBuild", "verify"])

        let refs = try await fleet.varveRefs()
        let second = try await fleet.pass()
        #expect(second.status == 0, "\(second)")
        #expect(second.executed.isEmpty && second.committed.isEmpty, "\(second)")
        #expect(try await fleet.varveRefs() == refs)

        for edit in Self.edits {
            let outcome = try await fleet.pass(try edit.files(in: fleet.git.folder), message: edit.description)
            #expect(outcome.status == 0, "\(edit): \(outcome)")
            #expect(outcome.executed == edit.executed, "\(edit): \(outcome)")
            if let committed = edit.committed { #expect(outcome.committed == committed, "\(edit)") }
            if edit.executed.isEmpty { #expect(outcome.committed.isEmpty, "\(edit): \(outcome)") }
            if let tag = edit.tag { #expect(try await fleet.registry.tags(of: "fleet/lib").contains(tag)) }
        }
        let history = try await fleet.history("lib")
        let reasons = history.flatMap { $0["reasons"].array }
        #expect(reasons.contains { $0["layer"].string == "pip" && $0["new"].strings.contains("zipp==3.20") })
    }
}
