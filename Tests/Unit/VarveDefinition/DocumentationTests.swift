// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveDefinition
import VarveModel

/// The documentation names every key, and its example is a definition.
@Suite("Definition format article")
struct DocumentationTests {
    private let article: String

    init() throws {
        article = try String(
            contentsOfFile: "Sources/VarveDefinition/VarveDefinition.docc/DefinitionFormat.md", encoding: .utf8
        )
    }

    @Test
    func everyKeyIsDocumented() {
        let keys = ImageKeys.all + ImageKeys.base + ImageKeys.bootstrap + ImageKeys.build + ImageKeys.conda
        for key in keys {
            #expect(article.contains("`\(key.name)`") || article.contains(".\(key.name)`"), "\(key.name)")
        }
        for key in ImageKeys.all where key.isSupported && key.name != "build" {
            #expect(article.contains("| `\(key.name)` |"), "\(key.name)")
            #expect(article.contains("\n\(key.name):"), "\(key.name) is not in the example")
        }
    }

    @Test
    func everyKeyOfTheFleetFileIsDocumented() throws {
        let article = try String(
            contentsOfFile: "Sources/VarveDefinition/VarveDefinition.docc/FleetFile.md", encoding: .utf8)
        for key in FleetKeys.all where key.name != "policy" {
            #expect(article.contains("| `\(key.name)` |"), "\(key.name)")
        }
        for key in FleetKeys.policy { #expect(article.contains("| `policy.\(key.name)` |"), "\(key.name)") }
    }

    @Test
    func exampleIsADefinition() throws {
        let start = try #require(article.range(of: "```yaml\n"))
        let end = try #require(article.range(of: "```", range: start.upperBound..<article.endIndex))
        let image = try DefinitionFixture.image(
            String(article[start.upperBound..<end.lowerBound]), ["config/a.json": "{}"])
        #expect(
            image.build.pip != nil && image.build.apt != nil && image.build.conda != nil && image.build.postBuild != nil
        )
    }
}
