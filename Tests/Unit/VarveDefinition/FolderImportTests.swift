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
        #expect(found.map(\.inputs) == [[], ["**"], []])
    }

    @Test
    func postBuildSeesWhatItNames() throws {
        let found = try folders([
            "a/postBuild": "pip install -r requirements.txt\n", "a/requirements.txt": "x\n", "a/verify": "",
            "b/binder/postBuild": "cat binder/apt.txt\n", "b/binder/apt.txt": "jq\n", "b/binder/x.sh": "",
            "c/postBuild": "cat environment.yml\n", "c/data": "",
        ])
        #expect(found.map(\.inputs) == [["requirements.txt"], ["**", "binder/apt.txt"], ["**"]])
    }

    @Test
    func namesOfImagesAreNotGivenAgainAndImagesAreLeftAlone() throws {
        let tree = try MemorySourceTree(texts: ["a/apt.txt": "jq", "b/image.yaml": "base: x", "b/apt.txt": "jq"])
        let found = try FolderImport(tree: tree, below: .root, taken: ["a"])
        #expect(found.folders.map(\.name) == ["a-2"])
        #expect(found.adopted.map(\.description) == ["b"])
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
        #expect(found.first?.leavesOutRequirements == true)
    }

    @Test
    func linksAreFollowed() throws {
        let files: [String: MemorySourceTree.File] = [
            "a/binder": .symlink("../shared/env"), "a/data.csv": .file([0x31]),
            "shared/env/postBuild": .symlink("../run.sh"), "shared/run.sh": .file(Array("cat apt.txt\n".utf8)),
            "b/requirements.txt": .symlink("../shared/all.txt"), "shared/all.txt": .file([]),
        ]
        let found = try FolderImport(tree: MemorySourceTree(files), below: .root).folders
        #expect(found.map(\.path.description) == ["a", "b", "shared/env"])
        #expect(found.map(\.inputs) == [["**"], [], []])
        #expect(found.map(\.notes.count) == [1, 0, 0])
    }
}
