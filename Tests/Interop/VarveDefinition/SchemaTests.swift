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

    private func verdicts(_ texts: [String], by schema: String = JSONSchema.image) throws -> [Bool] {
        try Python.run(Self.program, input: Request(schema: schema, texts: texts), as: [Bool].self)
    }

    @Test
    func goodDocumentsAreValid() throws {
        var texts = [
            "base: x\n", "base: x\npip:\n".replacing("pip:", with: "tags:"), "base: x\nbuild: {pip: [a, b], apt: jq}\n",
            "external: a.io/b:c\nhardware: gpu\n", "base: {containerfile: Containerfile}\n",
            "base: x\nenv: {A: 1, B: yes, C: 1.10}\n",
            // The base can be copied, or stand in varve.yaml.
            "copyFrom: x\n", "name: x\n", "base:\n",
            "base: {bootstrap: {distribution: debian, suite: bookworm}}\nbuild: {conda: {dependencies: [a, {pip: [b]}]}}\n",
        ]
        for examples in ["examples/images", "examples/language/images"] {
            for folder in try FileManager.default.contentsOfDirectory(atPath: examples) {
                texts.append(try String(contentsOfFile: "\(examples)/\(folder)/image.yaml", encoding: .utf8))
            }
        }
        #expect(texts.count > 20)
        #expect(try verdicts(texts).allSatisfy { $0 })
    }

    @Test
    func badDocumentsAreNot() throws {
        let texts = [
            "base: x\nbases: y\n", "base: [x]\n", "base: x\nvisibility: all\n",
            "base: x\nsupports: [emacs]\n", "base: x\nsuspend: 'true'\n", "base: x\nenv: [A]\n",
            "base: x\nbuild: {pip: {a: b}}\n",
            "base: x\nbuild: {conda: {dependencies: [{npm: [b]}]}}\n", "base: {bootstrap: {suite: bookworm}}\n",
            "base: x\ntags: one\n", "- base\n",
        ]
        #expect(try verdicts(texts) == texts.map { _ in false })
    }

    @Test
    func goodFleetFilesAreValid() throws {
        let texts = [
            try String(contentsOfFile: "examples/language/varve.yaml", encoding: .utf8),
            "groups: {a: [ann, b@x.org], b: }\n", "definitions: [images, 'teams/*']\n", "defaults:\n",
            "policy: {bases: ['quay.io/**'], maximumSize: 4GB, requireOwner: true}\n",
            "policy: {maximumSize: 500000 B}\n",
            "defaults: {base: {bootstrap: {distribution: debian, suite: bookworm}}, build: {pip: [a], apt: jq}, env: {A: 1}}\n",
        ]
        #expect(try verdicts(texts, by: JSONSchema.fleet) == texts.map { _ in true })
    }

    @Test
    func badFleetFilesAreNot() throws {
        let texts = [
            "group: {a: [b]}\n", "groups: [a]\n", "groups: {a: ann}\n", "definitions: images\n", "registry: quay.io\n",
            "defaults: {name: x}\n", "defaults: {copyFrom: x}\n", "defaults: {inputs: [a]}\n",
            "defaults: {visibility: all}\n",
            "defaults: {base: {bootstrap: {suite: bookworm}}}\n", "policy: {base: [a]}\n", "policy: {bases: a}\n",
            "policy: {requireOwner: 'true'}\n", "- groups\n",
        ]
        #expect(try verdicts(texts, by: JSONSchema.fleet) == texts.map { _ in false })
    }
}
