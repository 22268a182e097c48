// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

@Suite("Hostile input")
struct HostileInputTests {
    private func codes(_ files: [String: MemorySourceTree.File]) throws -> Set<String> {
        var all = files
        if all["i/image.yaml"] == nil { all["i/image.yaml"] = .file(Array("base: localhost/x\n".utf8)) }
        let fleet = try DefinitionReader(tree: try MemorySourceTree(all), hostPlatform: Platform("linux/amd64"))
            .readFleet()
        return Set(fleet.invalid.flatMap(\.diagnostics).map(\.code))
    }

    private func codes(_ file: String, _ text: String) throws -> Set<String> {
        try codes(["i/" + file: .file(Array(text.utf8))])
    }

    @Test(arguments: ["image.yaml", "environment.yml"])
    func billionLaughsAreRefusedAtOnce(_ file: String) throws {
        var text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for level in 1..<60 {
            let alias = "*a\(level - 1)"
            text += "a\(level): &a\(level) [" + Array(repeating: alias, count: 9).joined(separator: ",") + "]\n"
        }
        #expect(try codes(file, text) == ["VRV005"])
        // As keys, and with an anchor that ends at a comma.
        #expect(try codes(file, text + "? *a59\n: x\n") == ["VRV005"])
        #expect(try codes(file, "[&a,*a]\n").isSubset(of: ["VRV005", "VRV003"]))
        #expect(try codes(file, "{&a:*a}\n").isSubset(of: ["VRV005", "VRV003"]))
    }

    @Test(arguments: ["image.yaml", "environment.yml"])
    func deepNestingIsRefused(_ file: String) throws {
        for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("[{a: ", "}]")] {
            let text =
                "base: x\n" + (open == "- " || open == "? " ? "" : "k: ") + String(repeating: open, count: 10_000) + "x"
                + String(repeating: close, count: 10_000)
            #expect(!(try codes(file, text)).isEmpty)
            let alone = String(repeating: open, count: 10_000) + "x" + String(repeating: close, count: 10_000)
            #expect(!(try codes(file, alone)).isEmpty)
        }
        var indented = ""
        for level in 0..<2_000 { indented += String(repeating: " ", count: level) + "a:\n" }
        #expect(!(try codes(file, indented)).isEmpty)
    }

    @Test
    func deepMarkersAndVersionsAreRefused() throws {
        let marker =
            "x; " + String(repeating: "(", count: 10_000) + "python_version<'3'" + String(repeating: ")", count: 10_000)
        #expect(try codes("requirements.txt", marker) == ["VRV060"])
        let version = String(repeating: "(", count: 10_000) + "1" + String(repeating: ")", count: 10_000)
        #expect(try codes("environment.yml", "dependencies: ['a \(version)']\n") == ["VRV051"])
    }

    @Test
    func largeFilesAreRefused() throws {
        #expect(try codes("image.yaml", "base: localhost/x\n#" + String(repeating: "x", count: 1 << 20)) == ["VRV002"])
        #expect(try codes("apt.txt", String(repeating: "git ", count: 3 << 20)) == ["VRV002"])
    }

    @Test
    func longListsAndLinesAreRead() throws {
        #expect(try codes("apt.txt", String(repeating: "git\n", count: 1 << 15)) == [])
        #expect(try codes("apt.txt", String(repeating: "git ", count: 1 << 15)) == [])
        #expect(try codes("apt.txt", String(repeating: "g é ", count: 1 << 15)) == ["VRV040"])
        #expect(try codes("requirements.txt", String(repeating: "a\n", count: 1 << 15)) == [])
        #expect(try codes("requirements.txt", String(repeating: "= \n", count: 1 << 15)) == ["VRV060"])
        #expect(try codes("requirements.txt", String(repeating: "x\\\n", count: 1 << 17)) == ["VRV002"])
        #expect(try codes("requirements.txt", String(repeating: "#", count: 1 << 20)) == [])
        #expect(try codes("requirements.txt", "x " + String(repeating: "-e a ", count: 1 << 13)) == ["VRV062"])
        #expect(try codes("environment.yml", "dependencies:\n" + String(repeating: "- a\n", count: 1 << 14)) == [])
        #expect(
            try codes("environment.yml", "dependencies: ['a " + String(repeating: "1,", count: 1 << 15) + "1']\n") == [
                "VRV051"
            ])
        #expect(try codes("environment.yml", "dependencies: [" + String(repeating: "[", count: 1 << 20)) == ["VRV003"])
    }

    /// Files of the largest size are read, and one byte more is refused unread.
    @Test(arguments: [
        ("image.yaml", 1 << 20), ("apt.txt", 10 << 20), ("environment.yml", 10 << 20), ("requirements.txt", 10 << 20),
        ("runtime.txt", 10 << 20), (".condarc", 10 << 20),
    ])
    func filesOfTheLargestSizeAreRead(_ file: String, _ limit: Int) throws {
        let text = file == "image.yaml" ? "base: localhost/x\n" : ""
        let line = "#" + String(repeating: "x", count: 1_022) + "\n"
        let comments = String(repeating: line, count: limit / 1_024)
        let full = text + String(comments.prefix(limit - text.utf8.count))
        // runtime.txt has no comments.
        #expect(try codes(file, full) == (file == "runtime.txt" ? ["VRV071"] : []))
        #expect(try codes(file, full + "#") == ["VRV002"])
    }

    /// A name with a line feed or a control character could write a second line into what a tool or a person is given.
    @Test(arguments: [
        ("image.yaml", "base: localhost/x\nname: \"a\\nb\"\n"), ("image.yaml", "base: \"localhost/x\\ny\"\n"),
        ("image.yaml", "base: localhost/x\ntags: [\"a\\nb\"]\n"),
        ("image.yaml", "base: localhost/x\nowner: \"user/a\\nb\"\n"),
        ("image.yaml", "base: localhost/x\nenv: {\"A\\nB\": c}\n"),
        ("image.yaml", "base: localhost/x\ninputs: [\"a\\nb\"]\n"),
        ("image.yaml", "base: localhost/x\nbuild: {apt: [\"git\\n-y\"]}\n"),
        ("image.yaml", "base: localhost/x\nbuild: {apt: [\"g\\eit\"]}\n"),
        ("image.yaml", "base: localhost/x\nbuild: {pip: [\"a\\eb\"]}\n"),
        ("image.yaml", "base: localhost/x\nbuild: {cran: [\"a\\eb\"]}\n"),
        ("image.yaml", "base: localhost/x\nbuild: {conda: {channels: [\"a\\nb\"], dependencies: [a]}}\n"),
        ("image.yaml", "base: localhost/x\nbuild: {conda: {dependencies: [\"a\\nb\"]}}\n"),
        ("image.yaml", "base: localhost/x\ncopyFrom: \"a\\nb\"\n"),
        ("environment.yml", "dependencies: [\"a\\0\"]\n"),
        ("environment.yml", "dependencies: [a]\nvariables: {\"A\\n\": b}\n"),
        ("environment.yml", "dependencies: [{pip: [\"a\\e\"]}]\n"), (".condarc", "channel_priority: \"strict\\n\"\n"),
        ("runtime.txt", "python-3.10\u{1B}\n"), ("requirements.txt", "a\u{0}b\n"), ("apt.txt", "git\u{7F}\n"),
        // What apt reads as a pattern, a task, a removal, a forced installation, an option or a file.
        ("apt.txt", "?installed\n"), ("apt.txt", "~i\n"), ("apt.txt", "lib*\n"), ("apt.txt", "^git$\n"),
        ("apt.txt", "mail-server^\n"), ("apt.txt", "libc6-\n"), ("apt.txt", "git+\n"), ("apt.txt", "-y\n"),
        ("apt.txt", "./x.deb\n"),
        ("apt.txt", "git_\n"), ("apt.txt", "git/\n"), ("apt.txt", "git=\n"), ("apt.txt", "[a]\n"),
    ])
    func namesWithControlCharactersAndPatternsAreErrors(_ file: String, _ text: String) throws {
        let fleet = try DefinitionFixture.fleet(
            ["i/image.yaml": "base: localhost/x\n"].merging(["i/" + file: text]) { $1 })
        let found = fleet.invalid.flatMap(\.diagnostics)
        #expect(!found.isEmpty)
        for diagnostic in found {
            #expect(!diagnostic.description.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F })
        }
    }

    @Test
    func includesThatMultiplyAreReadOnce() throws {
        var files: [String: MemorySourceTree.File] = [:]
        for level in 0..<30 {
            let next = "-r r\(level + 1).txt\n"
            files["i/r\(level).txt"] = .file(Array((next + next + next).utf8))
        }
        files["i/r30.txt"] = .file(Array("numpy\n".utf8))
        files["i/requirements.txt"] = .file(Array("-r r0.txt\n".utf8))
        #expect(try codes(files) == [])
    }

    @Test
    func includeCyclesAndChainsAreRefused() throws {
        var files: [String: MemorySourceTree.File] = ["i/requirements.txt": .file(Array("-r a.txt\n".utf8))]
        files["i/a.txt"] = .file(Array("-c b.txt\n".utf8))
        files["i/b.txt"] = .file(Array("-r requirements.txt\n".utf8))
        #expect(try codes(files) == ["VRV064"])
        for level in 0..<100 { files["i/r\(level).txt"] = .file(Array("-r r\(level + 1).txt\n".utf8)) }
        files["i/requirements.txt"] = .file(Array("-r r0.txt\n".utf8))
        #expect(try codes(files) == ["VRV064"])
    }

    @Test
    func linksNeverLeadOut() throws {
        let base: [String: MemorySourceTree.File] = ["i/out": .symlink("../../etc"), "i/file": .symlink("/etc/passwd")]
        func withRequirements(_ text: String) throws -> Set<String> {
            try codes(base.merging(["i/requirements.txt": .file(Array(text.utf8))]) { $1 })
        }
        #expect(try withRequirements("-r out/passwd\n") == ["VRV065"])
        #expect(try withRequirements("-r file\n") == ["VRV065"])
        #expect(try withRequirements("-e out\n") == ["VRV065"])
        let yaml: [String: MemorySourceTree.File] = [
            "i/image.yaml": .file(Array("base: localhost/x\ninputs: ['**']\n".utf8))
        ]
        #expect(try codes(base.merging(yaml) { $1 }) == ["VRV032"])
    }

    @Test
    func patternsOfInputsCannotBlowUp() throws {
        let name = String(repeating: "a", count: 200)
        var files: [String: MemorySourceTree.File] = ["i/" + name: .file([])]
        let pattern = String(repeating: "*a", count: 100) + "b"
        files["i/image.yaml"] = .file(
            Array("base: localhost/x\ninputs: ['\(pattern)', '\(String(repeating: "**/", count: 200))b']\n".utf8))
        #expect(try codes(files) == ["VRV031"])
        // Longer than the path of any file.
        let long = String(repeating: "*a", count: 1_000)
        files["i/image.yaml"] = .file(Array("base: localhost/x\ninputs: ['\(long)']\n".utf8))
        #expect(try codes(files) == ["VRV030"])
        // Few enough to be read, too many to be compared with many files.
        for number in 0..<200 { files["i/f\(number)\(name)"] = .file([]) }
        let many = Array(repeating: "'*\(String(repeating: "a", count: 100))b'", count: 20).joined(separator: ", ")
        files["i/image.yaml"] = .file(Array("base: localhost/x\ninputs: [\(many)]\n".utf8))
        #expect(try codes(files) == ["VRV034"])
    }

    @Test
    func errorsWithoutNumberCostLittle() throws {
        let words = Array(repeating: "dsk", count: 100_000).joined(separator: ",")
        #expect(try codes("image.yaml", "base: localhost/x\nsupports: [\(words)]\n") == ["VRV022"])
    }

    @Test
    func patternsOfTheFleetFileCannotBlowUp() throws {
        let pattern = "'**/\(String(repeating: "*a", count: 400))b'"
        let many = Array(repeating: pattern, count: 500).joined(separator: ", ")
        let base = "localhost/" + String(repeating: "a", count: 200)
        let bases = try DefinitionFixture.fleet([
            "i/image.yaml": "base: \(base)\n", "varve.yaml": "policy: {bases: [\(many)]}\n",
        ])
        #expect(bases.invalid.flatMap(\.diagnostics).map(\.code) == ["VRV155"])
    }

    /// Cuts, doubles and mixes pieces of valid files; whatever comes out must be read or refused, never trap.
    @Test
    func mutatedFilesNeverTrap() throws {
        var random = SeededGenerator(seed: 20_261_123)
        let seeds = [
            "image.yaml":
                "name: a\nbase: {bootstrap: {distribution: debian, suite: bookworm}}\nbuild:\n  apt: [git]\n  pip: |\n    numpy==1.0; python_version<'3'\nenv: {A: \"b\"}\ninputs: ['*.j[a-z]on', '**']\n",
            "environment.yml":
                "channels: [a, b]\ndependencies:\n  - numpy=1.26=py_0\n  - c/d::x[version='>=1,<2|3',build=*]\n  - pip:\n    - -r r.txt\n    - x[a,b]~=1.0\n",
            "requirements.txt":
                "-i https://a.b/c\nx[a]>=1.0a1.post2.dev3+local ; (os_name == 'a' or extra in 'b') \\\n  --hash=sha256:ab\n-e ./p[x]\n-c c.txt\ngit+https://a.b/c@d#egg=e ; os_name=='x'\n",
            "apt.txt": "git vim=1:2.3-4~5 a/b c:amd64 # x\n",
            "start": "#!/bin/bash\r\nexec \"$@\" \\\n# x\n",
        ]
        let alphabet = Array(seeds.values.joined().utf8) + [0, 9, 13, 0x1B, 0x7F, 0xC3, 0xE2, 0xFF, 0xFE]
        for _ in 0..<400 {
            var files: [String: MemorySourceTree.File] = [:]
            for (name, text) in seeds.sorted(by: { $0.key < $1.key }) {
                var bytes = Array(text.utf8)
                for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                    let index = Int.random(in: 0..<bytes.count, using: &random)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: bytes[index] = alphabet.randomElement(using: &random) ?? 0
                    case 1: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: index)
                    case 2:
                        bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...6, using: &random)))
                    default: bytes += bytes[index...]
                    }
                }
                files["i/" + name] = .file(bytes)
            }
            _ = try codes(files)
        }
    }
}

/// A small deterministic generator (SplitMix64), so that a failing case can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
