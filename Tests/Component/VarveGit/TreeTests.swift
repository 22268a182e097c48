// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing
import VarveGit
import VarveModel
import VarveTestSupport

@Suite("Trees", .temporaryDirectory)
struct TreeTests {
    /// A repository with every kind of entry, and both views of it.
    private func views() async throws -> (git: GitCommandLine, commit: GitTree, working: WorkingTree) {
        try GitLibrary.isolateConfiguration()
        let folder = try TemporaryDirectory.required().path("repository")
        let git = try await GitCommandLine.initialize(folder)
        try TemporaryDirectory.write("#!/bin/sh\n", to: folder + "/images/x/postBuild", executable: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/images/x/link", withDestinationPath: "/etc/passwd")
        try FileManager.default.createSymbolicLink(atPath: folder + "/folder-link", withDestinationPath: "images")
        try FileManager.default.createDirectory(atPath: folder + "/empty/inside", withIntermediateDirectories: true)
        let commit = try await git.commit([
            "images/x/image.yaml": "base: debian\n", "images/x.txt": "sorts between\n", "images/x0": "", "äö": "name\n",
            "images/x/sub/deep/file": "deep\n",
        ])
        #expect(mkfifo(folder + "/images/pipe", 0o600) == 0)
        return (git, try GitRepository(opening: folder).tree(of: commit), try WorkingTree(folder))
    }

    @Test
    func bothViewsShowWhatGitLists() async throws {
        let (git, commit, working) = try await views()
        for folder in ["", "images", "images/x", "images/x/sub", "images/x/sub/deep"] {
            let path = try RepositoryPath(folder)
            let listing = try await git.run(
                ["-c", "core.quotePath=false", "ls-tree", "HEAD"] + (folder.isEmpty ? [] : [folder + "/"]))
            let expected = listing.split(separator: "\n").map { line in
                let fields = line.split { $0 == " " || $0 == "\t" }
                return "\(fields[0]) \(fields[2]) \(fields[3].split(separator: "/").last ?? "")"
            }.sorted()
            for tree in [commit, working] as [any SourceTree] {
                let found = try tree.entries(in: path).map { entry in
                    let modes: [SourceEntry.Kind: String] = [
                        .file: "100644", .executable: "100755", .symlink: "120000", .folder: "040000",
                    ]
                    return "\(modes[entry.kind] ?? "?") \(entry.id) \(entry.name)"
                }.sorted()
                #expect(found == expected)
            }
        }
        let root = try ObjectID(hex: await git("rev-parse", "HEAD^{tree}"))
        #expect(try commit.entry(at: .root)?.id == root)
        #expect(try working.entry(at: .root)?.id == root)
    }

    @Test
    func filesAreReadAndLinksAreNotFollowed() async throws {
        let (_, commit, working) = try await views()
        for tree in [commit, working] as [any SourceTree] {
            let file = try #require(try tree.entry(at: RepositoryPath("images/x/image.yaml")))
            #expect(try tree.read(file.id, limit: 13) == Array("base: debian\n".utf8))
            #expect(throws: SourceError.tooLarge(size: 13, limit: 12)) { try tree.read(file.id, limit: 12) }
            let link = try #require(try tree.entry(at: RepositoryPath("images/x/link")))
            #expect(link.kind == .symlink)
            #expect(try tree.read(link.id, limit: 100) == Array("/etc/passwd".utf8))
            #expect(try tree.entry(at: RepositoryPath("folder-link/x")) == nil)
            #expect(try tree.entries(in: RepositoryPath("folder-link")).isEmpty)
            #expect(try tree.entries(in: RepositoryPath("images/x/image.yaml")).isEmpty)
            #expect(try tree.entry(at: RepositoryPath("images/nothing")) == nil)
            let missing = try ObjectID(hex: Samples.id(1))
            #expect(throws: SourceError.missing(missing)) { try tree.read(missing, limit: 10) }
        }
    }

    @Test
    func aFileThatChangesAfterItWasListedIsNotPassedOffAsTheOldOne() async throws {
        let (git, _, working) = try await views()
        let file = try #require(try working.entry(at: RepositoryPath("images/x/image.yaml")))
        try git.write(["images/x/image.yaml": "base: fedora\n"])
        #expect(throws: SourceError.unreadable(path: "images/x/image.yaml", reason: "it changed while it was read")) {
            try working.read(file.id, limit: 100)
        }
        try git.write(["images/x/image.yaml": nil])
        try FileManager.default.createSymbolicLink(
            atPath: git.folder + "/images/x/image.yaml", withDestinationPath: "/etc/passwd")
        #expect(throws: SourceError.unreadable(path: "images/x/image.yaml", reason: "it changed while it was read")) {
            try working.read(file.id, limit: 100_000)
        }
    }

    @Test
    func hostileTreesAreReadOrRefusedWithoutATrap() async throws {
        let (git, _, _) = try await views()
        let blob = try await git("rev-parse", "HEAD:images/x0")
        let repository = try GitRepository(opening: git.folder)
        // Names that git refuses to check out, and bytes that are no tree at all.
        for body in [
            "40000 ..\\0ID", "100644 .git\\0ID", "100644 a\\0short", "9 x", "777777777777 a\\0ID", "100644 \\0ID", "",
        ] {
            let id = blob.map { $0 }.count == 40 ? blob : ""
            let hex = stride(from: 0, to: 40, by: 2).map { "\\x" + id.dropFirst($0).prefix(2) }.joined()
            let bytes = body.replacing("ID", with: hex).replacing("\\0", with: "\\x00")
            let script = "printf '\(bytes)' | git hash-object -t tree --literally -w --stdin"
            let tree = try await Command.run("bash", ["-c", script], in: git.folder, environment: git.variables())
                .trimmed
            let commit = try ObjectID(hex: await git("commit-tree", "-m", "hostile", tree))
            _ = try? repository.tree(of: commit).entries(in: .root)
            _ = try? repository.changes(from: nil, to: commit)
            _ = try? repository.lastCommits(touching: [[RepositoryPath("a")]], from: commit)
        }
        #expect(try repository.head() != nil)
    }

    @Test
    func namesThatCannotBeToldApartAreLeftOut() async throws {
        let (git, _, _) = try await views()
        // Not UTF-8 (twice), one name in two forms, and one that only looks like the replacement for the first two.
        let names = ["\\xfe", "\\xff", "\\xc3\\xa9", "e\\xcc\\x81", "\\xef\\xbf\\xbd", "plain"]
        let blob = try await git("rev-parse", "HEAD:images/x0")
        let lines = names.map { "100644 blob \(blob)\\t\($0)\\x00" }.joined()
        let tree = try await Command.run(
            "bash", ["-c", "printf '\(lines)' | git mktree -z"], in: git.folder, environment: git.variables()
        ).trimmed
        try await git("fsck", "--strict")
        let commit = try ObjectID(hex: await git("commit-tree", "-m", "names", tree))
        let repository = try GitRepository(opening: git.folder)
        let view = try repository.tree(of: commit)
        #expect(try view.entries(in: .root).map(\.name) == ["plain", "\u{fffd}"])
        #expect(try view.entry(at: RepositoryPath("e\u{301}")) == nil)
        #expect(try repository.changes(from: nil, to: commit).count == 4)
        // The same names in a folder.
        for name in names {
            try await Command.run("bash", ["-c", "mkdir -p names; : > names/$(printf '\(name)')"], in: git.folder)
        }
        let working = try WorkingTree(git.folder + "/names")
        #expect(try working.entries(in: .root).map(\.name) == ["plain", "\u{fffd}"])
    }

    @Test
    func plainReadingCountsEveryFile() async throws {
        let (git, _, _) = try await views()
        let repository = try GitRepository(opening: git.folder)
        let totals = try repository.readAllBlobs(of: #require(try repository.head()))
        let sizes = try await git("ls-tree", "-r", "--format=%(objectsize)", "HEAD").split(separator: "\n")
            .compactMap { Int($0) }
        #expect(totals.count == sizes.count)
        #expect(totals.bytes == sizes.reduce(0, +))
    }
}
