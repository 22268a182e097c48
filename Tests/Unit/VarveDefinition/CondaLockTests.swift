// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

@Suite("Explicit lists and conda-lock.yml")
struct CondaLockTests {
    private static let channel = "https://conda.anaconda.org/conda-forge"
    private static let md5 = String(repeating: "a", count: 32)
    private static let sha = String(repeating: "b", count: 64)

    private static func package(
        _ name: String, needs: [String] = [], manager: String = "conda", platform: String = "linux-64",
        more: String = "category: main"
    ) -> String {
        let url =
            manager == "pip" ? "https://x.org/\(name)-1-py3-none-any.whl" : "\(channel)/\(platform)/\(name)-1-0.conda"
        let hash = manager == "pip" ? "sha256: \(sha)" : "md5: \(md5)"
        return """
            - {name: \(name), version: '1', manager: \(manager), platform: \(platform), url: '\(url)', hash: {\(hash)},
               dependencies: {\(needs.map { "\($0): '>=1'" }.joined(separator: ", "))}, \(more)}

            """
    }

    private static func lock(_ packages: [String]) -> String {
        "version: 1\nmetadata: {platforms: [linux-64]}\npackage:\n" + packages.joined()
    }

    private func conda(_ files: [String: String], _ image: String = "base: localhost/x\n") throws -> CondaContent? {
        try DefinitionFixture.image(image, files).build.conda
    }

    /// As in an explicit list, a second mention of a package does not count, whatever it is called.
    @Test
    func packageThatStandsTwiceIsTakenOnce() throws {
        let package = Self.package("a")
        let again = package.replacing("name: a", with: "name: b")
        let conda = try conda(["conda-lock.yml": Self.lock([package, again])])
        #expect(conda?.explicit == ["\(Self.channel)/linux-64/a-1-0.conda#\(Self.md5)"])
    }

    @Test
    func listsAreReadFromEachPlaceAlike() throws {
        let url = "\(Self.channel)/linux-64/b-1-0.conda"
        let text =
            "# platform: linux-64\n@EXPLICIT\n\n\(url)#\(Self.md5.uppercased())\n\(Self.channel)/noarch/a-1-0.tar.bz2\n"
        let expected = CondaContent(
            channels: [], dependencies: [], explicit: ["\(url)#\(Self.md5)", "\(Self.channel)/noarch/a-1-0.tar.bz2"])
        #expect(try conda(["environment.yml": text]) == expected)
        let beside = ["environment.yml": "dependencies: [c]\n", "conda-linux-64.lock": text]
        #expect(try conda(beside) == expected)
        #expect(try conda(beside, "base: localhost/x\nplatforms: [linux/arm64]\n")?.dependencies == ["c"])
    }

    @Test
    func lockFileGivesThePackagesOfThePlatformInTheOrderOfTheirDependencies() throws {
        let packages = [
            Self.package("a", needs: ["z", "__glibc"]), Self.package("z"), Self.package("m", needs: ["z"]),
            Self.package("arm", platform: "linux-aarch64"), Self.package("dev", more: "category: dev"),
            Self.package("opt", more: "optional: true"), Self.package("Some.Thing", manager: "pip"),
        ]
        let expected = CondaContent(
            channels: [], dependencies: [],
            pip: PipContent(requirements: [
                "some-thing @ https://x.org/Some.Thing-1-py3-none-any.whl#sha256=\(Self.sha)"
            ]),
            explicit: ["z", "a", "m"].map { "\(Self.channel)/linux-64/\($0)-1-0.conda#\(Self.md5)" })
        let files = ["conda-lock.yml": Self.lock(packages), "environment.yml": "dependencies: [c]\n"]
        #expect(try conda(files) == expected)
        #expect(try conda(["conda-lock.yml": Self.lock(packages.reversed())]) == expected)
        let arm = try conda(files, "base: localhost/x\nplatforms: [linux/arm64]\n")
        #expect(arm?.explicit == ["\(Self.channel)/linux-aarch64/arm-1-0.conda#\(Self.md5)"])
    }

    @Test(arguments: [
        ("conda-linux-64.lock", "https://x.org/c/noarch/a-1-0.conda\n", ["VRV054 1:1"]),
        ("conda-linux-64.lock", "@EXPLICIT\nhttps://x.org/c/linux-aarch64/a-1-0.conda\n", ["VRV056 2:1"]),
        ("conda-linux-64.lock", "@EXPLICIT\nhttps://x.org/c/noarch/a-1-0.conda#12\n", ["VRV054 2:1"]),
        ("conda-linux-64.lock", "@EXPLICIT\nhttps://u:hunter2@x.org/c/noarch/a-1-0.conda\n", ["VRV067 2:1"]),
        ("conda-linux-64.lock", "@EXPLICIT\n/etc/noarch/a-1-0.conda\nnumpy\n", ["VRV054 2:1", "VRV054 3:1"]),
        ("conda-linux-64.lock", "@EXPLICIT\nhttps://x.org/$X/noarch/a-1-0.conda\n", ["VRV054 2:1"]),
        ("conda-lock.yml", "version: 2\npackage: []\n", ["VRV055 1:10"]),
        ("conda-lock.yml", lock([package("a", platform: "osx-64")]), ["VRV056 1:1"]),
        ("conda-lock.yml", "version: 1\npackage: [numpy, scipy]\n", ["VRV055 2:11", "VRV055 2:18"]),
        ("conda-lock.yml", "version: 1\npackage: [{name: a, manager: conda}]\n", ["VRV055 2:11"]),
        ("conda-lock.yml", lock([package("a"), package("b", manager: "npm")]), ["VRV055 6:3"]),
    ])
    func whatIsWrongIsReported(file: String, text: String, expected: [String]) throws {
        let found = try DefinitionFixture.diagnostics("base: localhost/x\n", [file: text])
        #expect(found.map { "\($0.code) \($0.line):\($0.column)" } == expected, "\(found)")
        #expect(!found.contains { $0.description.contains("hunter2") })
    }

    @Test
    func lockForAnotherPlatformAloneIsNotPassedOver() throws {
        let list = "@EXPLICIT\nhttps://x.org/c/noarch/a-1-0.conda\n"
        let locks = ["conda-osx-arm64.lock": list, "conda-linux-aarch64.lock": list, "conda-mine.lock": list]
        let found = try DefinitionFixture.diagnostics("base: localhost/x\n", locks)
        #expect(places(found) == ["VRV056 0:0 conda-linux-aarch64.lock"])
        #expect(
            found.first?.message == "the locked packages are for 'linux-aarch64', 'osx-arm64', and the image for "
                + "'linux/amd64' takes 'linux-64'")
        // With an environment the image can be built, but not with what was locked.
        let files = locks.merging(["environment.yml": "dependencies: [c]\n", "image.yaml": "base: localhost/x\n"]) {
            $1
        }
        let fleet = try DefinitionFixture.fleet(
            Dictionary(uniqueKeysWithValues: files.map { ("i/" + $0.key, $0.value) }))
        #expect(fleet.images.first?.build.conda?.dependencies == ["c"])
        #expect(fleet.warnings.values.flatMap(\.self).map(\.code) == ["VRV056"])
    }

    @Test
    func listOfTextsIsSaidToBeNoListOfPackages() throws {
        let found = try DefinitionFixture.diagnostics(
            "base: localhost/x\n", ["conda-lock.yml": "version: 1\npackage: [numpy]\n"])
        #expect(
            found.map(\.message) == ["expected a package with 'name', 'platform', 'manager' and 'url', found a text"])
    }
}
