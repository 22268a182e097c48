// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel

@Suite("varve.yaml")
struct FleetFileTests {
    private func fleet(_ file: String, _ images: [String: String]) throws -> Fleet {
        try DefinitionFixture.fleet(images.merging(["varve.yaml": file]) { $1 })
    }

    @Test
    func defaultsHoldWhereTheImageSaysNothing() throws {
        let file = """
            defaults: {owner: user/ann, visibility: account, hardware: gpu, supports: [dask], tags: [stable],
              platforms: [linux/arm64], env: {TZ: UTC}, suspend: true, base: localhost/cuda, build: {apt: [git], pip: [six]}}
            """
        let images = try fleet(
            file,
            [
                "a/image.yaml": "", "b/image.yaml": "owner: user/bob\nenv: {}\nsuspend: false\nbuild: {pip: []}\n",
                "b/apt.txt": "jq\n",
            ]
        ).images
        #expect(images.map(\.owner.text) == ["user/ann", "user/bob"])
        #expect(images.map(\.visibility) == [.account, .account])
        #expect(images.map(\.hardware) == [.gpu, .gpu])
        #expect(images.map(\.tags) == [["stable"], ["stable"]])
        #expect(images.map(\.environment) == [["TZ": "UTC"], [:]])
        #expect(images.map(\.isSuspended) == [true, false])
        #expect(images.map(\.platforms.first?.description) == ["linux/arm64", "linux/arm64"])
        #expect(images.map(\.build.apt?.packages) == [["git"], ["jq"]])
        #expect(images.map(\.build.pip?.requirements) == [["six"], nil])
        #expect(images[0].sharedInputs.map(\.description) == ["varve.yaml"])
    }

    /// What says how an image is built is no default of one that is built elsewhere.
    @Test
    func externalImageTakesTheDefaultsThatItCanHave() throws {
        let found = try fleet(
            """
            defaults: {base: localhost/x, env: {TZ: UTC}, tags: [stable], start: 'exec "$@"', verify: 'true',
              build: {apt: [git]}, owner: user/ann}
            """, ["a/image.yaml": "external: quay.io/a/b:1\n"])
        #expect(found.invalid.flatMap(\.diagnostics) == [])
        #expect(found.images.map(\.owner.text) == ["user/ann"])
        #expect(found.images.first?.build.apt == nil && found.images.first?.environment == [:])
    }

    @Test
    func copierTakesItsSourceBeforeTheDefaults() throws {
        let images = try fleet(
            "defaults: {env: {TZ: UTC}, owner: user/ann}\n",
            ["a/image.yaml": "base: localhost/x\nenv: {A: b}\nowner: user/bob\n", "b/image.yaml": "copyFrom: a\n"]
        ).images
        #expect(images.map(\.environment) == [["A": "b"], ["A": "b"]])
        #expect(images.map(\.owner.text) == ["user/bob", "user/ann"])
    }

    @Test
    func policyNamesTheKeyAndTheRule() throws {
        let file = "groups: {science: [ann]}\npolicy:\n  bases: [docker.io/library/*]\n  requireOwner: true\n"
        let found = try fleet(
            file,
            [
                "a/image.yaml": "owner: group/sciense\nbase: quay.io/x/y:1\n",
                "b/image.yaml": "base: docker.io/library/debian:bookworm\n",
                "c/image.yaml": "owner: user/ann\nbase: docker.io/library/debian:bookworm\n",
                "d/image.yaml": "owner: user/ann\nbase: c\n",
                "e/image.yaml": "owner: user/ann\nbase: {bootstrap: {distribution: debian, suite: bookworm}}\n",
            ])
        #expect(found.images.map(\.name.value) == ["c", "d", "e"])
        #expect(
            places(found.diagnostics) == ["VRV152 1:8 image.yaml", "VRV155 2:7 image.yaml", "VRV156 1:1 image.yaml"])
        #expect(found.diagnostics[0].hint == "did you mean 'group/science'?")
        #expect(found.diagnostics[1].message.contains("'policy.bases' (varve.yaml:3)"))
        #expect(found.diagnostics[2].message.contains("'policy.requireOwner' (varve.yaml:4)"))
    }

    @Test(arguments: [
        "policy: {maximumSize: big}\n", "policy: [\n", "defaults: {tags: [latest]}\n", "definitions: [imges]\n",
        "defaults: {name: x}\n", "registry: quay.io\n",
    ])
    func brokenFileMakesEveryDefinitionInvalidAndIsSaidOnce(_ file: String) throws {
        let found = try fleet(
            file, ["images/a/image.yaml": "base: localhost/x\n", "images/b/image.yaml": "base: localhost/x\n"])
        #expect(found.images.isEmpty && found.invalid.map(\.name) == ["a", "b"])
        #expect(found.diagnostics.count == 1 && found.diagnostics.first?.file.description == "varve.yaml")
    }

    @Test
    func definitionsLieWhereTheFileSays() throws {
        let found = try fleet(
            "definitions: [teams/*/images]\npolicy: {maximumSize: 1.5GB}\n",
            ["teams/x/images/deep/a/image.yaml": "base: localhost/x\n", "templates/b/image.yaml": "base: [\n"])
        #expect(found.images.map(\.name.value) == ["a"] && found.invalid.isEmpty)
        #expect(found.images.first?.maximumSize == 1_500_000_000)
    }

    @Test
    func operatorSettingsBelongElsewhere() throws {
        let found = try DefinitionFixture.diagnostics("base: localhost/x\nregistry: quay.io\n")
        #expect(places(found) == ["VRV154 2:1 image.yaml"])
        #expect(found.first?.hint == "it is given by --registry or VARVE_REGISTRY")
    }

    @Test
    func sizeWithoutAUnitIsAnError() throws {
        let images = ["a/image.yaml": "base: localhost/x\n"]
        let found = try fleet("policy:\n  maximumSize: 8\n", images)
        #expect(places(found.diagnostics) == ["VRV151 2:16 varve.yaml"])
        #expect(found.diagnostics.first?.hint == "did you mean '8GB'?")
        #expect(try fleet("policy: {maximumSize: 4G}\n", images).diagnostics.first?.hint == "did you mean '4GB'?")
        #expect(try fleet("policy: {maximumSize: big}\n", images).diagnostics.first?.hint == nil)
        #expect(try fleet("policy: {maximumSize: 8000 B}\n", images).images.first?.maximumSize == 8_000)
    }
}
