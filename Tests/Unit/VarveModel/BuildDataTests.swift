// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveTestSupport

@Suite struct BuildDataTests {
    /// `String` takes these two for equal; which one a `Set` kept would depend on the order.
    @Test func setsAreMadeOfBytes() {
        let spellings = ["e\u{301}", "\u{e9}"]
        #expect(AptContent(packages: spellings).packages.map { Array($0.utf8) } == spellings.map { Array($0.utf8) })
        let reversed = AptContent(packages: spellings.reversed()).packages
        #expect(reversed.map { Array($0.utf8) } == spellings.map { Array($0.utf8) })
        #expect(AptContent(packages: ["b", "a", "b", "B"]).packages == ["B", "a", "b"])
    }

    /// The same folder with and without `-e` differs in nothing else: the order must not be left to chance.
    @Test func localSourcesHaveOneOrder() throws {
        let tree = try ObjectID(hex: String(repeating: "1", count: 40))
        let path = try RepositoryPath("lib")
        var sources: [LocalSource] = []
        for isEditable in [false, true] {
            for extras in [[], ["ab"], ["a", "b"], ["a"]] {
                sources.append(LocalSource(name: "lib", path: path, tree: tree, isEditable: isEditable, extras: extras))
            }
        }
        let expected = PipContent(requirements: [], localSources: sources).localSources
        #expect(expected.count == 8)
        var random = SeededRandom(seed: 3)
        for _ in 0..<20 {
            #expect(
                PipContent(requirements: [], localSources: sources.shuffled(using: &random)).localSources == expected)
        }
    }

    /// Where the folder stands is in no key, so it may not decide the order either.
    @Test func localSourcesAreSortedByName() throws {
        let tree = try ObjectID(hex: String(repeating: "1", count: 40))
        let one = LocalSource(name: "one", path: try RepositoryPath("z"), tree: tree, isEditable: false)
        let two = LocalSource(name: "two", path: try RepositoryPath("a"), tree: tree, isEditable: false)
        #expect(PipContent(requirements: [], localSources: [two, one]).localSources == [one, two])
        #expect(
            LocalSource(name: "x", path: .root, tree: tree, isEditable: true, extras: ["b", "a", "b"]).extras == [
                "a", "b",
            ])
    }
}
