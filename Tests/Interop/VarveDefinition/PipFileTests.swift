// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveDefinition

/// pip's own reader of requirements files is the oracle for lines, comments, continuations and includes.
@Suite("Requirements files against pip")
struct PipFileTests {
    /// Prints, for each path, the requirements that pip reads from it in normal form, null where pip or `packaging` refuses.
    private static let program = """
        import json, sys
        from packaging.requirements import Requirement
        from packaging.utils import canonicalize_name
        from pip._internal.network.session import PipSession
        from pip._internal.req.req_file import parse_requirements

        def canonical(line):
            r = Requirement(line)
            extras = sorted({canonicalize_name(e) for e in r.extras})
            specs = sorted({"".join(s._canonical_spec) for s in r.specifier})
            text = canonicalize_name(r.name) + ("[" + ",".join(extras) + "]" if extras else "") + ",".join(specs)
            if r.url:
                text += " @ " + r.url + (" " if r.marker else "")
            return text + (f"; {r.marker}" if r.marker else "")

        def read(path):
            result = set()
            try:
                for item in parse_requirements(path, session=PipSession()):
                    if item.constraint:
                        continue
                    if item.is_editable or "://" in item.requirement.split("@")[0]:
                        result.add("url or editable")
                    else:
                        result.add(canonical(item.requirement))
            except Exception:
                return None
            return sorted(result)

        print(json.dumps([read(path) for path in json.load(sys.stdin)]))
        """

    @Test(.corpus)
    func requirementsAreThoseOfPip() throws {
        let fleet = try DefinitionReader(tree: try Corpus.tree(), hostPlatform: Platform("linux/amd64")).readFleet()
        let images = fleet.images.filter { $0.build.pip?.isEmpty == false }
        let paths = images.map { image -> String in
            let folder = Corpus.root + "/" + image.folder.description
            let candidates = ["binder", ".binder", "."].map { folder + "/" + $0 + "/requirements.txt" }
            return candidates.first { FileManager.default.fileExists(atPath: $0) } ?? folder
        }
        #expect(paths.count > 40)
        let expected = try Python.run(Self.program, input: paths, as: [[String]?].self)
        var differences: [String] = []
        for (image, wanted) in zip(images, expected) {
            let given = image.build.pip?.requirements ?? []
            let got = Set(
                given.map { line -> String in
                    let text = line.split(separator: " --hash", maxSplits: 1).first.map(String.init) ?? line
                    let isUrl = text.hasPrefix("-e ") || (text.contains("://") && !text.contains(" @ "))
                    return isUrl ? "url or editable" : text
                }
            )
            let locals: Set<String> = image.build.pip?.localSources.isEmpty == false ? ["url or editable"] : []
            if wanted.map(Set.init) != got.union(locals) {
                differences.append("\(image.folder): \(got.symmetricDifference(Set(wanted ?? ["refused"])).sorted())")
            }
        }
        #expect(differences.isEmpty, "\(differences.count) of \(paths.count):\n\(differences.joined(separator: "\n"))")
    }
}
