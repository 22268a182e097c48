// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarvePlan
import VarveTestSupport

@testable import VarveDefinition

/// A generated definition of one layer, by its meaning: files beside `image.yaml` that can be written in many ways.
protocol GeneratedDefinition {
    /// The names of the edits that `changed` makes.
    static var edits: [String] { get }

    /// A definition that depends on the random numbers alone.
    init(_ random: inout SeededRandom)

    /// The files, by name, written as most people would.
    var plain: [String: String] { get }

    /// The same in other words.
    func respelt(_ random: inout SeededRandom) -> [String: String]

    /// The definition with one thing changed that the tool would act on, and what that is.
    func changed(_ random: inout SeededRandom) -> (edit: String, Self)
}

/// The properties that the content of each kind of layer has, for generated definitions and a tool that tells what they mean.
struct Meaning<Generated: GeneratedDefinition, Content: Hashable> {
    /// Reads a list of pairs of definitions from its input and prints for each whether both mean the same to the tool.
    var program: String
    var content: KeyPath<BuildData, Content?>
    var layer: (Content) -> LayerContent
    /// The files from which the tool reads what it is given.
    var rendered: (Content) -> [String: String]

    /// The content of a definition.
    func read(_ files: [String: String]) throws -> Content {
        var texts = Dictionary(uniqueKeysWithValues: files.map { ("i/" + $0.key, $0.value) })
        texts["i/image.yaml"] = "base: localhost/x\n"
        let tree = try MemorySourceTree(texts: texts)
        let fleet = try DefinitionReader(tree: tree, hostPlatform: Platform("linux/amd64")).readFleet()
        let found = fleet.invalid.flatMap(\.diagnostics)
        return try #require(fleet.images.first?.build[keyPath: content], "\(files): \(found)")
    }

    private func key(_ files: [String: String]) throws -> LayerKey {
        LayerKey(platform: try Platform("linux/amd64"), content: layer(try read(files)), parent: nil)
    }

    private func verdicts(_ pairs: [[[String: String]]]) throws -> [Bool] {
        let verdicts = try Python.run(program, input: pairs, as: [Bool].self)
        #expect(verdicts.count == pairs.count)
        return verdicts
    }

    /// Each spelling of a definition has the key of the plain one.
    func checkSpellings(_ count: Int, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let pairs = (0..<count).map { _ in
            let definition = Generated(&random)
            return [definition.plain, definition.respelt(&random)]
        }
        for (pair, isSame) in zip(pairs, try verdicts(pairs)) {
            #expect(isSame, "the generator changed the meaning: \(pair)")
            #expect(try key(pair[0]) == key(pair[1]), "\(pair)")
        }
    }

    /// An edit changes the key exactly where it changes what the tool reads, and nearly each edit does.
    func checkEdits(_ count: Int, seed: UInt64, different minimum: Int) throws {
        var random = SeededRandom(seed: seed)
        var edits: Set<String> = []
        let pairs = (0..<count).map { _ in
            let definition = Generated(&random)
            let (edit, changed) = definition.changed(&random)
            edits.insert(edit)
            return [definition.respelt(&random), changed.respelt(&random)]
        }
        #expect(edits == Set(Generated.edits))
        let verdicts = try verdicts(pairs)
        for (pair, isSame) in zip(pairs, verdicts) {
            #expect(
                try (key(pair[0]) == key(pair[1])) == isSame, "the tool: \(isSame ? "same" : "different"): \(pair)")
        }
        #expect(verdicts.count { !$0 } >= minimum)
    }

    /// What the tool is given is rendered from what was hashed: read again it is the same content, and means the same to it.
    func checkRendering(_ count: Int, seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var pairs: [[[String: String]]] = []
        for _ in 0..<count {
            let given = Generated(&random).respelt(&random)
            let content = try read(given)
            let rendered = rendered(content)
            #expect(try read(rendered) == content, "\(rendered)")
            pairs.append([given, rendered])
        }
        for (pair, isSame) in zip(pairs, try verdicts(pairs)) { #expect(isSame, "\(pair)") }
    }
}
