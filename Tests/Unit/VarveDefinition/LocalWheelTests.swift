// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarvePlan

/// Requirements that are wheels of the repository.
@Suite("Local wheels")
struct LocalWheelTests {
    private static let name = "foo-1.0+cpu-py3-none-any.whl"

    private func pip(_ line: String, _ files: [String: String], outside: [String: String] = [:]) throws -> PipContent {
        let files = files.merging(["requirements.txt": line + "\n"]) { $1 }
        return try #require(try DefinitionFixture.image("base: localhost/x\n", files, outside: outside).build.pip)
    }

    private func key(_ content: PipContent) throws -> LayerKey {
        LayerKey(platform: try Platform("linux/amd64"), content: .pip(content), parent: nil)
    }

    /// The wheel counts by its name and bytes, and not by its place.
    @Test
    func wheelIsPartOfTheKey() throws {
        let wheel = try pip("./wheels/\(Self.name)[extra]", ["wheels/\(Self.name)": "1"])
        #expect(wheel.localSources.map(\.name) == [Self.name] && wheel.localSources.map(\.extras) == [["extra"]])
        #expect(wheel.requirements.isEmpty && !wheel.isEmpty)
        let moved = try pip("../shared/\(Self.name) [extra]", [:], outside: ["shared/\(Self.name)": "1"])
        #expect(try key(wheel) == key(moved))
        let edited = try pip("wheels/\(Self.name)[extra]", ["wheels/\(Self.name)": "2"])
        #expect(try key(wheel) != key(edited))
        let other = "foo-1.1-py3-none-any.whl"
        #expect(try key(wheel) != key(pip("./wheels/\(other)[extra]", ["wheels/\(other)": "1"])))
    }

    /// pip reads a wheel's name, so that it is kept; a folder of the same name gets another one.
    @Test
    func wheelKeepsItsName() throws {
        let content = try pip(
            "./\(Self.name)\n./src/foo-1.0_cpu-py3-none-any.whl/",
            [Self.name: "1", "src/foo-1.0_cpu-py3-none-any.whl/setup.py": ""])
        #expect(Set(content.localSources.map(\.name)) == [Self.name, "foo-1.0_cpu-py3-none-any.whl"])
    }

    @Test(arguments: [
        ("./foo.whl", "is not the name of a wheel"), ("./wheels/fo-1.0+cpu-py3-none-any.whl", "there is no wheel"),
        ("./wheels/\(name)\n./\(name)", "has this name too"),
    ])
    func whatIsNoWheelIsAnError(line: String, words: String) throws {
        let found = try DefinitionFixture.diagnostics(
            "base: localhost/x\n",
            ["requirements.txt": line + "\n", "foo.whl": "", "wheels/\(Self.name)": "1", Self.name: "1"])
        #expect(found.map(\.code) == ["VRV069"] && found.first?.message.contains(words) == true, "\(found)")
    }
}
