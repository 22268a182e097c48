// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveDefinition

/// Python's `jsonschema` is the judge of the schema that editors get.
@Suite("JSON Schema against jsonschema")
struct SchemaTests {
    /// Prints, for each YAML text, whether it is valid against the schema; fails where the schema is none.
    private static let program = """
        import json, sys, jsonschema, yaml
        request = json.load(sys.stdin)
        schema = json.loads(request["schema"])
        jsonschema.Draft7Validator.check_schema(schema)
        validator = jsonschema.Draft7Validator(schema)
        print(json.dumps([validator.is_valid(yaml.safe_load(text)) for text in request["texts"]]))
        """

    private struct Request: Encodable {
        let schema: String
        let texts: [String]
    }

    private func verdicts(_ texts: [String]) throws -> [Bool] {
        try Python.run(Self.program, input: Request(schema: JSONSchema.image, texts: texts), as: [Bool].self)
    }

    @Test
    func goodDocumentsAreValid() throws {
        var texts = [
            "base: x\n", "base: x\npip:\n".replacing("pip:", with: "tags:"), "base: x\nbuild: {pip: [a, b], apt: jq}\n",
            "external: a.io/b:c\nhardware: gpu\n", "base: {containerfile: Containerfile}\n",
            "base: x\nenv: {A: 1, B: yes, C: 1.10}\n",
            "base: {bootstrap: {distribution: debian, suite: bookworm}}\nbuild: {conda: {dependencies: [a, {pip: [b]}]}}\n",
        ]
        for folder in try FileManager.default.contentsOfDirectory(atPath: "examples/images") {
            texts.append(try String(contentsOfFile: "examples/images/\(folder)/image.yaml", encoding: .utf8))
        }
        #expect(texts.count > 7)
        #expect(try verdicts(texts).allSatisfy { $0 })
    }

    @Test
    func badDocumentsAreNot() throws {
        let texts = [
            "name: x\n", "base:\n", "base: x\nbases: y\n", "base: [x]\n", "base: x\nvisibility: all\n",
            "base: x\nsupports: [emacs]\n", "base: x\nsuspend: 'true'\n", "base: x\nenv: [A]\n",
            "base: x\nbuild: {pip: {a: b}}\n",
            "base: x\nbuild: {conda: {dependencies: [{npm: [b]}]}}\n", "base: {bootstrap: {suite: bookworm}}\n",
            "base: x\ntags: one\n", "- base\n",
        ]
        #expect(try verdicts(texts) == texts.map { _ in false })
    }
}
