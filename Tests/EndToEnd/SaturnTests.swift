// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// From a recipe of Saturn Cloud to a published image, and back to a recipe.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct SaturnTests {
    /// Fails where a recipe is not valid against Saturn's schema.
    private static let check = """
        import json, sys, jsonschema
        jsonschema.Draft7Validator(json.load(open(sys.argv[1]))).validate(json.loads(sys.argv[2]))
        """

    @Test
    func importedRecipeIsBuiltAndComesBackByDigest() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let fields = """
            "name":"R-Lab","description":"R \\"and\\" more\\n","owner":"jnolis","visibility":"account",
            "hardware_type":"cpu","supports":["jupyterlab","dask"],"schema_version":"2022.08.01"
            """
        let recipe = try fleet.directory.write(
            """
            {\(fields),
             "versions": [
               {"name": "1", "archived": true, "image_uri": null},
               {"name": "2", "image_uri": null,
                "build_data": {"base_image_uri": "\(base)", "post_build": "#!/bin/sh\\necho built >/word\\n"}}]}
            """, to: "recipe.json")
        let imported = try await fleet.varve.run("import", "saturn", recipe)
        try #require(imported.status == 0, "\(imported)")
        try await fleet.git("add", "--all")
        let unbuilt = "images/unbuilt/image.yaml"
        let pass = try await fleet.pass([
            unbuilt: "base: r-lab\nbuild: {postBuild: exit 1}\n", "images/x/image.yaml": "a",
        ])
        #expect(pass.executed.contains("postBuild"), "\(pass)")

        let exported = try await fleet.varve.run("export", "saturn")
        #expect(exported.status == 0 && exported.lines.count == 1, "\(exported)")
        #expect(exported.stderr.contains("unbuilt is left out: it has no published build"), "\(exported)")
        #expect(exported.stderr.contains("x is left out: it has errors"), "\(exported)")
        let answer = try JSONValue(parsing: exported.stdout)
        let before = try JSONValue(parsing: "{\(fields)}")
        for key in ["description", "owner", "visibility", "hardware_type", "supports", "schema_version"] {
            #expect(answer[key] == before[key], "\(key)")
        }
        #expect(answer["name"].string == "r-lab")
        let digest = try #require(try await fleet.registry.digest(of: "fleet/r-lab:latest"))
        #expect(answer["versions"].array.map { $0["image_uri"].string } == ["\(fleet.prefix)/r-lab@\(digest)"])
        let tag = try #require(answer["versions"].array.first?["name"].string)
        #expect(try await fleet.registry.digest(of: "fleet/r-lab:\(tag)") == digest)
        let schema = Fixtures.checkout + "/../shared/saturn/image-recipe.schema.json"
        if FileManager.default.fileExists(atPath: schema) {
            try await Command.run("python3", ["-c", Self.check, schema, exported.stdout])
        } else {
            print("what is exported is not compared with Saturn's schema: \(schema) is not there")
        }

        // The recipe comes back as an image that is registered, into another repository.
        let other = try await GitCommandLine.initialize(fleet.directory.path("other"))
        let back = VarveProcess(repository: other.folder, state: fleet.directory.path("back"))
        let file = try fleet.directory.write(exported.stdout, to: "exported.json")
        _ = try await back.run("import", "saturn", file)
        #expect(
            try String(contentsOfFile: other.folder + "/images/r-lab/image.yaml", encoding: .utf8) == """
                # yaml-language-server: $schema=../../.varve/image.schema.json
                description: "R \\"and\\" more\\n"
                owner: user/jnolis
                visibility: account
                supports: [jupyterlab, dask]
                external: "\(fleet.prefix)/r-lab@\(digest)"

                """)

        let named = try await fleet.varve.run("export", "saturn", "unbuilt")
        #expect(named.status == 1 && named.stdout.isEmpty, "\(named)")
        let unknown = try await fleet.varve.run("export", "saturn", "nobody")
        #expect(unknown.status == 1 && unknown.stderr.contains("no image 'nobody'"), "\(unknown)")
    }
}
