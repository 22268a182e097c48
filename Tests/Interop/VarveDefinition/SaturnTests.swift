// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveDefinition

/// Saturn Cloud's own schema and example are the reference for recipes.
@Suite("Saturn recipes against Saturn's schema")
struct SaturnTests {
    static let folder = "../shared/saturn/"

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

    @Test
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

    @Test
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
                "the description of version '2022.01.07' is not carried",
            ])
    }
}
