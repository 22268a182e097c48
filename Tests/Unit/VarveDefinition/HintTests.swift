// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel

/// What a diagnostic offers as the way out.
@Suite
struct HintTests {
    @Test(arguments: [
        ("pip: x\n", "did you mean 'build.pip'?"), ("postbuild: x\n", "did you mean 'build.postBuild'?"),
        ("owner: group/\n", "did you mean 'group/NAME'?"), ("owner: user/../x\n", "did you mean 'user/NAME'?"),
        ("owner: grup/ann\n", "did you mean 'group/ann'?"),
    ])
    func nearestWordIsOneThatIsTaken(text: String, hint: String) throws {
        let found = try DefinitionFixture.diagnostics("base: localhost/x\n" + text)
        #expect(found.map(\.hint) == [hint])
    }

    @Test
    func dashAloneIsNoOptionOfPip() throws {
        let found = try DefinitionFixture.diagnostics("base: localhost/x\n", ["requirements.txt": "-\n"])
        #expect(found.map(\.message) == ["pip takes no '-' in a requirements file"])
    }

    @Test
    func tagsAreBounded() throws {
        let tags = (0..<16).map { "t\($0)" }.joined(separator: ", ")
        #expect(try DefinitionFixture.diagnostics("base: localhost/x\ntags: [\(tags), t0]\n").isEmpty)
        let found = try DefinitionFixture.diagnostics("base: localhost/x\ntags: [\(tags), more, still]\n")
        #expect(found.map(\.message) == ["expected at most 16 tags"])
    }

    @Test
    func subdirCountsWithoutAChannelToo() throws {
        func dependency(_ text: String) throws -> [String] {
            try DefinitionFixture.image("base: localhost/x\n", ["environment.yml": "dependencies: [\"\(text)\"]\n"])
                .build.conda?
                .dependencies ?? []
        }
        #expect(try dependency("n") == ["n"])
        #expect(try dependency("n[subdir=noarch]") == ["n[subdir='noarch']"])
        #expect(try dependency("c::n[subdir=noarch]") == ["c/noarch::n"])
        #expect(try dependency("n  >=  1.26 , <2   b*") == ["n <2,>=1.26 b*"])
    }
}
