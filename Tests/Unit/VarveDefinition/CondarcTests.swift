// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel

/// `.condarc` says how strictly channels are ordered, and nothing else.
@Suite(".condarc")
struct CondarcTests {
    private let environment = "channels: [a, b]\ndependencies: [x]\n"

    private func read(_ text: String, folder: String = "", environment: String? = nil) throws -> Fleet {
        try DefinitionFixture.fleet([
            "i/image.yaml": "base: localhost/x\n", "i/\(folder).condarc": text,
            "i/\(folder)environment.yml": environment ?? self.environment,
        ])
    }

    @Test(arguments: [
        ("channel_priority: strict\n", "strict"), ("channel_priority: 'Flexible'\n", "flexible"),
        ("channel_priority: disabled # why\r\n", "disabled"), ("channel_priority: true\n", "flexible"),
        ("channel_priority: false\n", "disabled"), ("# nothing\n", nil), ("{}", nil),
    ])
    func priorityIsPartOfTheCondaLayer(_ text: String, _ expected: String?) throws {
        for folder in ["", "binder/"] {
            let image = try #require(try read(text, folder: folder).images.first)
            #expect(image.build.conda?.channelPriority == expected)
            var plain = image.build
            plain.conda?.channelPriority = nil
            #expect(try plain == DefinitionFixture.image(files: "environment.yml", environment).build)
        }
        let inline = try DefinitionFixture.image(
            "base: localhost/x\nbuild: {conda: {dependencies: [x]}}\n", [".condarc": text])
        #expect(inline.build.conda?.channelPriority == expected)
    }

    @Test(arguments: [
        ("channel_priority: strikt\n", "VRV141 1:19", "did you mean 'strict'?"), ("- strict\n", "VRV141 1:1", nil),
        ("channel_priority: [strict]\n", "VRV141 1:19", nil), ("channel_priority:\n", "VRV141 1:18", nil),
        ("a: b: c\n", "VRV003 1:5", nil),
    ])
    func whatIsWrongIsAnError(_ text: String, _ expected: String, _ hint: String?) throws {
        let found = try read(text).invalid.flatMap(\.diagnostics)
        #expect(found.map { "\($0.code) \($0.line):\($0.column)" } == [expected], "\(found)")
        if let hint { #expect(found.first?.hint == hint) }
    }

    @Test
    func otherKeysAreWarnings() throws {
        let fleet = try read("channels: [c]\nssl_verify: false\nchannel_priorty: strict\n")
        #expect(fleet.images.first?.build.conda?.channelPriority == nil)
        #expect(fleet.images.first?.build.conda?.channels == ["a", "b"])
        let warnings = fleet.warnings.values.flatMap(\.self)
        #expect(warnings.map { "\($0.code) \($0.line)" } == ["VRV142 1", "VRV142 2", "VRV142 3"])
        #expect(warnings.last?.hint == "did you mean 'channel_priority'?")
    }

    @Test
    func aListThatIsNotSolvedHasNoPriority() throws {
        let url = "https://c.example/x/linux-64/a-1.0-0.conda#" + String(repeating: "a", count: 32)
        let fleet = try read("channel_priority: strict\n", environment: "@EXPLICIT\n\(url)\n")
        #expect(fleet.images.first?.build.conda?.explicit?.count == 1)
        #expect(fleet.images.first?.build.conda?.channelPriority == nil)
        let alone = try DefinitionFixture.fleet([
            "i/image.yaml": "base: localhost/x\n", "i/.condarc": "channel_priority: strict\n",
        ])
        #expect(alone.warnings.values.flatMap(\.self).map(\.code) == ["VRV142"])
    }
}
