// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// A tree whose folders are what a function says, so that it can be larger than memory and have equal names.
struct ListedTree: SourceTree {
    /// The entries of a folder.
    var list: @Sendable (RepositoryPath) -> [SourceEntry]
    /// The contents of files, by id.
    var contents: [ObjectID: String] = [:]

    func entries(in folder: RepositoryPath) throws -> [SourceEntry] { list(folder) }

    func entry(at path: RepositoryPath) throws -> SourceEntry? {
        guard let parent = path.parent else { return SourceEntry(name: "", kind: .folder, id: try Self.id(0)) }
        return list(parent).first { $0.name == path.name }
    }

    func read(_ id: ObjectID, limit: Int) throws -> [UInt8] {
        guard let text = contents[id] else { throw SourceError.missing(id) }
        return Array(text.utf8)
    }

    static func id(_ number: Int) throws -> ObjectID {
        let digits = String(number, radix: 16)
        return try ObjectID(hex: String(repeating: "0", count: 40 - digits.count) + digits)
    }

    /// A tree with one image in the folder `i` that holds `extra` beside its `image.yaml`.
    static func image(_ yaml: String = "base: localhost/x\n", holding extra: [SourceEntry]) throws -> ListedTree {
        let folder = SourceEntry(name: "i", kind: .folder, id: try id(1))
        let own = [SourceEntry(name: "image.yaml", kind: .file, id: try id(2))] + extra
        return ListedTree(
            list: { path in
                switch path.description {
                case ".": [folder]
                case "i": own
                default: []
                }
            }, contents: [try id(2): yaml]
        )
    }

    func fleet() throws -> Fleet { try DefinitionReader(tree: self, hostPlatform: Platform("linux/amd64")).readFleet() }
}

@Suite("Hostile trees")
struct HostileTreeTests {
    @Test(arguments: [["\u{FFFD}", "\u{FFFD}"], ["\u{E9}", "e\u{301}"], ["postBuild", "postBuild"]])
    func equalNamesInAFolderDoNotTrap(_ names: [String]) throws {
        let entries = try names.enumerated().map { offset, name in
            SourceEntry(name: name, kind: .file, id: try ListedTree.id(3 + offset))
        }
        var tree = try ListedTree.image(holding: entries)
        for entry in entries { tree.contents[entry.id] = "true\n" }
        #expect(try tree.fleet().images.map(\.name.value) == ["i"])
    }

    @Test
    func messagesOnManyImagesOfOneNameStayShort() throws {
        var texts: [String: String] = [:]
        for index in 0..<2_000 { texts["i\(index)/image.yaml"] = "name: a\nbase: localhost/x\n" }
        let diagnostics = try DefinitionFixture.fleet(texts).invalid.flatMap(\.diagnostics)
        #expect(diagnostics.count == 2_000)
        #expect(diagnostics.allSatisfy { $0.code == "VRV021" && $0.message.hasSuffix(" and 1989 more") })
    }
}
