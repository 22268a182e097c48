// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveDefinition

/// Saturn Cloud's own schema and example are the reference for recipes.
@Suite("Saturn recipes against Saturn's schema")
struct SaturnTests {
    static let folder = "../shared/saturn/"
    private static let isThere = ConditionTrait.enabled(
        if: FileManager.default.fileExists(atPath: folder), "\(folder) is not beside the checkout")

    /// What the schema has at a path of keys.
    private func object(_ path: String...) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: Self.folder + "image-recipe.schema.json"))
        var node = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        for key in path {
            let value = node[key]
            node = try #require(value as? [String: Any] ?? (value as? [[String: Any]])?.first, "\(key)")
        }
        return node
    }

    @Test(Self.isThere)
    func everyKeyOfTheSchemaIsKnown() throws {
        #expect(Set(SaturnRecipeReader.recipeKeys) == Set(try object("properties").keys))
        let version = try object("properties", "versions", "items", "properties")
        #expect(Set(SaturnRecipeReader.versionKeys) == Set(version.keys))
        let build = try object("properties", "versions", "items", "properties", "build_data", "properties")
        #expect(Set(SaturnRecipeReader.buildKeys) == Set(build.keys))
        #expect(try object("properties", "schema_version")["const"] as? String == SaturnRecipeReader.schemaVersion)
        func words(_ path: [String: Any]) -> [String]? { path["enum"] as? [String] }
        #expect(words(try object("properties", "visibility")) == Visibility.allCases.map(\.rawValue))
        #expect(words(try object("properties", "hardware_type")) == Hardware.allCases.map(\.rawValue))
        let supports = try #require(words(try object("properties", "supports", "items")))
        #expect(Set(supports) == Set(ResourceKind.allCases.map(\.rawValue)))
    }

    @Test(Self.isThere)
    func exampleOfSaturnIsRead() throws {
        let data = try Data(contentsOf: URL(filePath: Self.folder + "image-recipe.example.json"))
        var taken: Set<String> = []
        let found = SaturnImport([UInt8](data), taken: &taken)
        let image = try #require(found.images.first)
        #expect(found.images.count == 1)
        #expect(image.name == "r-tensorflow" && image.owner == "user/jnolis" && image.visibility == .owner)
        #expect(image.supports == [.jupyterlab, .rstudioOpensource])
        let reference = "772275760547.dkr.ecr.us-west-2.amazonaws.com/saturn-tensorflow-384"
        #expect(image.source == .external(try ImageReference(reference)))
        #expect(
            found.remarks.map(\.message) == [
                "the owner 'jnolis' is written 'user/jnolis'; a group is 'group/NAME'",
                "version '2022.01.06' is archived and is left out",
                "the version's name '2022.01.07' is not carried: each build has a tag of its own",
                "the description of version '2022.01.07' is not carried",
            ])
    }

    /// Prints, for each recipe, whether it is valid against Saturn's schema.
    private static let program = """
        import json, sys, jsonschema
        request = json.load(sys.stdin)
        schema = json.load(open(request["schema"]))
        jsonschema.Draft7Validator.check_schema(schema)
        validator = jsonschema.Draft7Validator(schema)
        print(json.dumps([validator.is_valid(json.loads(text)) for text in request["texts"]]))
        """

    private struct Request: Encodable {
        let schema: String
        let texts: [String]
    }

    /// A published build of an image.
    private func record(_ image: ImageDefinition, tags: [String], reference: String?) throws -> BuildRecord {
        var record = BuildRecord(
            id: String(repeating: "0", count: 32), image: image.name, commit: image.tree, trigger: "reconcile",
            status: .built, reasons: [], layers: [], start: Timestamp(seconds: 0), seconds: 1, engine: "", host: "")
        record.tags = tags
        record.reference = reference
        return record
    }

    private func image(_ name: String) throws -> ImageDefinition {
        ImageDefinition(
            name: try ImageName(name), folder: try RepositoryPath("images/" + name),
            tree: try ObjectID(hex: String(repeating: "a", count: 40)),
            base: .registry(try ImageReference("quay.io/a/b")), platforms: [try Platform("linux/amd64")])
    }

    private static let reference = "registry.example.com:5000/fleet/a@sha256:" + String(repeating: "0", count: 64)

    /// Recipes are valid, and what they say comes back.
    @Test(Self.isThere)
    func recipesAreValidAndComeBack() throws {
        var images: [ImageDefinition] = []
        for (index, owner) in [Owner.allUsers, .user("jnolis"), .group("ds.team+x@y")].enumerated() {
            for visibility in Visibility.allCases {
                for hardware in Hardware.allCases {
                    var image = try image("a\(index).\(visibility)_\(hardware)")
                    (image.owner, image.visibility, image.hardware) = (owner, visibility, hardware)
                    image.supports = index == 0 ? [] : [.jupyterlab, .dask]
                    image.description = index == 1 ? "" : "two\nlines, \"quoted\" 😀 \u{7}"
                    image.tags = index == 2 ? ["stable"] : []
                    images.append(image)
                }
            }
        }
        let encoder = JSONEncoder()
        var texts: [String] = []
        for image in images {
            let built = try record(
                image, tags: ["2026.11.23-0123456789ab", "latest"] + image.tags, reference: Self.reference)
            let recipe = try SaturnRecipe(image, built: built)
            texts.append(String(decoding: try encoder.encode(recipe), as: UTF8.self))
            var taken: Set<String> = []
            let found = SaturnImport(Array(try #require(texts.last).utf8), taken: &taken)
            let back = try #require(found.images.first)
            #expect(back.name == image.name.value.replacing("_", with: "-"))
            #expect(back.description ?? "" == image.description)
            #expect(back.visibility == image.visibility && back.hardware == image.hardware)
            #expect(back.supports == image.supports)
            #expect(back.source == .external(try ImageReference(Self.reference)))
            switch image.owner {
            case .allUsers: #expect(back.owner == nil)
            case .user(let name), .group(let name): #expect(back.owner == "user/" + name)
            }
            // What is lost on the way there or back is said.
            #expect(recipe.remarks.count == 1 + (image.owner == .allUsers ? 0 : 1) + image.tags.count)
            #expect(found.remarks.count == 1 + (image.owner == .allUsers ? 0 : 1), "\(found.remarks)")

            var again = image
            (again.name, again.owner) = (try ImageName(back.name), ImageFields.owner(back.owner ?? "") ?? .allUsers)
            again.tags = []
            let second = try SaturnRecipe(again, built: built)
            #expect(try encoder.encode(second).count == texts.last?.utf8.count)
            #expect(second.versions == recipe.versions && second.owner == recipe.owner)
        }
        let request = Request(schema: Self.folder + "image-recipe.schema.json", texts: texts + ["{}"])
        let verdicts = try Python.run(Self.program, input: request, as: [Bool].self)
        #expect(verdicts == images.map { _ in true } + [false])
    }

    @Test
    func whatNoRecipeCanNameIsRefused() throws {
        let image = try image("a")
        let cases: [(String?, String)] = [
            (nil, "no published build"), ("oci:/srv/images:a@sha256:" + String(repeating: "0", count: 64), "folder"),
            ("quay.io/a:latest", "no image by digest"),
        ]
        for (reference, words) in cases {
            let record = try record(image, tags: [], reference: reference)
            let refusal = #expect(throws: SaturnRecipe.Refusal.self) { try SaturnRecipe(image, built: record) }
            #expect(refusal?.description.contains(words) == true)
        }
        #expect(throws: SaturnRecipe.Refusal.self) { try SaturnRecipe(image, built: nil) }
    }
}
