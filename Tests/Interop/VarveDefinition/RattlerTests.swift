// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveDefinition

/// rattler (PyPI `py-rattler`) is the oracle for match specs.
@Suite("Match specs against rattler")
struct RattlerTests {
    /// Compares each pair of a spec and varve's form of it.
    ///
    /// Prints `same`, `different`, `refused` (by rattler alone) or `both-refused`; versions compare by rattler's equality.
    private static let program = """
        import json, re, sys
        from rattler import MatchSpec, Version

        def versions(text):
            if text in (None, "*"):
                return None
            def part(piece):
                operation, version = re.fullmatch(r"([=<>!~]*)(.*)", piece).groups()
                is_exact = not version.endswith("*") and operation != "~="
                return (operation, Version(version) if is_exact else version)
            return frozenset(frozenset(part(p) for p in group.split(",")) for group in text.split("|"))

        def form(text):
            try:
                spec = MatchSpec(text)
            except Exception:
                return None
            # An absent build and `*` both take any build.
            build = None if spec.build in (None, "*") else spec.build
            return (str(spec.name).lower(), versions(spec.version), build, str(spec.channel), spec.subdir)

        def compare(spec, varve):
            one = form(spec)
            if varve is None or one is None:
                return "refused" if varve else "both-refused" if one is None else "different"
            return "same" if one == form(varve) else "different"

        print(json.dumps([compare(a, b) for a, b in json.load(sys.stdin)]))
        """

    private static let specs = [
        "numpy", "numpy=1.26", "numpy =1.26", "numpy 1.26", "numpy==1.26", "numpy ==1.26", "numpy=1.26=*",
        "numpy=1.26.*", "numpy 1.26.*",
        "numpy=1.26=py310_0", "numpy==1.26=py310_0", "numpy 1.26 py310_0", "numpy=*=*mkl*", "numpy * *mkl*",
        "numpy>=1.26", "numpy >=1.26",
        "numpy >= 1.26", "numpy>=1.26,<2", "numpy >=1.26, <2", "numpy >=1|==0.9", "numpy!=1.2", "numpy ~=1.2",
        "numpy !=1.2.*", "numpy<2.0",
        "conda-forge::numpy", "conda-forge::numpy=1.26", "conda-forge/linux-64::numpy==1.26", "NumPy=1.26",
        "numpy[version='>=1.26',build='py*']",
        "numpy[version=\"1.26.*\"]", "python=3.10", "python 3.10.*", "python=3", "r-base=4.1.0", "openssl=1.1.1k",
        "tzdata=2021a", "_libgcc_mutex=0.1=main",
        "numpy >1.0,!=1.5,<=2", "numpy=2024.01.05", "numpy==01.2", "ca-certificates=2022.07.19=h06a4308_0", "jpeg=9e",
        "xz=5.2.6=h166bdaf_0",
        "numpy >=1.0.0", "numpy=1.0.0", "numpy==1.0.0", "pkg=1.0rc1", "pkg=1.0_1", "pkg==2!1.0", "pkg=1.2,<1.5",
    ]

    @Test
    func normalFormsMeanWhatRattlerReads() throws {
        let all = Set(Self.specs + (try Corpus.matchSpecs())).sorted()
        #expect(all.count > 1_000)
        let results = try Python.run(Self.program, input: all.map { [$0, try? MatchSpec($0).text] }, as: [String].self)
        var differences: [String] = []
        var refused: [String] = []
        for (spec, result) in zip(all, results) {
            let text = (try? MatchSpec(spec).text) ?? "refused"
            if result == "different" { differences.append("\(spec) -> \(text)") }
            if result == "refused" { refused.append("\(spec) -> \(text)") }
        }
        #expect(differences.isEmpty, "\(differences.count) of \(all.count):\n\(differences.joined(separator: "\n"))")
        // rattler strictly refuses some spellings that conda reads.
        #expect(refused.count < 10, "\(refused.joined(separator: "\n"))")
    }

    private static let versionProgram = """
        import json, sys
        from rattler import Version

        def is_version(text):
            try:
                Version(text)
            except Exception:
                return False
            return True

        print(json.dumps([is_version(text) for text in json.load(sys.stdin)]))
        """

    /// Every text of up to five characters that versions are made of, such as `1..2` and `1!2_`.
    @Test
    func versionsAreThoseThatRattlerReads() throws {
        var texts: [String] = []
        var longest = [""]
        for _ in 1...5 {
            longest = longest.flatMap { text in "1a.-_+!".map { text + String($0) } }
            texts += longest
        }
        let verdicts = try Python.run(Self.versionProgram, input: texts, as: [Bool].self)
        let different = zip(texts, verdicts).filter { CondaVersionSpec.isVersion($0) != $1 }.map(\.0)
        #expect(verdicts.count { $0 } > 800 && different.isEmpty, "\(different.prefix(50))")
    }
}

extension Corpus {
    /// Every dependency of the corpus that is a text.
    static func matchSpecs() throws -> [String] {
        try yamlTexts().flatMap { text -> [String] in
            let root = YamlReader(file: .root, findings: Findings()).read(text)
            return (root?["dependencies"]?.items ?? []).compactMap(\.text)
        }
    }
}
