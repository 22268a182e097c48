// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// Copying is as good as writing it out, and says so when it cannot be done.
@Suite("copyFrom")
struct CopyFromTests {
    private static let source = [
        "a/image.yaml": """
        base: localhost/x
        owner: group/team
        hardware: gpu
        supports: [dask]
        description: the first
        env: {TZ: UTC}
        inputs: [data/*]
        tags: [stable]
        """,
        "a/apt.txt": "git\n", "a/environment.yml": "dependencies: [numpy]\n", "a/requirements.txt": "polars\n",
        "a/postBuild": "cat data/one\n", "a/start": "exec \"$@\"\n", "a/verify": "true\n", "a/data/one": "1\n",
    ]

    /// The image `b` beside the source `a`.
    private func copy(_ yaml: String, _ files: [String: String] = [:]) throws -> (
        a: ImageDefinition, b: ImageDefinition
    ) {
        var all = Self.source
        all["b/image.yaml"] = yaml
        for (path, text) in files { all["b/" + path] = text }
        let fleet = try DefinitionFixture.fleet(all)
        #expect(fleet.invalid.flatMap(\.diagnostics).map(\.description) == [])
        return (try #require(fleet.images.first), try #require(fleet.images.last))
    }

    @Test
    func configurationIsCopiedAndIdentityIsNot() throws {
        let (a, b) = try copy("copyFrom: a\n")
        #expect(b.build == a.build)
        #expect(b.base == a.base && b.environment == a.environment && b.start == a.start && b.verify == a.verify)
        #expect(b.hardware == .gpu && b.supports == [.dask] && b.platforms == a.platforms)
        #expect(b.owner == .allUsers && b.description.isEmpty && b.tags.isEmpty)
        #expect(b.copyFrom?.value == "a")
        // The log note stands on the commit that changed what was copied.
        #expect(b.sharedInputs.map(\.description) == ["a"])
    }

    @Test
    func whatIsGivenReplacesLayerByLayer() throws {
        let (a, b) = try copy(
            "copyFrom: a\nhardware: cpu\nbuild: {apt: [graphviz], conda: {dependencies: []}}\nenv: {A: b}\n",
            ["requirements.txt": "pandas\n"])
        #expect(b.build.apt?.packages == ["graphviz"])
        #expect(b.build.conda == nil)
        #expect(b.build.pip?.requirements == ["pandas"])
        #expect(b.build.postBuild == a.build.postBuild)
        #expect(b.environment == ["A": "b"])
        #expect(b.hardware == .cpu)
    }

    @Test(arguments: ["apt: []", "apt: ''"])
    func emptyLayerRemovesTheCopiedOneAndAnAbsentValueDoesNot(_ empty: String) throws {
        #expect(try copy("copyFrom: a\nbuild: {\(empty)}\n").b.build.apt == nil)
        #expect(try copy("copyFrom: a\nbuild:\n  apt:\n").b.build.apt?.packages == ["git"])
    }

    @Test
    func inputsWithoutAScriptAreForTheCopiedOne() throws {
        let (a, b) = try copy("copyFrom: a\ninputs: [mine/*]\n", ["mine/two": "2\n"])
        #expect(b.build.postBuild?.script == a.build.postBuild?.script)
        #expect(b.build.postBuild?.inputs.map(\.path.description) == ["mine/two"])
    }

    @Test
    func copiesFormChains() throws {
        var all = Self.source
        all["b/image.yaml"] = "copyFrom: c\nbuild: {apt: [curl]}\n"
        all["c/image.yaml"] = "copyFrom: a\nbuild: {pip: [pandas]}\n"
        let fleet = try DefinitionFixture.fleet(all)
        let b = try #require(fleet.images.first { $0.name.value == "b" })
        #expect(b.build.apt?.packages == ["curl"] && b.build.pip?.requirements == ["pandas"])
        #expect(b.build.postBuild != nil)
        #expect(b.sharedInputs.map(\.description) == ["a", "c"])
    }

    @Test
    func circlesUnknownAndBrokenSourcesAreErrors() throws {
        let fleet = try DefinitionFixture.fleet([
            "a/image.yaml": "copyFrom: b\n", "b/image.yaml": "copyFrom: a\n", "c/image.yaml": "copyFrom: a\n",
            "d/image.yaml": "copyFrom: solo\n", "e/image.yaml": "copyFrom: e\n",
            "g/image.yaml": "base: localhost/x\nbuild: {apt: ['a b;']}\n", "f/image.yaml": "copyFrom: g\n",
            "sole/image.yaml": "base: localhost/x\n",
        ])
        #expect(fleet.images.map(\.name.value) == ["sole"])
        let codes = Dictionary(
            uniqueKeysWithValues: fleet.invalid.map { ($0.name, $0.diagnostics.map(\.code).joined(separator: " ")) })
        #expect(codes["a"] == "VRV092" && codes["b"] == "VRV092" && codes["e"] == "VRV092")
        #expect(codes["c"] == "VRV093" && codes["f"] == "VRV093")
        #expect(codes["d"] == "VRV091")
        let unknown = fleet.invalid.first { $0.name == "d" }?.diagnostics.first
        #expect(unknown?.hint == "did you mean 'sole'?" && unknown?.line == 1 && unknown?.column == 11)
    }

    @Test
    func copiedHardwareAndLayersAreCheckedToo() throws {
        let fleet = try DefinitionFixture.fleet([
            "a/image.yaml": "base: localhost/x\nbuild: {pip: [tensorflow-cpu]}\n",
            "b/image.yaml": "copyFrom: a\nhardware: gpu\n",
        ])
        #expect(places(fleet.invalid.flatMap(\.diagnostics)) == ["VRV090 2:11 image.yaml"])
    }

    @Test
    func longChainsAndManyCopiersAreRead() throws {
        var texts = ["i0/image.yaml": "base: localhost/x\n"]
        for index in 1..<2_000 { texts["i\(index)/image.yaml"] = "copyFrom: i\(index < 1_000 ? index - 1 : 0)\n" }
        #expect(try DefinitionFixture.fleet(texts).images.count == 2_000)
    }
}
