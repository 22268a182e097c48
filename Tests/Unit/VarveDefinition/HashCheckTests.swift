// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel

/// pip takes hashes of all requirements or of none (pip, "Secure installs").
@Suite("Hashes of requirements")
struct HashCheckTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var expected: [String] = []
        var contains = ""
        var testDescription: String { text.debugDescription }
    }

    private static let hash = "--hash=sha256:" + String(repeating: "a", count: 64)

    static let cases = [
        Case(text: "a==1 \(hash)\nb==2 \(hash)\n"),
        Case(text: "a==1\nb>2\n-e git+https://x.org/a\n./p\n"),
        Case(
            text: "a==1 \(hash)\nb==2\n", expected: ["VRV139 2:1"],
            contains: "the requirement in line 1 of 'requirements.txt' has one"),
        Case(text: "b\na==1 \(hash)\n", expected: ["VRV139 1:1"]),
        Case(text: "b ; os_name == 'nt'\na==1 \(hash)\n"),
        Case(text: "a>=1 \(hash)\n", expected: ["VRV139 1:1"], contains: "no exact version"),
        Case(text: "a==1.* \(hash)\na===1 \(hash)\n"),
        Case(
            text: "--require-hashes\na==1\n", expected: ["VRV139 2:1"], contains: "'--require-hashes' stands in line 1"),
        Case(text: "--require-hashes\n"),
        Case(text: "a==1 \(hash)\n-e git+https://x.org/a\n", expected: ["VRV140 2:1"], contains: "can have no hash"),
        Case(text: "a==1 \(hash)\nc @ git+https://x.org/a\n", expected: ["VRV140 2:1"]),
        Case(text: "a==1 \(hash)\ngit+https://x.org/a#egg=c\n", expected: ["VRV140 2:1"]),
        Case(text: "a==1 \(hash)\n./p\n-e ./p\n", expected: ["VRV140 2:1", "VRV140 3:1"]),
        Case(text: "a==1 \(hash)\nc @ https://x.org/c.whl\n", expected: ["VRV139 2:1"]),
        Case(text: "a==1 \(hash)\nc @ https://x.org/c.whl#sha256=\(String(repeating: "b", count: 64))\n"),
        Case(text: "c @ https://x.org/c.whl#sha256=\(String(repeating: "b", count: 64))\nb\n"),
        Case(text: "a==1 \(hash)\n-r more.txt\n", expected: ["VRV139 1:1"], contains: "'requirements.txt'"),
        Case(text: "a==1 \(hash)\n-c more.txt\n"),
        Case(text: "a\n-c hashed.txt\n"),
        Case(text: "a==1 \(hash)\nb\n-c hashed.txt\n"),
    ]

    @Test(arguments: cases)
    func whatPipRefusesIsReported(_ test: Case) throws {
        let found = try DefinitionFixture.diagnostics(
            "base: localhost/x\n",
            [
                "requirements.txt": test.text, "more.txt": "six\n", "hashed.txt": "z==1 \(Self.hash)\n",
                "p/setup.py": "",
            ])
        #expect(found.map { "\($0.code) \($0.line):\($0.column)" } == test.expected, "\(found)")
        #expect(found.allSatisfy { $0.message.contains(test.contains) }, "\(found)")
    }

    @Test
    func thePipListOfAnEnvironmentIsJudgedAlone() throws {
        let found = try DefinitionFixture.diagnostics(
            "base: localhost/x\n",
            [
                "requirements.txt": "a==1 \(Self.hash)\n",
                "environment.yml": "dependencies:\n  - pip:\n    - b\n    - c==1 \(Self.hash)\n",
            ])
        #expect(found.map { "\($0.code) \($0.file.name) \($0.line):\($0.column)" } == ["VRV139 environment.yml 3:7"])
    }
}
