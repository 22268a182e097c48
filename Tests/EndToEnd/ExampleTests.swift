// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// The examples of the language are good, and those that need no network beyond Debian's and Python's packages are built.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct ExampleTests {
    private static let folder = Fixtures.checkout + "/examples/language/images"

    /// The files of the examples in a repository, by path.
    private static func files(of images: [String]) throws -> [String: String?] {
        var files: [String: String?] = [:]
        for image in images {
            for path in try FileManager.default.subpathsOfDirectory(atPath: folder + "/" + image) {
                var isFolder: ObjCBool = false
                let full = "\(folder)/\(image)/\(path)"
                guard FileManager.default.fileExists(atPath: full, isDirectory: &isFolder), !isFolder.boolValue else {
                    continue
                }
                files["images/\(image)/\(path)"] = try String(contentsOfFile: full, encoding: .utf8)
            }
        }
        return files
    }

    @Test
    func everyExampleIsGoodAndInTheList() async throws {
        let directory = try TemporaryDirectory.required()
        let images = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
        #expect(images.count >= 8)
        let git = try await GitCommandLine.initialize(directory.path("fleet"))
        try git.write(try Self.files(of: images))
        // Groups, bases and owners are judged too.
        try git.write(["varve.yaml": try String(contentsOfFile: Self.folder + "/../varve.yaml", encoding: .utf8)])
        let varve = VarveProcess(repository: git.folder, state: directory.path("state"))
        let result = try await varve.run("validate")
        #expect(result.stdout == "\(images.count) images good, 0 invalid\n", "\(result)")
        let list = try String(contentsOfFile: Self.folder + "/../README.md", encoding: .utf8)
        for image in images { #expect(list.contains("| [\(image)](images/\(image)) |"), "\(image)") }
        let quickstart = try await varve.run("validate", options: ["--repo", Fixtures.checkout, "examples"])
        #expect(quickstart.status == 0, "\(quickstart)")
    }

    @Test
    func examplesAreBuiltAsTheySay() async throws {
        let fleet = try await Fleet()
        let mirror = try await CranMirror(
            [CranMirror.Package("praise", "1.0.0", code: "praise <- function() 'You are astounding!'")],
            in: fleet.directory)
        var files = try Self.files(of: ["minimal", "python", "copy", "r"])
        // No mirror of CRAN is asked but this one.
        let definition = try #require(files["images/r/image.yaml"] ?? nil)
        files["images/r/image.yaml"] = definition.replacing(
            "  cran: [praise]\n", with: "  cran: [praise]\n  cranMirror: \(mirror.url)\n")
        let pass = try await fleet.pass(files)
        try #require(pass.status == 0, "\(pass)")
        // The copy shares all layers up to its postBuild.
        #expect(
            pass.committed == [
                "apt", "apt", "config", "config", "config", "config", "cran", "installr", "pip", "postbuild",
                "postbuild",
            ], "\(pass)")
        for image in ["minimal", "python", "copy", "r"] {
            #expect(pass.finished(image)["status"].string == "built", "\(pass.finished(image))")
        }
        let python = try await ImageRun(fleet.prefix + "/python:stable", in: fleet.directory)
        #expect(
            try await python.start(["sh", "-c", "echo $GREETING as $(id -un)"]).stdout == "ready at UTC as joyvan\n")
        #expect(python.config["config"]["User"].string == "joyvan")
        let copy = try await ImageRun(fleet.prefix + "/copy:latest", in: fleet.directory)
        let theme = try await copy.start(["sh", "-c", "echo $TZ; cat ~/settings/theme.json"])
        #expect(theme.stdout == "Europe/Berlin\n{\"theme\": \"light\"}\n", "\(theme)")
        let r = try await ImageRun(fleet.prefix + "/r:latest", in: fleet.directory)
        let praise = try await r.run("Rscript", "-e", "cat(praise::praise())")
        #expect(praise.stdout == "You are astounding!", "\(praise)")
        let list = try await r.run("cat", "/usr/local/share/r-installed")
        #expect(list.lines.contains("praise"), "\(list)")
    }

    @Test
    func exampleWithAContainerfileIsBuilt() async throws {
        let fleet = try await Fleet()
        var files = try Self.files(of: ["containerfile"])
        // No image of Docker Hub is asked for.
        let path = "images/containerfile/Containerfile"
        let text = try #require(files[path] ?? nil)
        files[path] = text.replacing("docker.io/library/debian:bookworm-slim", with: try await fleet.base(.tiny))
        let pass = try await fleet.pass(files)
        try #require(pass.status == 0, "\(pass)")
        let image = try await ImageRun(fleet.prefix + "/containerfile:latest", in: fleet.directory)
        #expect(try await image.run("cat", "/srv/site/index.txt").stdout == "# Hello\n")
    }
}
