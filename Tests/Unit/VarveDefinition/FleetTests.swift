// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

@Suite("Fleet")
struct FleetTests {
    @Test
    func brokenDefinitionHidesNoOther() throws {
        let fleet = try DefinitionFixture.fleet([
            "a/image.yaml": "base: localhost/x\n", "b/image.yaml": "base: [\n", "deep/er/c/image.yaml": "base: b\n",
            "README.md": "x", "d/notes.txt": "x",
        ])
        #expect(fleet.images.map(\.name.value) == ["a", "c"])
        #expect(fleet.invalid.map(\.name) == ["b"])
        #expect(fleet.images.map(\.folder.description) == ["a", "deep/er/c"])
    }

    @Test
    func unknownBaseNamesTheNearest() throws {
        let fleet = try DefinitionFixture.fleet([
            "saturn-python/image.yaml": "base: localhost/x\n", "a/image.yaml": "name: a\nbase: saturn-pyton\n",
            "b/image.yaml": "base: debian\n",
        ])
        #expect(places(fleet.invalid.flatMap(\.diagnostics)) == ["VRV025 2:7 image.yaml", "VRV025 1:7 image.yaml"])
        #expect(fleet.invalid.first?.diagnostics.first?.hint == "did you mean 'saturn-python'?")
        #expect(fleet.invalid.last?.diagnostics.first?.hint?.contains("docker.io/library/debian") == true)
    }

    @Test
    func gpuImageOnACPUImageIsAnError() throws {
        let fleet = try DefinitionFixture.fleet([
            "a/image.yaml": "base: localhost/x\n", "b/image.yaml": "base: a\nhardware: gpu\n",
            "c/image.yaml": "base: localhost/x\nhardware: gpu\n", "d/image.yaml": "base: c\nhardware: gpu\n",
        ])
        #expect(fleet.images.map(\.name.value) == ["a", "c", "d"])
        #expect(places(fleet.invalid.flatMap(\.diagnostics)) == ["VRV080 1:7 image.yaml"])
    }

    struct CPUBuild: CustomTestStringConvertible, Sendable {
        var build: String
        var isForCPU = true
        var testDescription: String { build }
    }

    @Test(arguments: [
        CPUBuild(build: "pip: ['torch==2.3.0+cpu']"), CPUBuild(build: "pip: [tensorflow-cpu]"),
        CPUBuild(build: "pip: ['torch @ https://download.example.com/torch-2.3.0%2Bcpu-cp311-linux_x86_64.whl']"),
        CPUBuild(build: "pip: ['--extra-index-url https://download.pytorch.org/whl/cpu', torch]"),
        CPUBuild(build: "conda: {dependencies: [pytorch, cpuonly]}"),
        CPUBuild(build: "conda: {dependencies: ['pytorch=2.3=cpu_generic*']}"),
        CPUBuild(build: "conda: {dependencies: ['conda-forge::tensorflow=2.15=mkl_py311*']}"),
        CPUBuild(build: "conda: {dependencies: [{pip: ['torch==2.3.0+cpu']}]}"),
        CPUBuild(build: "pip: ['torch==2.3.0+cu121', tensorflow, 'torchmetrics==1.0+cpu']", isForCPU: false),
        CPUBuild(build: "pip: ['--index-url https://download.pytorch.org/whl/cu121', torch]", isForCPU: false),
        CPUBuild(build: "conda: {dependencies: ['pytorch=2.3=cuda*', mkl]}", isForCPU: false),
    ])
    func cpuBuildInAGPUImageIsReported(_ given: CPUBuild) throws {
        let text = "base: localhost/x\nbuild: {\(given.build)}\n"
        #expect(try DefinitionFixture.diagnostics(text) == [])
        let found = try DefinitionFixture.diagnostics(text + "hardware: gpu\n")
        #expect(places(found) == (given.isForCPU ? ["VRV090 3:11 image.yaml"] : []))
    }

    @Test
    func duplicateNamesAreErrorsOnAll() throws {
        let fleet = try DefinitionFixture.fleet([
            "a/image.yaml": "base: localhost/x\n", "b/image.yaml": "base: localhost/x\nname: a\n",
            "c/image.yaml": "base: a\n",
        ])
        #expect(fleet.images.map(\.name.value) == ["c"])
        #expect(places(fleet.invalid.flatMap(\.diagnostics)) == ["VRV021 1:1 image.yaml", "VRV021 2:7 image.yaml"])
    }

    @Test
    func circleIsReportedOnEachMemberAndNoOther() throws {
        let fleet = try DefinitionFixture.fleet([
            "a/image.yaml": "base: b\n", "b/image.yaml": "base: c\n", "c/image.yaml": "base: a\n",
            "d/image.yaml": "base: a\n",
            "e/image.yaml": "base: e\n",
        ])
        #expect(fleet.images.map(\.name.value) == ["d"])
        #expect(fleet.invalid.flatMap(\.diagnostics).map(\.code) == ["VRV026", "VRV026", "VRV026", "VRV026"])
        #expect(fleet.invalid[1].diagnostics.first?.message == "the bases form a circle: b -> c -> a -> b")
        #expect(fleet.invalid[3].diagnostics.first?.message == "the bases form a circle: e -> e")
    }

    @Test
    func longChainOfBasesIsRead() throws {
        var texts = ["i0/image.yaml": "base: localhost/x\n"]
        for index in 1..<2_000 { texts["i\(index)/image.yaml"] = "base: i\(index - 1)\n" }
        let fleet = try DefinitionFixture.fleet(texts)
        #expect(fleet.images.count == 2_000)
    }

    @Test
    func misnamedImageFileIsReported() throws {
        let fleet = try DefinitionFixture.fleet([
            "a/image.yml": "base: localhost/x\n", "b/Image.yaml": "base: localhost/x\n",
        ])
        #expect(places(fleet.invalid.flatMap(\.diagnostics)) == ["VRV009 0:0 image.yml", "VRV009 0:0 Image.yaml"])
    }

    @Test
    func onlyAskedPathsAreGiven() throws {
        let reader = try DefinitionFixture.reader([
            "g/a/image.yaml": "base: b\n", "g/a/apt.txt": "git\n", "h/b/image.yaml": "base: [\n",
            "c/image.yaml": "base: nowhere\n",
        ])
        func names(_ path: String) throws -> [String] {
            let fleet = try reader.readFleet(below: [RepositoryPath(path)])
            return fleet.images.map(\.name.value) + fleet.invalid.map(\.name)
        }
        #expect(try names("g") == ["a"])
        #expect(try names("g/a/apt.txt") == ["a"])
        #expect(try names("h/b") == ["b"])
        #expect(try names(".") == ["a", "c", "b"])
        #expect(try names("nowhere") == [])
    }

    @Test
    func treeIsThatOfTheFolder() throws {
        let tree = try MemorySourceTree(texts: ["a/image.yaml": "base: localhost/x\n"])
        let fleet = try DefinitionReader(tree: tree, hostPlatform: Platform("linux/amd64")).readFleet()
        #expect(try fleet.images.first?.tree == tree.entry(at: RepositoryPath("a"))?.id)
    }

    @Test
    func linksThatLeadOutAndSubmodulesAreNoFiles() throws {
        let tree = try MemorySourceTree([
            "a/image.yaml": .symlink("../b/image.yaml"), "b/image.yaml": .file(Array("base: localhost/x\n".utf8)),
            "b/apt.txt": .symlink("/etc/passwd"),
            "b/start": .submodule(try ObjectID(hex: String(repeating: "0", count: 40))),
        ])
        let fleet = try DefinitionReader(tree: tree, hostPlatform: Platform("linux/amd64")).readFleet()
        #expect(fleet.images.map(\.name.value) == ["a"])
        #expect(places(fleet.invalid.flatMap(\.diagnostics)) == ["VRV065 0:0 apt.txt", "VRV007 0:0 start"])
    }
}
