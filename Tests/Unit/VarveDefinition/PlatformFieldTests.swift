// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel

/// Images of several platforms, as they are defined.
@Suite
struct PlatformFieldTests {
    @Test
    func platformsAreASet() throws {
        let base = "base: localhost/x\nplatforms: "
        for text in ["[linux/arm64, linux/amd64]", "[linux/amd64, linux/arm64, linux/amd64]"] {
            let image = try #require(try DefinitionFixture.fleet(["a/image.yaml": base + text + "\n"]).images.first)
            #expect(image.platforms.map(\.description) == ["linux/amd64", "linux/arm64"])
        }
    }

    /// As containerd's `platforms.Normalize` has them.
    @Test
    func spellingsOfOnePlatformAreOne() throws {
        let text =
            "base: localhost/x\nplatforms: [linux/arm64/v8, linux/arm64, linux/amd64/v1, linux/arm, linux/arm/v6]\n"
        let image = try #require(try DefinitionFixture.fleet(["a/image.yaml": text]).images.first)
        #expect(image.platforms.map(\.description) == ["linux/amd64", "linux/arm/v6", "linux/arm/v7", "linux/arm64"])
    }

    @Test
    func platformThatTheBaseLacksIsAnErrorOfTheChild() throws {
        let fleet = try DefinitionFixture.fleet([
            "a/image.yaml": "base: localhost/x\n", "b/image.yaml": "base: a\nplatforms: [linux/arm64, linux/amd64]\n",
            "c/image.yaml": "base: a\n",
        ])
        #expect(fleet.images.map(\.name.value) == ["a", "c"])
        let diagnostic = try #require(fleet.invalid.first?.diagnostics.first)
        #expect(diagnostic.code == "VRV094" && diagnostic.line == 2)
        #expect(diagnostic.message.contains("not built for linux/arm64, only for linux/amd64"))
    }

    @Test
    func lockedPackagesAreOfOnePlatformAndThoseOfNoarchOfEvery() throws {
        let list = { (subdir: String) in "@EXPLICIT\nhttps://c.org/main/\(subdir)/a-1-0.conda\n" }
        let yaml = "base: localhost/x\nplatforms: [linux/amd64, linux/arm64]\n"
        #expect(
            try DefinitionFixture.fleet(["a/image.yaml": yaml, "a/conda-linux-64.lock": list("noarch")]).invalid.isEmpty
        )
        let fleet = try DefinitionFixture.fleet(["a/image.yaml": yaml, "a/conda-linux-64.lock": list("linux-64")])
        let diagnostic = try #require(fleet.invalid.first?.diagnostics.first)
        #expect(diagnostic.code == "VRV095" && diagnostic.line == 2)
    }

    @Test
    func copierOfAnotherPlatformCannotTakeLockedPackages() throws {
        let fleet = try DefinitionFixture.fleet([
            "a/image.yaml": "base: localhost/x\n",
            "a/conda-linux-64.lock": "@EXPLICIT\nhttps://c.org/main/linux-64/a-1-0.conda\n",
            "b/image.yaml": "copyFrom: a\nplatforms: [linux/arm64]\n",
        ])
        #expect(fleet.images.map(\.name.value) == ["a"])
        #expect(fleet.invalid.first?.diagnostics.map(\.code) == ["VRV095"])
    }
}
