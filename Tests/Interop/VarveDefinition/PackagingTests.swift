// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveDefinition

/// `packaging` is the oracle for every requirement line.
@Suite("Requirements against packaging")
struct PackagingTests {
    /// Prints a JSON list with the canonical text of each line of standard input, null where `packaging` refuses it.
    private static let program = """
        import json, sys
        from packaging.requirements import Requirement, InvalidRequirement
        from packaging.utils import canonicalize_name

        def canonical(line):
            try:
                r = Requirement(line)
            except InvalidRequirement:
                return None
            extras = sorted({canonicalize_name(e) for e in r.extras})
            specs = sorted({"".join(s._canonical_spec) for s in r.specifier})
            text = canonicalize_name(r.name) + ("[" + ",".join(extras) + "]" if extras else "") + ",".join(specs)
            if r.url:
                text += " @ " + r.url + (" " if r.marker else "")
            return text + (f"; {r.marker}" if r.marker else "")

        print(json.dumps([canonical(line) for line in json.load(sys.stdin)]))
        """

    /// Lines that try every rule of PEP 440 and PEP 508 at least once.
    private static let lines = [
        "numpy", "Numpy", "numpy == 1.26", "numpy==1.26", "numpy==1.26.0", "numpy==1.26.*", "numpy==1.26.0.*",
        "numpy>=1.26.0",
        "numpy~=1.26.0", "numpy~=1.26", "numpy~=1", "numpy===1.26.0", "numpy=== Foo-bar", "numpy (>=1,<2)",
        "numpy(>=1)",
        "numpy >=1 , <2", "numpy<2,>=1", "numpy>=1,", "numpy>=1,>=1.0", "numpy=1.19", "numpy==", "numpy>=1.*",
        "numpy!=1.*",
        "numpy==1.0+cu118", "numpy>=1.0+cu118", "numpy==1.0+CU_118-x", "numpy==v1.0", "numpy==1!2.0", "numpy==0!1.0",
        "numpy==1.0a1", "numpy==1.0.alpha.1", "numpy==1.0-a", "numpy==1.0a", "numpy==1.0preview2", "numpy==1.0c2",
        "numpy==1.0rc02",
        "numpy==1.0-1", "numpy==1.0.post", "numpy==1.0-r4", "numpy==1.0rev", "numpy==1.0.dev", "numpy==1.0-dev3",
        "numpy==1.0a1.post2.dev3", "numpy==1.0.0a1", "numpy==01.002", "numpy==1..0", "numpy==1.0.x", "numpy== 1.0 .1",
        "numpy==1.0a.b",
        "numpy==1.0_", "numpy==1.0.", "numpy==1.0a.", "numpy==1.0a-", "numpy==1.0.dev.", "numpy==1.0post_",
        "numpy==1.0A1", "numpy==1.0RC1",
        "numpy==1.0a_.dev1", "numpy==1.0--1", "numpy==1.0.a.dev", "numpy==1.0dev1.post1",
        "a", "a-", "-a", "a.b_c--D", "_a", "requests[security]", "requests[b, a]", "requests[A_b.c]",
        "requests[]", "requests[a b]",
        "requests[a,]", "requests [a] >= 2", "requests[a", "x @ https://example.com/x.whl",
        "x@https://example.com/x.whl",
        "x @ https://example.com/x.whl ; python_version < '3'", "x @ https://example.com/x.whl; python_version < '3'",
        "x @",
        "x[e] @ git+https://example.com/x.git@main#egg=x", "x; python_version<'3.8'", "x;python_version<\"3.8\"",
        "x ; (python_version<'3.8' or python_version>'3.9') and os.name=='nt'",
        "x; os_name == 'nt' and sys.platform == 'win32'",
        "x; python_implementation=='CPython'", "x; platform_python_implementation=='CPython'",
        "x; platform.machine in 'x86 arm'",
        "x; 'linux' not in sys_platform", "x; extra == 'Foo_Bar'", "x; 'Foo.Bar' == extra", "x; (python_version<'3')",
        "x; python_version", "x; python_version < ", "x; python_version < 3", "x; foo == 'a'",
        "x; python_version = '3'",
        "x; python_version<'3' or", "x; (python_version<'3'", "x; python_version not  in '3'",
        "x; python_version notin '3'",
        "x; python_version<'3'and os_name=='a'", "x>=1;python_version<'3'", "x ; python_version ~= '3.8'",
        "x; implementation_name === 'a'",
        "x y", "x>=1 y", "x>=1 <2", "x>1<2", "x!=1", "x<>1", "x @ foo bar", "", "#", "x#y", "x >= 1 # y", "é", "x==é",
        "x[é]",
        "foo.bar.-", "foo-.bar", "x>=2022.01.05", "x==2022.10", "x===1.0;python_version<'3'", "x ===1.0,>=1",
        "x>=1.0a0, !=1.5.*",
        "x<1.0.0.0", "x<=0", "x==0.0", "x==0.*", "x==0.0.*", "x>=1;", "x ; ",
        "x[a]>=1.0,<2.0;python_version>='3.6' and extra=='b'",
    ]

    @Test
    func normalFormsAreThoseOfPackaging() throws {
        let all = Set(Self.lines + (try Corpus.requirementLines())).sorted()
        #expect(all.count > (Corpus.isThere ? 400 : 20))
        let expected = try Python.run(Self.program, input: all, as: [String?].self)
        var differences: [String] = []
        for (line, wanted) in zip(all, expected) {
            let got = try? PythonRequirement(line).text
            if got != wanted {
                differences.append("\(line): packaging \(wanted ?? "refuses"), varve \(got ?? "refuses")")
            }
        }
        #expect(differences.isEmpty, "\(differences.count) of \(all.count):\n\(differences.joined(separator: "\n"))")
    }
}

/// Runs Python programs as oracles.
enum Python {
    /// The JSON that a program prints when it reads `input` as JSON.
    static func run<Output: Decodable>(_ program: String, input: some Encodable, as type: Output.Type) throws -> Output
    {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program]
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        // The programs read all of their input before they print.
        try stdin.fileHandleForWriting.write(contentsOf: JSONEncoder().encode(input))
        try stdin.fileHandleForWriting.close()
        let data = try stdout.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return try JSONDecoder().decode(type, from: data)
    }
}

extension Corpus {
    /// Every line of the corpus that looks like a requirement.
    static func requirementLines() throws -> [String] {
        var result: [String] = []
        for folder in folders {
            for file in try FileManager.default.contentsOfDirectory(atPath: root + "/" + folder)
            where file.contains("requirements") && file.hasSuffix(".txt") {
                let bytes = [UInt8](FileManager.default.contents(atPath: root + "/" + folder + "/" + file) ?? Data())
                guard let text = try? SourceText.decode(bytes) else { continue }
                let lines = SourceLine.lines(of: text, from: Place(file: .root, line: 1, column: 1))
                result += LogicalLine.join(lines).map(\.text).filter { line in
                    !line.hasPrefix("-") && !line.contains("--hash") && !line.contains("://")
                }
            }
        }
        return result
    }
}
