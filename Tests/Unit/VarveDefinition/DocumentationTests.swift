// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveDefinition

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

    /// The examples of an article, in its order.
    private static func examples(in article: String) -> [String] {
        article.components(separatedBy: "```yaml\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
    }

    /// The paths of all keys that can be given: `base.bootstrap.suite`.
    private static func paths(_ keys: [KeyDescription], below parent: String = "") -> [String] {
        keys.filter(\.isSupported).flatMap { key -> [String] in
            let path = parent + key.name
            switch key.type {
            case .record(let keys), .textOrRecord(let keys): return [path] + paths(keys, below: path + ".")
            default: return [path]
            }
        }
    }

    /// The paths of all keys that stand in a text.
    private static func paths(in text: String) throws -> Set<String> {
        let root = try #require(YamlReader(file: .root, findings: Findings()).read(text))
        var result: Set<String> = []
        var open = [("", root)]
        while let (parent, value) = open.popLast() {
            for entry in value.entries ?? [] {
                result.insert(parent + entry.key)
                open.append((parent + entry.key + ".", entry.value))
            }
        }
        return result
    }

    @Test
    func everyKeyHasAnExample() throws {
        var given: Set<String> = []
        for example in Self.examples(in: article) { given.formUnion(try Self.paths(in: example)) }
        #expect(Self.paths(ImageKeys.all).filter { !given.contains($0) } == [])
        let fleet = try String(
            contentsOfFile: "Sources/VarveDefinition/VarveDefinition.docc/FleetFile.md", encoding: .utf8)
        var ofFleet: Set<String> = []
        for example in Self.examples(in: fleet) { ofFleet.formUnion(try Self.paths(in: example)) }
        let keys = FleetKeys.all.map(\.name) + FleetKeys.policy.map { "policy." + $0.name }
        #expect(keys.filter { !ofFleet.contains($0) } == [])
    }

    /// Each example is good as it stands, in a repository with the image that it copies and, where it gives none, a base.
    @Test
    func everyExampleIsADefinition() throws {
        let examples = Self.examples(in: article)
        #expect(examples.count > 6)
        for example in examples {
            let files = [
                "varve.yaml": "defaults: {base: localhost/x}\n", "images/example/image.yaml": example,
                "images/example/Containerfile": "FROM localhost/x\n", "images/example/config/a.json": "{}",
                "images/saturn-python/image.yaml": "base: localhost/x\nbuild: {pip: [six]}\n",
            ]
            let tree = try MemorySourceTree(files.mapValues { .file(Array($0.utf8)) })
            let fleet = try DefinitionReader(tree: tree, hostPlatform: Platform("linux/amd64")).readFleet()
            #expect(fleet.invalid.flatMap(\.diagnostics) == [], "\(example)")
            #expect(fleet.images.count == 2)
        }
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
