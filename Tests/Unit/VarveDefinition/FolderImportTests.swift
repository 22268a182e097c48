// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// Folders of repo2docker files are found, named, and what differs is said.
@Suite("Import of repo2docker folders")
struct FolderImportTests {
    private func folders(_ texts: [String: String]) throws -> [FolderImport.Folder] {
        try FolderImport(tree: MemorySourceTree(texts: texts), below: .root).folders
    }

    @Test
    func foldersAreFoundWhereverTheirFilesAre() throws {
        let found = try folders([
            "a/apt.txt": "jq", "b/binder/postBuild": "#!/bin/sh\n", "b/data.csv": "1", "a/postBuild": "#!/bin/sh\n",
            "c/deep/environment.yml": "dependencies: [pip]",
            "d/README.md": "", "e/image.yaml": "base: x", "e/apt.txt": "jq",
        ])
        #expect(found.map(\.path.description) == ["a", "b", "c/deep"])
        #expect(found.map(\.hasPostBuild) == [false, true, false])
    }

    @Test
    func namesAreValidAndUnique() throws {
        let found = try folders(["My Image/apt.txt": "", "x/My_Image!/apt.txt": "", "x/my-image/apt.txt": ""])
        #expect(Set(found.map(\.name)).count == 3)
        for folder in found { #expect((try? ImageName(folder.name)) != nil, "\(folder.name)") }
    }

    @Test
    func whatIsReadOtherwiseIsSaid() throws {
        let found = try folders(["a/environment.yml": "", "a/requirements.txt": "x", "a/Dockerfile": "FROM x"])
        #expect(found.first?.notes.count == 2)
        #expect(found.first?.notes.first?.contains("repo2docker ignores requirements.txt") == true)
    }
}
