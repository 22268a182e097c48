// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild
@testable import VarveDefinition

/// Generated requirements: two spellings have one key exactly where pip and `packaging` read the same from both.
@Suite("Meaning of requirements against pip")
struct PipMeaningTests {
    /// Prints for each pair of definitions, a mapping from file names to texts each, whether pip reads the same from both.
    ///
    /// Requirements and constraints are sets, options are a list (pip asks indexes in order).
    private static let program = """
        import json, os, sys, tempfile
        from packaging.requirements import Requirement
        from packaging.utils import canonicalize_name
        from pip._internal.network.session import PipSession
        from pip._internal.req.req_file import RequirementsFileParser, get_line_parser
        from pip._internal.utils.hashes import Hashes

        session = PipSession()
        unset = {key: str(value) for key, value in vars(get_line_parser(None)("a")[1]).items()}

        def requirement(line):
            hashes = frozenset((a, d.lower()) for a, ds in (line.opts.hashes or {}).items() for d in ds)
            if line.is_editable:
                return ("editable", line.requirement)
            r = Requirement(line.requirement)
            extras = frozenset(canonicalize_name(e) for e in r.extras)
            specifiers = frozenset(s._canonical_spec for s in r.specifier)
            return (canonicalize_name(r.name), extras, specifiers, str(r.marker), r.url, hashes)

        def meaning(files):
            with tempfile.TemporaryDirectory() as folder:
                for name, text in files.items():
                    with open(os.path.join(folder, name), "w", newline="", encoding="utf-8") as file:
                        file.write(text)
                parser = RequirementsFileParser(session, get_line_parser(None))
                wanted, constraints, options = set(), set(), []
                for line in parser.parse(os.path.join(folder, "requirements.txt"), False):
                    if line.is_requirement:
                        (constraints if line.constraint else wanted).add(requirement(line))
                        continue
                    for key, value in sorted(vars(line.opts).items()):
                        if str(value) != unset.get(key):
                            options.append((key, str(value)))
                once = [o for i, o in enumerate(options) if o[1] != "True" or o not in options[:i]]
                return wanted, constraints, once

        print(json.dumps([meaning(a) == meaning(b) for a, b in json.load(sys.stdin)]))
        """

    private let meaning = Meaning<GeneratedRequirements, PipContent>(
        program: program, content: \.pip, layer: LayerContent.pip, rendered: rendered)

    @Test
    func spellingsThatPipReadsAlikeHaveOneKey() throws { try meaning.checkSpellings(300, seed: 31) }

    /// An edit can hit what is already so, such as a second `--pre`.
    @Test
    func whatPipReadsOtherwiseHasAnotherKey() throws { try meaning.checkEdits(600, seed: 32, different: 501) }

    @Test
    func whatPipIsGivenMeansWhatWasHashed() throws { try meaning.checkRendering(200, seed: 33) }

    /// The files of the step, as one definition.
    private static func rendered(_ content: PipContent) -> [String: String] {
        let files = PipStep.make(content, user: "").files
        func text(_ path: String) -> String {
            guard case .bytes(let bytes)? = files.first(where: { $0.path == path })?.content else { return "" }
            return String(decoding: bytes, as: UTF8.self)
        }
        return [
            "requirements.txt": text("step/requirements.txt") + "-c constraints.txt\n",
            "constraints.txt": text("step/constraints.txt"),
        ]
    }

    /// The same for each folder of the corpus that has requirements and names no folder of its repository.
    @Test(.corpus)
    func whatPipIsGivenForTheCorpusMeansWhatWasHashed() throws {
        let fleet = try DefinitionReader(tree: try Corpus.tree(), hostPlatform: Platform("linux/amd64")).readFleet()
        let contents = fleet.images.compactMap(\.build.pip).filter { !$0.isEmpty && $0.localSources.isEmpty }
        #expect(contents.count > 40)
        for content in contents {
            var wanted = content
            wanted.python = nil
            #expect(try meaning.read(Self.rendered(content)) == wanted)
        }
    }
}
