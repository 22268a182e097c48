// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// Reads small trees for the tests of this module.
enum DefinitionFixture {
    static func reader(_ texts: [String: String]) throws -> DefinitionReader {
        DefinitionReader(tree: try MemorySourceTree(texts: texts), hostPlatform: try Platform("linux/amd64"))
    }

    static func fleet(_ texts: [String: String]) throws -> Fleet { try reader(texts).readFleet() }

    /// The one image of a tree, in the folder `i`; its `image.yaml` is the given text, by default one with only a base.
    static func image(
        _ yaml: String = "base: localhost/base\n", _ files: [String: String] = [:], outside: [String: String] = [:]
    ) throws -> ImageDefinition {
        let fleet = try fleet(tree(yaml, files, outside))
        #expect(fleet.invalid.flatMap(\.diagnostics).map(\.description) == [])
        return try #require(fleet.images.first)
    }

    /// All diagnostics of such a tree, as compilers print them.
    static func diagnostics(
        _ yaml: String = "base: localhost/base\n", _ files: [String: String] = [:], outside: [String: String] = [:]
    ) throws -> [Diagnostic] {
        try fleet(tree(yaml, files, outside)).invalid.flatMap(\.diagnostics)
    }

    private static func tree(
        _ yaml: String, _ files: [String: String], _ outside: [String: String]
    ) -> [String: String] {
        var all = outside
        all["i/image.yaml"] = yaml
        for (path, text) in files { all["i/" + path] = text }
        return all
    }
}

/// `code line:column file`, to compare places in tables.
func places(_ diagnostics: [Diagnostic]) -> [String] {
    diagnostics.map { "\($0.code) \($0.line):\($0.column) \($0.file.name)" }
}
