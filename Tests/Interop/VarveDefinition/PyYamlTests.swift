// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveDefinition

/// PyYAML is the oracle for the text of every scalar and the shape of every document.
@Suite("YAML against PyYAML")
struct PyYamlTests {
    /// Prints, for each text, its document with every scalar as text, or null where PyYAML refuses it.
    private static let program = """
        import json, sys, yaml

        def load(text):
            try:
                return json.dumps(yaml.load(text, Loader=yaml.BaseLoader), sort_keys=True, ensure_ascii=False)
            except (yaml.YAMLError, ValueError, TypeError):
                return None

        print(json.dumps([load(text) for text in json.load(sys.stdin)]))
        """

    private static let texts = [
        "a: 1.10\nb: yes\nc: 012\nd: ~\ne: null\nf: on\ng: 1_000\nh: 0x1f\ni: 1e3\nj: 2024-01-01\nk: .inf\nl: 1:30\n",
        "a: 'it''s'\nb: \"x\\ty\\u00e9\\x41\\n\"\nc: |\n  one\n   two\n\n  three\nd: >\n  folded\n  text\n\n  more\n",
        "a: |-\n  x\nb: |+\n  x\n\nc: >-\n  x\n  y\nd: |2\n    indented\n",
        "a: [1, two, 'three', \"four\", [five], {six: 6}]\nb: {x: 1, y: [2]}\n",
        "a:\n- b\n- c:\n    d\n-   - e\n    - f\n",
        "? a\n: b\n? c\n", "a: b # comment\n# another\nc: 'd # e' # f\n", "a: b\r\nc: |\r\n  x\r\n  y\r\n",
        "\u{FEFF}a: b\n", "a: é — ü\nb: 日本\n",
        "a: plain\n  continued\n  text\nb: \"quoted\n  continued\\\n  text\"\n", "a: b: c\n", "a: [b\n", "\ta: b\n",
        "a:\n\tb: c\n", "a: 'b\n",
        "a: @b\n", "a: `b`\n", "a: %b\n", "%YAML 1.1\n---\na: b\n", "---\na: b\n...\n", "- a\n-b\n", "a: - b\n",
        "a: *b\n", "a: !x b\n",
        "a: !!str 012\n", "a: !!map {b: c}\n", "- a\nb: c\n", "", "# only\n", "---\n", "a: \"\\q\"\n", "{a: b, c}\n",
        "[a, , b]\n",
        "a: &x b\nc: d\n", "a: x &y z\n", "a: b&c *d*\n", "a: https://x.org/?a=1&b=2#c\n", "a: |\n  x && y\n  &z\n",
        "key with spaces: v\n",
        "'q': v\n\"r\": w\n", "a: ''\nb: \"\"\nc:\n", "a: |\n\nb: c\n", "a: - \n",
    ]

    @Test
    func documentsAreThoseOfPyYaml() throws {
        let texts = Self.texts + (try Corpus.yamlTexts())
        #expect(texts.count > (Corpus.isThere ? 300 : 20))
        let expected = try Python.run(Self.program, input: texts, as: [String?].self)
        var differences: [String] = []
        for (text, wanted) in zip(texts, expected) {
            let findings = Findings()
            let value = YamlReader(file: .root, findings: findings).read(text)
            let codes = Set(findings.sorted.map(\.code))
            // varve is stricter in these on purpose.
            if !codes.isDisjoint(with: ["VRV004", "VRV005", "VRV006"]) { continue }
            let got: String?
            if codes.isEmpty {
                let object = value.map(Self.object) ?? ""
                let data = try JSONSerialization.data(
                    withJSONObject: object, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]
                )
                got = String(decoding: data, as: UTF8.self)
            } else {
                got = nil
            }
            if try Self.normal(got) != Self.normal(wanted) {
                differences.append(
                    "\(text.prefix(300).debugDescription):\n  PyYAML \(wanted ?? "refuses")\n  varve \(got ?? "\(findings.sorted)")"
                )
            }
        }
        #expect(differences.isEmpty, "\(differences.count) of \(texts.count):\n\(differences.joined(separator: "\n"))")
    }

    private static func normal(_ json: String?) throws -> NSObject? {
        guard let json, json != "null" else { return json.map { _ in "" as NSString } }
        return try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed) as? NSObject
    }

    private static func object(_ value: YamlValue) -> Any {
        switch value.content {
        case .scalar(let text, _): text
        case .list(let items): items.map(object)
        case .mapping(let entries): Dictionary(uniqueKeysWithValues: entries.map { ($0.key, object($0.value)) })
        }
    }
}

extension Corpus {
    /// The text of every YAML file of the corpus.
    static func yamlTexts() throws -> [String] {
        var result: [String] = []
        for folder in folders {
            for file in try FileManager.default.subpathsOfDirectory(atPath: root + "/" + folder)
            where file.hasSuffix(".yml") || file.hasSuffix(".yaml") {
                let bytes = [UInt8](FileManager.default.contents(atPath: root + "/" + folder + "/" + file) ?? Data())
                // conda-lock files are megabytes of the same.
                if bytes.count < 100_000, let text = try? SourceText.decode(bytes) { result.append(text) }
            }
        }
        return result
    }
}
