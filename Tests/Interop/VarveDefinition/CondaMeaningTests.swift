// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarvePlan
import VarveTestSupport

@testable import VarveBuild
@testable import VarveDefinition

/// Generated environments: two spellings have one key exactly where PyYAML, rattler and `packaging` read the same from both.
@Suite("Meaning of environments against rattler")
struct CondaMeaningTests {
    /// Prints for each pair of environment files whether they mean the same.
    ///
    /// Channels are a list in which the first mention counts; dependencies, requirements and variables are sets.
    private static let program = """
        import json, re, sys
        import yaml
        from packaging.requirements import Requirement
        from packaging.utils import canonicalize_name
        from rattler import MatchSpec, Version

        def versions(text):
            if text in (None, "*"):
                return None
            def part(piece):
                operation, version = re.fullmatch(r"([=<>!~]*)(.*)", piece).groups()
                is_exact = not version.endswith("*") and operation != "~="
                return (operation, Version(version) if is_exact else version)
            return frozenset(frozenset(part(p) for p in group.split(",")) for group in text.split("|"))

        def spec(text):
            spec = MatchSpec(text.partition("#")[0].strip())
            build = None if spec.build in (None, "*") else spec.build
            return (str(spec.name).lower(), versions(spec.version), build, str(spec.channel), spec.subdir)

        def requirement(line):
            r = Requirement(line.partition(" #")[0])
            return (canonicalize_name(r.name), frozenset(canonicalize_name(e) for e in r.extras), r.specifier, str(r.marker))

        def meaning(text):
            # conda reads each scalar of these keys as the text that stands there.
            root = yaml.load(text, Loader=yaml.BaseLoader)
            specs, requirements = set(), set()
            for item in root["dependencies"]:
                if isinstance(item, dict):
                    requirements.update(requirement(line) for line in item["pip"])
                else:
                    specs.add(spec(item))
            channels = list(dict.fromkeys(root.get("channels", [])))
            return channels, specs, requirements, root.get("variables", {})

        print(json.dumps([meaning(a) == meaning(b) for a, b in json.load(sys.stdin)]))
        """

    private func key(_ text: String) throws -> LayerKey {
        LayerKey(platform: try Platform("linux/amd64"), content: .conda(try content(text)), parent: nil)
    }

    private func content(_ text: String) throws -> CondaContent {
        let tree = try MemorySourceTree([
            "i/image.yaml": .file(Array("base: localhost/x\n".utf8)), "i/environment.yml": .file(Array(text.utf8)),
        ])
        let fleet = try DefinitionReader(tree: tree, hostPlatform: Platform("linux/amd64")).readFleet()
        let found = fleet.invalid.flatMap(\.diagnostics)
        return try #require(fleet.images.first?.build.conda, "\(text): \(found)")
    }

    @Test
    func spellingsThatMeanTheSameHaveOneKey() throws {
        var random = SeededRandom(seed: 41)
        var pairs: [[String]] = []
        for _ in 0..<300 {
            let environment = GeneratedEnvironment(&random)
            pairs.append([environment.plain, environment.respelt(&random)])
        }
        let verdicts = try Python.run(Self.program, input: pairs, as: [Bool].self)
        #expect(verdicts.count == pairs.count)
        for (pair, isSame) in zip(pairs, verdicts) {
            #expect(isSame, "the generator changed the meaning: \(pair)")
            #expect(try key(pair[0]) == key(pair[1]), "\(pair)")
        }
    }

    @Test
    func whatMeansSomethingElseHasAnotherKey() throws {
        var random = SeededRandom(seed: 42)
        var pairs: [[String]] = []
        var edits: Set<String> = []
        for _ in 0..<500 {
            let environment = GeneratedEnvironment(&random)
            let (edit, changed) = environment.changed(&random)
            edits.insert(edit)
            pairs.append([environment.respelt(&random), changed.respelt(&random)])
        }
        #expect(edits.count == GeneratedEnvironment.edits.count)
        let verdicts = try Python.run(Self.program, input: pairs, as: [Bool].self)
        for (pair, isSame) in zip(pairs, verdicts) {
            #expect(!isSame, "the generator kept the meaning: \(pair)")
            #expect(try key(pair[0]) != key(pair[1]), "\(pair)")
        }
    }

    /// What conda is given is rendered from what was hashed: read again it is the same content, and means the same to others.
    @Test
    func whatCondaIsGivenMeansWhatWasHashed() throws {
        var random = SeededRandom(seed: 43)
        var pairs: [[String]] = []
        for _ in 0..<200 {
            let given = GeneratedEnvironment(&random).respelt(&random)
            let content = try content(given)
            let rendered = CondaStep.environmentFile(content)
            #expect(try self.content(rendered) == content, "\(rendered)")
            #expect(try key(rendered) == key(given))
            pairs.append([given, rendered])
        }
        let verdicts = try Python.run(Self.program, input: pairs, as: [Bool].self)
        for (pair, isSame) in zip(pairs, verdicts) { #expect(isSame, "\(pair)") }
    }

    /// The same for each folder of the corpus that has an environment, lists of apt included.
    @Test
    func whatToolsAreGivenForTheCorpusMeansWhatWasHashed() throws {
        let fleet = try DefinitionReader(tree: try Corpus.tree(), hostPlatform: Platform("linux/amd64")).readFleet()
        let environments = fleet.images.compactMap(\.build.conda).filter {
            $0.explicit == nil && $0.pip?.localSources.isEmpty != false && $0.pip?.constraints.isEmpty != false
        }
        #expect(environments.count > 150)
        for content in environments {
            #expect(try self.content(CondaStep.environmentFile(content)) == content)
        }
        let lists = fleet.images.compactMap(\.build.apt)
        #expect(lists.count > 30)
        for content in lists {
            let words = AptStep.make(content).arguments.dropFirst(2)
            let place = Place(file: try RepositoryPath("apt.txt"), line: 1, column: 1)
            let lines = SourceLine.lines(of: words.joined(separator: "\n"), from: place)
            #expect(AptList(findings: Findings()).read(lines) == content)
        }
    }
}
