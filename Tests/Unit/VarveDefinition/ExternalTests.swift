// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel

/// Images that are built elsewhere and only registered.
@Suite("external")
struct ExternalTests {
    @Test func referenceAndWhatPeopleSayOfTheImageAreRead() throws {
        let image = try DefinitionFixture.image(
            "external: registry.example.com/team/cuda:12.2\nhardware: gpu\nowner: group/team\ndescription: theirs\n")
        #expect(image.base == .external(try ImageReference("registry.example.com/team/cuda:12.2")))
        #expect(image.hardware == .gpu && image.owner == .group("team") && image.description == "theirs")
        #expect(image.base.references.count == 1)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var yaml: String
        var files: [String: String] = [:]
        var expected: [String]
        var testDescription: String { yaml + files.keys.sorted().joined(separator: " ") }
    }

    @Test(arguments: [
        Case(yaml: "external: a.io/b:c\nbase: a.io/d\n", expected: ["VRV127 2:1"]),
        Case(yaml: "external: a.io/b:c\nbuild: {apt: [git]}\n", expected: ["VRV127 2:1"]),
        Case(
            yaml: "external: a.io/b:c\nenv: {A: b}\ntags: [x]\nstart: exec \"$@\"\nverify: 'true'\n",
            expected: ["VRV127 2:1", "VRV127 3:1", "VRV127 4:1", "VRV127 5:1"]),
        Case(yaml: "external: a.io/b:c\n", files: ["postBuild": "true\n"], expected: ["VRV127 1:11"]),
        Case(yaml: "external: a.io/b:c\n", files: ["requirements.txt": "six\n"], expected: ["VRV127 1:11"]),
        Case(yaml: "external: a.io/b:c\n", files: ["verify": "true\n"], expected: ["VRV127 1:11"]),
        Case(yaml: "external: ubuntu\n", expected: ["VRV126 1:11"]),
        Case(yaml: "external: library/ubuntu\n", expected: ["VRV024 1:11"]),
        Case(yaml: "external: user:secret@a.io/b:c\n", expected: ["VRV067 1:11"]),
        Case(yaml: "external: [a.io/b]\n", expected: ["VRV011 1:11"]),
        Case(yaml: "external:\n", expected: ["VRV012 1:1"]),
    ])
    func whatWouldBuildItIsAnErrorBesideIt(_ example: Case) throws {
        let found = try DefinitionFixture.diagnostics(example.yaml, example.files)
        #expect(places(found).map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == example.expected)
        #expect(!found.map(\.description).joined().contains("secret"))
        for diagnostic in found where diagnostic.code == "VRV127" { #expect(diagnostic.hint?.isEmpty == false) }
    }

    @Test func nothingCanBeCopiedFromIt() throws {
        let fleet = try DefinitionFixture.fleet([
            "a/image.yaml": "external: a.io/b:c\n", "b/image.yaml": "copyFrom: a\n", "c/image.yaml": "base: a\n",
            "d/image.yaml": "copyFrom: b\n",
        ])
        #expect(fleet.images.map(\.name.value) == ["a", "c"])
        #expect(fleet.invalid.flatMap(\.diagnostics).map(\.code) == ["VRV128", "VRV093"])
    }
}
