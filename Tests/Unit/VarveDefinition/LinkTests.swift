// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// Symbolic links of a definition are followed inside the repository, and nowhere else.
@Suite("Symbolic links")
struct LinkTests {
    private func fleet(_ files: [String: MemorySourceTree.File]) throws -> Fleet {
        try DefinitionReader(tree: MemorySourceTree(files), hostPlatform: Platform("linux/amd64")).readFleet()
    }

    private func file(_ text: String) -> MemorySourceTree.File { .file(Array(text.utf8)) }

    private func image(_ files: [String: MemorySourceTree.File]) throws -> ImageDefinition {
        let found = try fleet(files)
        return try #require(found.images.first, "\(found.invalid.flatMap(\.diagnostics))")
    }

    /// Every file of a definition, `image.yaml` too, means what the file means that it leads to.
    @Test
    func linkedFilesMeanWhatTheyLeadTo() throws {
        let contents = [
            "image.yaml": "base: localhost/x\ninputs: [data/*]\n", "apt.txt": "git\n",
            "environment.yml": "dependencies: [a]\n",
            "requirements.txt": "six\n", "postBuild": "true\n", "start": "exec \"$@\"\n", "verify": "true\n",
            "install.R": "1\n",
            "data/a.json": "{}", "varve.yaml": "defaults: {env: {A: b}}\n",
        ]
        var plain: [String: MemorySourceTree.File] = [:]
        var linked: [String: MemorySourceTree.File] = [:]
        for (name, text) in contents {
            let isAtRoot = name == "varve.yaml"
            plain[isAtRoot ? name : "i/" + name] = file(text)
            linked["shared/" + name] = file(text)
            let up = isAtRoot ? "" : name.contains("/") ? "../../" : "../"
            linked[isAtRoot ? name : "i/" + name] = .symlink(up + "shared/" + name)
        }
        let (expected, found) = (try image(plain), try image(linked))
        #expect(found.build == expected.build)
        #expect(found.base == expected.base && found.start == expected.start && found.verify == expected.verify)
        #expect(found.environment == ["A": "b"])
        // Each of them counts for the image's definition, though its folder's tree id does not cover it.
        let own = contents.keys.filter { $0 != "varve.yaml" }
        #expect(Set(found.outsideInputs.map(\.description)) == Set(own.map { "shared/" + $0 }))
        #expect(found.sharedInputs.map(\.description) == ["shared/varve.yaml", "varve.yaml"])
    }

    @Test
    func editOfATargetIsAnEditOfTheLayer() throws {
        func read(_ text: String) throws -> ImageDefinition {
            try image([
                "i/image.yaml": file("base: localhost/x\nbuild: {postBuild: cat a.txt}\ninputs: ['*.txt']\n"),
                "i/a.txt": .symlink("../shared/a.txt"), "shared/a.txt": file(text),
            ])
        }
        let (one, two) = (try read("1"), try read("2"))
        #expect(one.tree == two.tree)
        #expect(one.build.postBuild != two.build.postBuild)
        #expect(one.build.postBuild?.inputs.map(\.path.description) == ["a.txt"])
    }

    /// As a file system does it: `..` after a link goes up from where the link leads, and files that a linked file names lie
    /// beside the link.
    @Test
    func pathsPassThroughLinks() throws {
        let found = try image([
            "i/image.yaml": file("base: localhost/x\n"),
            "i/requirements.txt": file("-r reqs/all.txt\n-r reqs/../top.txt\n-e ./pkg\n-c all.txt\n"),
            "i/reqs": .symlink("../lib/sub/reqs"), "i/pkg": .symlink("chain"), "i/chain": .symlink("../lib/pkg"),
            "i/all.txt": .symlink("../lib/sub/reqs/all.txt"), "i/more.txt": file("beside-link\n"),
            "lib/sub/reqs/all.txt": file("-r more.txt\n"), "lib/sub/reqs/more.txt": file("beside-target\n"),
            "lib/sub/top.txt": file("top\n"), "lib/pkg/setup.py": file(""),
        ])
        #expect(found.build.pip?.requirements == ["beside-link", "beside-target", "top"])
        #expect(found.build.pip?.localSources.map(\.path.description) == ["lib/pkg"])
        let outside = Set(found.outsideInputs.map(\.description))
        #expect(
            outside.isSuperset(of: [
                "lib/pkg", "lib/sub/reqs/all.txt", "lib/sub/reqs/more.txt", "lib/sub/top.txt",
            ]), "\(outside)")
    }

    /// `binder` that is a link is read as repo2docker reads it.
    @Test
    func binderThatIsALinkIsFollowed() throws {
        let files: [String: MemorySourceTree.File] = [
            "i/image.yaml": file("base: localhost/x\ninputs: ['**']\n"), "i/binder": .symlink("../shared/env"),
            "i/data.csv": file("1"), "i/apt.txt": file("not-read"),
            "shared/env/apt.txt": file("git\n"), "shared/env/requirements.txt": file("-r more.txt\n"),
            "shared/env/more.txt": file("six\n"), "shared/env/postBuild": file("true\n"),
        ]
        let found = try image(files)
        #expect(found.build.apt?.packages == ["git"] && found.build.pip?.requirements == ["six"])
        #expect(found.build.postBuild?.inputs.map(\.path.description).sorted() == ["apt.txt", "data.csv"])
        #expect(found.outsideInputs.contains(try RepositoryPath("shared/env")))
        for (target, code) in [("../../out", "VRV065"), ("gone", "VRV007")] {
            let edit = ["i/binder": MemorySourceTree.File.symlink(target), "i/image.yaml": file("base: localhost/x\n")]
            let broken = try fleet(files.merging(edit) { $1 }).invalid.flatMap(\.diagnostics)
            #expect(broken.map { "\($0.code) \($0.file)" } == ["\(code) i/binder"], "\(broken)")
        }
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        var target: String
        var code: String
        var words: String
        var testDescription: String { target }
    }

    @Test(arguments: [
        Broken(target: "/etc/passwd", code: "VRV065", words: "leads to '/etc/passwd', outside the repository"),
        Broken(
            target: "../../etc/passwd", code: "VRV065", words: "leads to '../../etc/passwd', outside the repository"),
        Broken(target: "out/passwd", code: "VRV065", words: "'i/out' leads to '/etc', outside"),
        Broken(target: "nothing.txt", code: "VRV007", words: "leads to 'nothing.txt', where nothing is"),
        Broken(target: "apt.txt", code: "VRV007", words: "leads to 'apt.txt', in a circle"),
        Broken(target: "ring", code: "VRV007", words: "in a circle"),
        Broken(target: "folder", code: "VRV007", words: "found a folder"),
        Broken(target: "", code: "VRV007", words: "which is no path"),
        Broken(target: "image.yaml/x", code: "VRV007", words: "where nothing is"),
        Broken(target: "a\u{0}b", code: "VRV007", words: "which is no path"),
        Broken(target: String(repeating: "a/", count: 4_000), code: "VRV007", words: "which is no path"),
        Broken(target: "steps/0", code: "VRV007", words: "through too many"),
    ])
    func linkThatLeadsNowhereIsAnError(_ link: Broken) throws {
        var files: [String: MemorySourceTree.File] = [
            "i/image.yaml": file("base: localhost/x\n"), "i/apt.txt": .symlink(link.target), "i/out": .symlink("/etc"),
            "i/ring": .symlink("gnir"), "i/gnir": .symlink("ring"), "i/folder/x": file(""), "i/steps/9": file("git\n"),
        ]
        for step in 0..<9 { files["i/steps/\(step)"] = .symlink("\(step + 1)") }
        let found = try fleet(files).invalid.flatMap(\.diagnostics)
        #expect(found.map(\.code) == [link.code], "\(found)")
        #expect(found.first?.message.contains(link.words) == true, "\(found)")
        // The same through -r, and as an input.
        files["i/requirements.txt"] = file("-r apt.txt\n")
        files["i/image.yaml"] = file("base: localhost/x\nbuild: {postBuild: 'x'}\ninputs: [link]\n")
        files["i/link"] = .symlink(link.target.replacing("apt.txt", with: "link"))
        let all = Set(try fleet(files).invalid.flatMap(\.diagnostics).map(\.code))
        #expect(all == [link.code, "VRV032"])
    }
}
