// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

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

        def meaning(files):
            # conda reads each scalar of these keys as the text that stands there.
            root = yaml.load(files["environment.yml"], Loader=yaml.BaseLoader)
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

    private let meaning = Meaning<GeneratedEnvironment, CondaContent>(
        program: program, content: \.conda, layer: LayerContent.conda,
        rendered: { ["environment.yml": CondaStep.environmentFile($0)] })

    @Test
    func spellingsThatMeanTheSameHaveOneKey() throws { try meaning.checkSpellings(300, seed: 41) }

    @Test
    func whatMeansSomethingElseHasAnotherKey() throws { try meaning.checkEdits(500, seed: 42, different: 500) }

    @Test
    func whatCondaIsGivenMeansWhatWasHashed() throws { try meaning.checkRendering(200, seed: 43) }

    /// The same for each folder of the corpus that has an environment.
    @Test(.corpus)
    func whatCondaIsGivenForTheCorpusMeansWhatWasHashed() throws {
        let fleet = try DefinitionReader(tree: try Corpus.tree(), hostPlatform: Platform("linux/amd64")).readFleet()
        let environments = fleet.images.compactMap(\.build.conda).filter {
            $0.explicit == nil && $0.pip?.localSources.isEmpty != false && $0.pip?.constraints.isEmpty != false
        }
        #expect(environments.count > 150)
        for content in environments {
            #expect(try meaning.read(meaning.rendered(content)) == content)
        }
    }
}
