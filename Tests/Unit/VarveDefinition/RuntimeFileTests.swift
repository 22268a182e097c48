// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveDefinition

@Suite("runtime.txt")
struct RuntimeFileTests {
    private func read(_ text: String) throws -> (runtime: RuntimeFile.Runtime?, found: [Diagnostic]) {
        let findings = Findings()
        let place = Place(file: try RepositoryPath("runtime.txt"), line: 1, column: 1)
        return (RuntimeFile(findings: findings).read(text, from: place), findings.sorted)
    }

    @Test(
        "What is meant is read",
        arguments: [
            ("python-3.10", .python(version: "3.10")), ("\r\n python-3.6.8 \r\n", .python(version: "3.6.8")),
            ("python-3", .python(version: "3")), ("r-4.0-2020-07-07\n", .r(version: "4.0", snapshot: "2020-07-07")),
            ("r-2019-02-15", .r(version: nil, snapshot: "2019-02-15")),
            ("r-4.3.2", .r(version: "4.3.2", snapshot: nil)),
            ("python-pypy3.5-5.9.0", .python(version: "pypy3.5-5.9.0")),
            ("python-pypy3.10", .python(version: "pypy3.10")),
            ("r-2020-02-29", .r(version: nil, snapshot: "2020-02-29")), (" \n", nil),
        ] as [(String, RuntimeFile.Runtime?)])
    func reads(text: String, expected: RuntimeFile.Runtime?) throws {
        let (runtime, found) = try read(text)
        #expect(runtime == expected)
        #expect(found.isEmpty)
    }

    @Test(
        "What is not understood is reported where it stands",
        arguments: [
            ("python-pypy-5.9", 1, 1), ("python-pypy3.5-", 1, 1), ("python-pypy3.5-5-9", 1, 1),
            ("\n  julia-1.6\n", 2, 3), ("r-3.6-2018-11-31", 1, 1),
            ("r-2019-02-29", 1, 1),
            ("python-", 1, 1), ("python-3.10.1.2", 1, 1), ("python 3.10", 1, 1), ("python-3.10\nr-2020-01-01", 2, 1),
            ("r-1-2-3", 1, 1), ("r-", 1, 1),
        ])
    func refuses(text: String, line: Int, column: Int) throws {
        let (runtime, found) = try read(text)
        #expect(runtime == nil)
        #expect(found.map(\.code) == ["VRV071"])
        #expect(found.map(\.line) == [line])
        #expect(found.map(\.column) == [column])
    }

    @Test
    func anImageIsPassedOverWithAWarning() throws {
        let fleet = try DefinitionFixture.fleet([
            "i/image.yaml": "base: localhost/x\n", "i/runtime.txt": "\n  oci-image:example/base:latest\n",
        ])
        #expect(fleet.images.first?.build.pip == nil)
        #expect(fleet.images.count == 1)
        let warnings = fleet.warnings.values.flatMap(\.self)
        #expect(
            warnings.map(\.description) == [
                "i/runtime.txt:2:3: warning: the image 'example/base:latest' has no effect here; 'base' in image.yaml says "
                    + "what the image stands on (remove the file, and write the image, with its registry, as the base) [VRV138]"
            ])
        #expect(fleet.warnings.keys.map(\.description) == ["i"])
    }

    @Test
    func pythonIsAConditionOnThePipLayerWhereThereIsNoConda() throws {
        let base = "base: localhost/x\n"
        let runtime = ["runtime.txt": "python-3.10\n"]
        #expect(
            try DefinitionFixture.image(base, runtime).build.pip == PipContent(requirements: [], python: "3.10"))
        let both = try DefinitionFixture.image(
            base, runtime.merging(["requirements.txt": "six\n"]) { $1 })
        #expect(both.build.pip == PipContent(requirements: ["six"], python: "3.10"))
        let conda = try DefinitionFixture.image(
            base,
            runtime.merging(["environment.yml": "dependencies: [python=3.12]\n", "requirements.txt": "six\n"]) { $1 })
        #expect(conda.build.pip == PipContent(requirements: ["six"]))
        #expect(try DefinitionFixture.image(base, ["runtime.txt": "r-4.3.2\n"]).build.pip == nil)
        let found = try DefinitionFixture.diagnostics(base, ["binder/runtime.txt": "pythn-3.10\n"])
        #expect(found.map(\.code) == ["VRV071"])
        #expect(found.map(\.file.description) == ["i/binder/runtime.txt"])
        #expect(try DefinitionFixture.diagnostics(base, ["Runtime.txt": "python-3.10"]).map(\.code) == ["VRV009"])
    }
}
