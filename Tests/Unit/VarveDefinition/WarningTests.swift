// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel

/// What a tool passes over is a warning with a place, and the definition is good.
@Suite("Warnings")
struct WarningTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var file: String
        var text: String
        var expected: [String]
        var testDescription: String { "\(file): \(text.debugDescription)" }
    }

    static let cases = [
        Case(file: "requirements.txt", text: "--pre torch\n", expected: ["VRV137 1:7"]),
        Case(file: "requirements.txt", text: "-e git+https://x.org/a \\\nb\n", expected: ["VRV137 2:1"]),
        Case(file: "requirements.txt", text: "a==1 --hash=sha256:aa b\n", expected: ["VRV137 1:23"]),
        Case(file: "environment.yml", text: "dependencies:\n  - dask[complete]\n", expected: ["VRV136 2:5"]),
        Case(file: "environment.yml", text: "dependencies: ['a[x]>=1', 'b[y=z]']\n", expected: ["VRV136 1:16"]),
        Case(file: "runtime.txt", text: "oci-image:a/b\n", expected: ["VRV138 1:1"]),
        Case(file: "requirements.txt", text: "torch\n", expected: []),
    ]

    @Test(arguments: cases)
    func warningsAreExact(_ test: Case) throws {
        let fleet = try DefinitionFixture.fleet(["i/image.yaml": "base: localhost/x\n", "i/\(test.file)": test.text])
        let warnings = fleet.warnings.values.flatMap(\.self)
        #expect(warnings.map { "\($0.code) \($0.line):\($0.column)" } == test.expected, "\(warnings)")
        #expect(warnings.allSatisfy { $0.severity == .warning && $0.description.contains(": warning: ") })
    }

    @Test
    func warningsOfABrokenDefinitionAreShownToo() throws {
        let fleet = try DefinitionFixture.fleet([
            "i/image.yaml": "base: localhost/x\n", "i/environment.yml": "dependencies: ['a[x]', 'b=']\n",
            "j/image.yaml": "base: localhost/x\n", "j/requirements.txt": "--pre x\n",
        ])
        #expect(fleet.invalid.flatMap(\.diagnostics).map(\.code) == ["VRV051"])
        #expect(fleet.warnings.keys.map(\.description).sorted() == ["i", "j"])
        let reader = try DefinitionFixture.reader([
            "i/image.yaml": "base: localhost/x\n", "i/requirements.txt": "--pre x\n",
            "j/image.yaml": "base: localhost/x\n", "j/requirements.txt": "--pre x\n",
        ])
        let one = try reader.readFleet(below: [try RepositoryPath("i")])
        #expect(one.warnings.keys.map(\.description) == ["i"])
    }
}
