// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel

/// Folders that have the name of a file of the definition.
@Suite("Folders named as files")
struct FolderNameTests {
    /// What stands inside of it would be passed over.
    @Test(arguments: [
        "apt.txt", "environment.yml", "requirements.txt", "postBuild", "install.R", "runtime.txt", "conda-lock.yml",
        "conda-linux-64.lock", ".condarc",
    ])
    func folderWithTheNameOfAFileIsAnError(_ name: String) throws {
        for folder in ["", "binder/"] {
            let found = try DefinitionFixture.diagnostics("base: localhost/x\n", [folder + name + "/x": ""])
            #expect(found.map { "\($0.code) \($0.file)" } == ["VRV007 i/\(folder)\(name)"], "\(found)")
        }
    }

    @Test
    func folderWithTheNameOfAScriptIsAWarningWhereThereIsNoScript() throws {
        func warnings(_ yaml: String) throws -> [String] {
            let fleet = try DefinitionFixture.fleet(["i/image.yaml": yaml, "i/verify/a": "", "i/start/b": ""])
            #expect(fleet.images.count == 1)
            return fleet.warnings.values.flatMap(\.self).map { "\($0.code) \($0.file)" }
        }
        #expect(try warnings("base: localhost/x\n") == ["VRV007 i/start", "VRV007 i/verify"])
        #expect(try warnings("base: localhost/x\nverify: 'true'\nstart: exec \"$@\"\n") == [])
    }
}
