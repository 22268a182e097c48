// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveDefinition

/// A recipe becomes definitions, and whatever of it does not is said.
@Suite("Import of Saturn recipes")
struct SaturnImportTests {
    private func read(_ text: String, taken: Set<String> = []) -> SaturnImport {
        var taken = taken
        return SaturnImport(Array(text.utf8), taken: &taken)
    }

    private func recipe(_ versions: String, head: String = "name: a\nhardware_type: cpu\n") -> String {
        head + "schema_version: 2022.08.01\nversions:\n" + versions
    }

    private func words(_ found: SaturnImport) -> [String] {
        found.remarks.map { "\($0.line):\($0.column) \($0.isError ? "error" : "note") \($0.message)" }
    }

    @Test
    func everyFieldThatADefinitionHasIsCarried() throws {
        let found = read(
            #"""
            {"name": "ds", "description": "Data \ud83d\ude00 \\ud83d", "owner": "group/ds", "visibility": "account",
             "hardware_type": "gpu", "supports": ["dask", "jupyterlab", "dask"], "schema_version": "2022.08.01",
             "versions": [{"name": "1", "image_uri": null, "archived": false, "build_data": {
               "base_image_uri": "quay.io/a/b:1", "apt_packages": "jq\r\ngit", "conda_environment": "dependencies: [x]\n",
               "pip_requirements": "polars>=1", "post_build": "echo \"a\"\nexit 0\n", "use_mamba": true}}]}
            """#)
        let tag = "3:24 note the version's name '1' is not carried: each build has a tag of its own"
        #expect(words(found) == [tag])
        let image = try #require(found.images.first)
        #expect(image.name == "ds" && image.description == "Data 😀 \\ud83d")
        #expect(image.owner == "group/ds" && image.visibility == .account && image.hardware == .gpu)
        #expect(image.supports == [.jupyterlab, .dask])
        #expect(image.source == .base(try ImageReference("quay.io/a/b:1")))
        #expect(
            image.files == [
                .init(name: "apt.txt", text: "jq\r\ngit\n"),
                .init(name: "environment.yml", text: "dependencies: [x]\n"),
                .init(name: "requirements.txt", text: "polars>=1\n"),
                .init(name: "postBuild", text: "echo \"a\"\nexit 0\n"),
            ])
    }

    @Test
    func whatCannotBeCarriedIsSaidWhereItStands() {
        let found = read(
            """
            name: R-Tensor.Flow
            description: tensorflow and R
            owner: jnolis
            visibility: everyone
            supports: [emacs, jupyterlb, dask]
            hardware: gpu
            schema_version: '2023.01.01'
            versions:
            - name: '1'
              description: initial
              archived: true
              image_uri:
              build_data: {base_image_uri: 'x y'}
            - name: '2'
              description: second
              image_uri: 1.dkr.ecr.us-west-2.amazonaws.com/a
              build_data:
                base_image_uri: saturncloud/saturnbase:1
                post_build: "a\\r\\nb"
                use_mamba: false
                pip: x
            """)
        #expect(
            words(found) == [
                "1:1 note the recipe has no 'hardware_type'; the image is for cpu",
                "1:7 note the name 'R-Tensor.Flow' is written 'r-tensor.flow'",
                "3:8 note the owner 'jnolis' is written 'user/jnolis'; a group is 'group/NAME'",
                "4:13 note 'everyone' is none of the words of 'visibility' (owner, org, account) and is not carried",
                "5:12 note 'emacs' is none of the words of 'supports' (jupyterlab, rstudio-opensource, rstudio-workbench, dask) and is not carried",
                "5:19 note 'jupyterlb' is none of the words of 'supports' (jupyterlab, rstudio-opensource, rstudio-workbench, dask) and is not carried; did you mean 'jupyterlab'?",
                "6:1 note the key 'hardware' is unknown and is not carried",
                "7:17 note the recipe's schema_version is not 2022.08.01; what that version does not have is not read",
                "9:9 note version '1' is archived and is left out",
                "14:9 note the version's name '2' is not carried: each build has a tag of its own",
                "15:16 note the description of version '2' is not carried",
                "16:14 note the image_uri of version '2' is not carried: varve builds the image from its build_data",
                "18:21 note the base_image_uri 'saturncloud/saturnbase:1' is written 'docker.io/saturncloud/saturnbase:1'",
                "19:17 note post_build has Windows line ends, which bash does not take; they are left out",
                "20:16 note 'use_mamba: false' is not carried: varve takes mamba where the base has it",
                "21:5 note the key 'pip' is unknown and is not carried",
            ])
        #expect(found.images.map(\.name) == ["r-tensor.flow"])
        #expect(found.images.first?.files == [.init(name: "postBuild", text: "a\nb\n")])
        #expect(found.images.first?.hardware == .cpu)
        #expect(found.images.first?.supports == [.dask])
    }

    @Test
    func imagesBuiltElsewhereAreRegistered() throws {
        let found = read(recipe("- {name: '1', description: D, image_uri: ecr.example.com/a}\n"))
        #expect(found.images.map(\.source) == [.external(try ImageReference("ecr.example.com/a"))])
        #expect(found.images.first?.description == "D")
        #expect(words(found) == ["5:10 note the version's name '1' is not carried: each build has a tag of its own"])
    }

    @Test
    func lastVersionHasTheNameAndCollisionsAreReported() {
        let build = "build_data: {base_image_uri: quay.io/b}"
        let found = read(
            recipe("- {name: A.1, \(build)}\n- {name: a.1, \(build)}\n- {name: '2', \(build)}\n"), taken: ["b"])
        #expect(found.images.map(\.name) == ["a-a.1", "a"])
        #expect(
            words(found) == [
                "5:10 error version 'A.1' is left out: there is an image 'a-a.1' already",
                "6:10 note version 'a.1' becomes the image 'a-a.1', because a later one has the name",
                "7:10 note the version's name '2' is not carried: each build has a tag of its own",
            ])
        let again = read(recipe("- {name: '2', \(build)}\n"), taken: ["a"])
        #expect(again.images.isEmpty)
        #expect(words(again) == ["1:7 error version '2' is left out: there is an image 'a' already"])
    }

    @Test(arguments: [
        "../../etc/passwd", "..", "/etc", "a\\nb", "\\0", "-", "image.yaml/..", "\u{202e}x", ".git", "a//b", "é",
    ])
    func hostileNamesStayPlainNames(name: String) throws {
        let found = read(
            recipe(
                "- {name: \"\(name)\", image_uri: quay.io/b}\n- {name: \"\(name)2\", image_uri: quay.io/b}\n",
                head: "name: \"\(name)\"\nhardware_type: cpu\n"))
        // Names of which nothing is left are `image`, and so collide.
        #expect(found.images.count + found.remarks.count(where: \.isError) == 2)
        #expect(!found.images.isEmpty)
        for image in found.images { _ = try ImageName(image.name) }
        for remark in found.remarks { #expect(!remark.message.contains("\n") && !remark.message.contains("\u{202e}")) }
    }

    @Test(arguments: [
        ("", "the file is empty"), ("- a\n", "expected a recipe"), ("a: [", "not well-formed YAML"),
        ("a: &x 1\nb: *x\n", "aliases"), ("name: a\n", "no 'versions'"), ("versions: [1]\n", "no 'name'"),
        ("name: [a]\n", "expected a text for 'name'"), ("name: a\nversions: [x]\n", "expected a version"),
        ("name: a\nversions: [{name: b}]\n", "neither an image_uri nor build_data"),
        ("name: a\nversions: [{name: b, image_uri: 'a b'}]\n", "is no reference"),
        ("name: a\nversions: [{name: b, archived: ja, image_uri: quay.io/b}]\n", "expected true or false"),
        ("name: a\nversions: [{name: b, build_data: {}}]\n", "no base_image_uri"),
        ("name: a\nversions: [{name: b, build_data: {base_image_uri: quay.io/b, post_build: [a]}}]\n", "'post_build'"),
        ("name: \u{7}\n", "a character that YAML does not allow"),
    ])
    func whatIsNoRecipeIsRefused(text: String, words: String) {
        let found = read(text)
        #expect(found.remarks.contains { $0.isError && $0.message.contains(words) }, "\(found.remarks)")
    }

    @Test
    func nameOfBlanksIsNoName() {
        let found = read(recipe("- {name: v1, image_uri: h.io/x:1}", head: "name: ' '\nhardware_type: cpu\n"))
        #expect(found.images.isEmpty)
        #expect(found.remarks.contains { $0.isError && $0.message == "the recipe has no 'name'" })
    }

    @Test
    func credentialsAreRefusedAndNotRepeated() {
        for uri in ["https://user:hunter2@example.com/a", "user:hunter2@example.com/a"] {
            let found = read(recipe("- {name: '1', image_uri: '\(uri)'}\n"))
            #expect(found.images.isEmpty)
            #expect(found.remarks.count == 1 && found.remarks.allSatisfy(\.isError))
            #expect(!words(found).joined().contains("hunter2"))
        }
    }

    @Test
    func sizesAreBounded() {
        let long = read("name: " + String(repeating: "a", count: SaturnImport.sizeLimit) + "\n")
        #expect(long.remarks.map(\.isError) == [true])
        let many = read(recipe(String(repeating: "- {name: a, image_uri: quay.io/b}\n", count: 1_001)))
        #expect(many.images.isEmpty)
        #expect(many.remarks.contains { $0.message.contains("too many") })
        let deep = read("name: " + String(repeating: "[", count: 100_000))
        #expect(deep.images.isEmpty && !deep.remarks.isEmpty)
        let unknown = read((0..<5_000).map { "k\($0): 1\n" }.joined())
        #expect(unknown.remarks.count <= 200)
    }
}
