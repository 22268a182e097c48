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

    /// Every folder has as many folders, without end.
    private static func bomb(_ count: Int) throws -> ListedTree {
        let id = try ListedTree.id(1)
        let entries = (0..<count).map { SourceEntry(name: "d\($0)", kind: .folder, id: id) }
        return ListedTree(list: { _ in entries })
    }

    @Test
    func treesThatMultiplyAreRefused() throws {
        #expect(throws: SourceError.unreadable(path: ".", reason: "the commit has more than 100000 folders")) {
            try Self.bomb(10).fleet()
        }
    }

    @Test
    func endlessChainIsADiagnosticAndHidesNoImage() throws {
        let image = SourceEntry(name: "image.yaml", kind: .file, id: try ListedTree.id(2))
        let bomb = try Self.bomb(1)
        let tree = ListedTree(
            list: { path in path.description == "d0/d0" ? [image] + bomb.list(path) : bomb.list(path) },
            contents: [image.id: "name: a\nbase: localhost/x\n"])
        let fleet = try tree.fleet()
        #expect(fleet.images.map(\.name.value) == ["a"])
        #expect(fleet.invalid.flatMap(\.diagnostics).map(\.code) == ["VRV017"])
        #expect(fleet.invalid.first?.folder.components.count == 65)
    }

    @Test
    func inputsOfTreesThatMultiplyAreRefused() throws {
        // Few folders, so that the walk of the fleet takes them, but many files.
        let image = SourceEntry(name: "image.yaml", kind: .file, id: try ListedTree.id(2))
        let file = SourceEntry(name: "f", kind: .file, id: try ListedTree.id(3))
        let folders = try (0..<300).map { SourceEntry(name: "d\($0)", kind: .folder, id: try ListedTree.id(4)) }
        let files = (0..<400).map { SourceEntry(name: "f\($0)", kind: .file, id: file.id) }
        let tree = ListedTree(
            list: { path in
                switch path.components.count {
                case 0: [SourceEntry(name: "i", kind: .folder, id: image.id)]
                case 1: [image] + folders
                default: files
                }
            }, contents: [image.id: "base: localhost/x\ninputs: ['**']\n"])
        #expect(try places(tree.fleet().invalid.flatMap(\.diagnostics)) == ["VRV034 2:9 image.yaml"])
    }

    @Test
    func patternsThatAreTooManyForTheFilesAreRefused() throws {
        let files = try (0..<2_000).map { SourceEntry(name: "f\($0)", kind: .file, id: try ListedTree.id(3)) }
        let patterns = (0..<6_000).map { "'*a\($0)'" }.joined(separator: ", ")
        let tree = try ListedTree.image("base: localhost/x\ninputs: [\(patterns)]\n", holding: files)
        #expect(try places(tree.fleet().invalid.flatMap(\.diagnostics)) == ["VRV034 2:9 image.yaml"])
    }

    @Test
    func pathsThatFitNoRecordAreRefused() throws {
        let part = String(repeating: "a", count: 200)
        let path = Array(repeating: part, count: 6).joined(separator: "/")
        let fleet = try DefinitionFixture.fleet([
            path + "/image.yaml": "name: a\nbase: localhost/x\n", part + "/image.yaml": "name: b\nbase: localhost/x\n",
        ])
        #expect(fleet.images.map(\.name.value) == ["b"])
        #expect(fleet.invalid.flatMap(\.diagnostics).map(\.code) == ["VRV017"])
    }

    @Test
    func inputsOfEqualNamesAreNeverMerged() throws {
        let yaml = "base: localhost/x\nbuild: {postBuild: 'true'}\ninputs: ['**']\n"
        func entries(_ names: [String]) throws -> [SourceEntry] {
            try names.enumerated().map { SourceEntry(name: $1, kind: .file, id: try ListedTree.id(3 + $0)) }
        }
        let equal = try ListedTree.image(yaml, holding: entries(["\u{FFFD}", "\u{FFFD}"]))
        #expect(try equal.fleet().invalid.flatMap(\.diagnostics).map(\.code) == ["VRV034"])
        let forms = try ListedTree.image(yaml, holding: entries(["\u{E9}", "e\u{301}"]))
        #expect(try forms.fleet().images.first?.build.postBuild?.inputs.count == 2)
        // Git on a Mac would refuse it; here it is passed over and the others are found.
        let refused = try ListedTree.image(yaml, holding: entries([".GIT", "a"]))
        #expect(try refused.fleet().images.first?.build.postBuild?.inputs.map(\.path.description) == ["a"])
    }
}
