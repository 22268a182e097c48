// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// Every folder that people wrote is read without a crash, and the few with diagnostics are listed.
@Suite("Corpus")
struct CorpusTests {
    @Test
    func everyFolderIsRead() throws {
        let fleet = try DefinitionReader(tree: try Corpus.tree(), hostPlatform: Platform("linux/amd64")).readFleet()
        print("corpus: \(fleet.images.count) folders give a definition, \(fleet.invalid.count) give diagnostics")
        for invalid in fleet.invalid {
            for diagnostic in invalid.diagnostics { print("corpus: \(diagnostic)") }
        }
        #expect(Corpus.folders.count > 300)
        #expect(fleet.images.count + fleet.invalid.count == Corpus.folders.count)
        // Each was looked at: broken YAML, `numpy=1.19` for pip, missing included files, `-e .` where the corpus leaves out
        // setup.py, extras in conda; a lock file with marks of a merge conflict; a runtime.txt that names pypy, an image, or the
        // 31st of November. A change that refuses more must say why.
        #expect(fleet.invalid.count <= 35)
    }
}

/// The folder of real definitions beside the checkout.
enum Corpus {
    static let root = "../shared/corpus/open"

    static var folders: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// All folders as one tree, each with an `image.yaml` that names a base.
    static func tree() throws -> MemorySourceTree {
        var files: [String: MemorySourceTree.File] = [:]
        for (index, folder) in folders.enumerated() {
            let base = root + "/" + folder
            for file in try FileManager.default.subpathsOfDirectory(atPath: base) {
                let path = base + "/" + file
                if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
                    files[folder + "/" + file] = .symlink(target)
                    continue
                }
                var isFolder: ObjCBool = false
                guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
                    continue
                }
                files[folder + "/" + file] = .file([UInt8](FileManager.default.contents(atPath: path) ?? Data()))
            }
            files[folder + "/image.yaml"] = .file(Array("name: c\(index)\nbase: localhost/base\n".utf8))
        }
        return try MemorySourceTree(files)
    }
}
