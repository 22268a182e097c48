// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// Edits that keep the meaning keep the canonical content; edits that change what is installed change it.
@Suite("Meaning")
struct MeaningTests {
    struct Pair: CustomTestStringConvertible, Sendable {
        var file: String
        var one: String
        var other: String
        var testDescription: String { "\(file): \(one.debugDescription) | \(other.debugDescription)" }
    }

    static let equal = [
        Pair(file: "requirements.txt", one: "numpy == 1.26", other: "NumPy==1.26.0  # pinned"),
        Pair(file: "requirements.txt", one: "a>=1,<2", other: "a <2.0, >=1.0"),
        Pair(file: "requirements.txt", one: "a_b.c", other: "A-B--C"),
        Pair(file: "requirements.txt", one: "a[x,y_z]", other: "a [Y.Z, x, x]"),
        Pair(file: "requirements.txt", one: "a==1.0rc1", other: "a==1.0.0-c1"),
        Pair(file: "requirements.txt", one: "a==1.0.post1", other: "a==1-1"),
        Pair(file: "requirements.txt", one: "a; os_name=='nt'", other: "a ;os.name == \"nt\""),
        Pair(file: "requirements.txt", one: "a\nb", other: "b\r\n\r\n# c\r\na\r\na"),
        Pair(file: "requirements.txt", one: "a==1", other: "a \\\n == \\\n 1"),
        Pair(file: "requirements.txt", one: "-i https://x.org\na", other: "--index-url=https://x.org\na"),
        Pair(
            file: "requirements.txt", one: "a==1 --hash=sha256:aa --hash=sha256:bb",
            other: "a==1 --hash sha256:BB --hash=sha256:aa"),
        Pair(
            file: "environment.yml", one: "dependencies: [numpy=1.26]",
            other: "name: x\nprefix: /y\ndependencies:\n- 'numpy 1.26.*'  # z\n"),
        Pair(file: "environment.yml", one: "dependencies: [a==1.0, b]", other: "dependencies: [b, A 1, b]"),
        Pair(file: "environment.yml", one: "dependencies: [a=1=*]", other: "dependencies: [a==1.0.0]"),
        Pair(file: "environment.yml", one: "dependencies: ['a>=1,<2']", other: "dependencies: [\"a < 2.0, >=1\"]"),
        Pair(file: "environment.yml", one: "dependencies: ['a 1|2']", other: "dependencies: [\"a ==2|==1\"]"),
        Pair(
            file: "environment.yml", one: "dependencies: ['c::a=1=b']",
            other: "dependencies: [\"a[channel=c, version='==1', build=b]\"]"),
        Pair(
            file: "environment.yml", one: "dependencies: [a, {pip: [b, c==1]}]",
            other: "dependencies: [{pip: [C==1.0, b]}, a]"),
        Pair(
            file: "environment.yml", one: "dependencies: [a]\nvariables: {A: b, C: d}",
            other: "variables: {C: 'd', A: \"b\"}\ndependencies: [a]"),
        Pair(file: "environment.yml", one: "dependencies: [a]", other: "dependencies: ['a[all, x.y]']"),
        Pair(file: "environment.yml", one: "dependencies: ['a >=1']", other: "dependencies: ['a[all]>=1']"),
        Pair(file: "requirements.txt", one: "-e git+https://x.org/a", other: "-e git+https://x.org/a b"),
        Pair(file: "apt.txt", one: "git\nvim", other: "# x\nvim git  git"),
    ]

    static let different = [
        Pair(file: "requirements.txt", one: "a==1.0", other: "a==1.0.1"),
        Pair(file: "requirements.txt", one: "a==1.0", other: "a===1.0"),
        Pair(file: "requirements.txt", one: "a==1.0.*", other: "a==1.*"),
        Pair(file: "requirements.txt", one: "a~=1.0", other: "a~=1.0.0"),
        Pair(file: "requirements.txt", one: "a", other: "a[x]"),
        Pair(file: "requirements.txt", one: "a", other: "a; os_name=='nt'"),
        Pair(
            file: "requirements.txt", one: "a; (os_name=='a' or os_name=='b') and extra=='c'",
            other: "a; os_name=='a' or os_name=='b' and extra=='c'"),
        Pair(
            file: "requirements.txt", one: "a; ((os_name=='a' or os_name=='b')) and extra=='c'",
            other: "a; os_name=='a' or os_name=='b' and extra=='c'"),
        Pair(file: "requirements.txt", one: "a", other: "--pre\na"),
        Pair(file: "requirements.txt", one: "-i https://x.org\na", other: "-i https://y.org\na"),
        Pair(file: "requirements.txt", one: "-i https://x.org\na", other: "--extra-index-url https://x.org\na"),
        Pair(
            file: "requirements.txt", one: "-f https://x.org\n-f https://y.org\na",
            other: "-f https://y.org\n-f https://x.org\na"),
        Pair(file: "requirements.txt", one: "a==1 --hash=sha256:aa", other: "a==1 --hash=sha256:ab"),
        Pair(file: "requirements.txt", one: "a @ https://x.org/a.whl", other: "a @ https://x.org/A.whl"),
        Pair(
            file: "environment.yml", one: "channels: [a, b]\ndependencies: [x]",
            other: "channels: [b, a]\ndependencies: [x]"),
        Pair(file: "environment.yml", one: "dependencies: [a=1.26]", other: "dependencies: [a==1.26]"),
        Pair(file: "environment.yml", one: "dependencies: [a=1.0]", other: "dependencies: [a=1]"),
        Pair(file: "environment.yml", one: "dependencies: [a_b]", other: "dependencies: [a-b]"),
        Pair(file: "environment.yml", one: "dependencies: [a=1=b]", other: "dependencies: [a=1=c]"),
        Pair(file: "environment.yml", one: "dependencies: [c::a]", other: "dependencies: [d::a]"),
        Pair(file: "environment.yml", one: "dependencies: ['a >=1,<2|3']", other: "dependencies: ['a >=1,(<2|3)']"),
        Pair(file: "environment.yml", one: "dependencies: [a]", other: "dependencies: [{pip: [a]}]"),
        Pair(
            file: "environment.yml", one: "dependencies: [a]\nvariables: {A: '1.10'}",
            other: "dependencies: [a]\nvariables: {A: '1.1'}"),
        Pair(file: "apt.txt", one: "git", other: "git=1"),
        Pair(file: "apt.txt", one: "git:amd64", other: "git:arm64"),
    ]

    @Test(arguments: equal)
    func spellingDoesNotCount(_ pair: Pair) throws {
        #expect(
            try DefinitionFixture.image(files: pair.file, pair.one).build
                == DefinitionFixture.image(files: pair.file, pair.other).build)
    }

    @Test(arguments: different)
    func meaningCounts(_ pair: Pair) throws {
        #expect(
            try DefinitionFixture.image(files: pair.file, pair.one).build
                != DefinitionFixture.image(files: pair.file, pair.other).build)
    }

    @Test
    func fileAndInlineFormsAreEqual() throws {
        let inline = try DefinitionFixture.image(
            "base: localhost/x\nbuild:\n  apt: [git]\n  conda: {channels: [c], dependencies: [a=1, {pip: [p]}]}\n  pip: [b]\n  postBuild: |\n    echo\nstart: |\n  exec \"$@\"\n"
        )
        let files = try DefinitionFixture.image(
            "base: localhost/x\n",
            [
                "apt.txt": "git\n", "environment.yml": "channels: [c]\ndependencies: [a=1, {pip: [p]}]\n",
                "requirements.txt": "b\n",
                "postBuild": "echo\n", "start": "exec \"$@\"\n",
            ]
        )
        #expect(inline.build == files.build)
        #expect(inline.start == files.start)
    }

    @Test
    func onlyInputsOfPostBuildCount() throws {
        let yaml = "base: localhost/x\ninputs: ['**', verify]\n"
        func build(_ yaml: String, _ files: [String: String]) throws -> BuildData {
            try DefinitionFixture.image(
                yaml, files.merging(["postBuild": "x\n", "verify": "v\n", "a/b.txt": "b"]) { $1.isEmpty ? $0 : $0 }
            ).build
        }
        let plain = try build(yaml, [:])
        #expect(plain.postBuild?.inputs.map(\.path.description) == ["a/b.txt", "verify"])
        #expect(try build("# c\n" + yaml + "description: d\n", [:]) == plain)
        #expect(try build(yaml, ["a/b.txt": "c"]) != plain)
        #expect(try build(yaml, ["apt.txt": "# comment\n"]).postBuild == plain.postBuild)
        #expect(try build(yaml, ["more": "x"]).postBuild != plain.postBuild)
    }

    /// Random requirement files in random order, spelling and layout have one canonical form.
    @Test
    func layoutNeverCounts() throws {
        var random = SeededGenerator(seed: 7)
        let names = ["numpy", "scikit-learn", "zope.interface", "Typing_Extensions", "a"]
        let specifiers = ["", "==1.26", ">=1.0,<2", "~=1.4.2", "!=1.5.*", "==2.0rc1", "===x"]
        let markers = ["", "python_version<'3.12'", "os_name=='posix' and (sys_platform=='linux' or extra=='x')"]
        for _ in 0..<200 {
            var lines: [(name: String, specifier: String, marker: String)] = []
            for name in names where Bool.random(using: &random) {
                lines.append(
                    (name, specifiers.randomElement(using: &random) ?? "", markers.randomElement(using: &random) ?? ""))
            }
            guard !lines.isEmpty else { continue }
            let plain = lines.map { $0.name + $0.specifier + ($0.marker.isEmpty ? "" : ";" + $0.marker) }.joined(
                separator: "\n")
            var text = Bool.random(using: &random) ? "\u{FEFF}" : ""
            let end = Bool.random(using: &random) ? "\r\n" : "\n"
            for line in lines.shuffled(using: &random) {
                if Bool.random(using: &random) { text += "# comment" + end }
                var name = line.name
                if Bool.random(using: &random) {
                    name = name.uppercased().replacing("-", with: "_").replacing(".", with: "--")
                }
                let blank = Bool.random(using: &random) ? "  " : " "
                // `===` compares text, and so keeps its own.
                let specifier =
                    line.specifier.hasPrefix("===") ? line.specifier : line.specifier.replacing(",", with: " ,\(blank)")
                let marker =
                    Bool.random(using: &random)
                    ? line.marker.replacing("'", with: "\"").replacing("==", with: " ==  ") : line.marker
                let separator = Bool.random(using: &random) ? "\\" + end + " " : blank
                text += name + separator + specifier + (marker.isEmpty ? "" : "\(blank);\(blank)" + marker)
                text += (Bool.random(using: &random) ? " # why" : "") + end
            }
            let one = try DefinitionFixture.image(files: "requirements.txt", plain).build
            let other = try DefinitionFixture.image(files: "requirements.txt", text).build
            #expect(one == other, "\(plain)\n--\n\(text)")
        }
    }

    /// Each folder has a name of its own, whatever the order of the lines.
    @Test
    func namesOfLocalFoldersDoNotDependOnOrder() throws {
        var random = SeededGenerator(seed: 11)
        let folders = ["pkg", "x/pkg", "y/pkg", "pkg-2", "z/pkg-2", "c/b", "c-b", "d/c-b", "b", "e/ü", "f/_", "f/__"]
        var files: [String: String] = [:]
        for folder in folders { files[folder + "/setup.py"] = folder }
        for _ in 0..<100 {
            let chosen = folders.filter { _ in Bool.random(using: &random) }
            var lines = chosen.map { (Bool.random(using: &random) ? "-e ./" : "./") + $0 }
            lines += chosen.filter { _ in Bool.random(using: &random) }.map { "./\($0)[test]" }
            guard !lines.isEmpty else { continue }
            func pip(_ lines: [String]) throws -> PipContent {
                let all = files.merging(["requirements.txt": lines.joined(separator: "\n")]) { $1 }
                return try #require(try DefinitionFixture.image("base: localhost/x\n", all).build.pip)
            }
            let one = try pip(lines)
            #expect(try one == pip(lines.shuffled(using: &random)), "\(lines)")
            let places = Dictionary(grouping: one.localSources, by: \.name).mapValues { Set($0.map(\.path)) }
            #expect(places.values.allSatisfy { $0.count == 1 } && places.count == chosen.count, "\(lines)")
        }
    }
}
