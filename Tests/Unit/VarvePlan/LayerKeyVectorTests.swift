// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarvePlan

/// The encoding is a contract with every store and every record: a changed vector rebuilds the world.
@Suite struct LayerKeyVectorTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        var name: String
        var key: String
        var content: LayerContent
        var platform = "linux/amd64"
        var hasParent = true
        var testDescription: String { name }
    }

    private static let parent = String(repeating: "0123456789abcdef", count: 4)

    /// Made by an independent implementation of the documented encoding.
    static var vectors: [Vector] {
        get throws {
            let digest = try Digest(hex: String(repeating: "ab", count: 32))
            let blob = try ObjectID(hex: String(repeating: "12", count: 20))
            let tree = try ObjectID(hex: String(repeating: "34", count: 20))
            let debian = try ImageReference("docker.io/library/debian:bookworm")
            let cran = "https://cran.example.com"
            return [
                Vector(
                    name: "base image", key: "467fa3cf9baa6e3c354820d73b7f66e95216d7b8707699efb794be6551fcbfaa",
                    content: .base(.image(configDigest: digest)), hasParent: false),
                Vector(
                    name: "base image on arm", key: "c7ea1b1517854f823d9e29843f457d383c9995c269d80727c6ff3ba465959d98",
                    content: .base(.image(configDigest: digest)), platform: "linux/arm/v7", hasParent: false),
                Vector(
                    name: "bootstrap", key: "f8048c424451563d63d53e4742b111e5a2a5697fe85ab6a086a7fae32ee979c3",
                    content: .base(
                        .bootstrap(
                            BootstrapSpecification(
                                distribution: "debian", suite: "bookworm", packages: ["python3", "ca-certificates"]))),
                    hasParent: false),
                Vector(
                    name: "bootstrap with a mirror and a user",
                    key: "c9c4aa0a28e6d0497bb22b68477a4d7460a84b37e2cf924eaeaf2db7194a226e",
                    content: .base(
                        .bootstrap(
                            BootstrapSpecification(
                                distribution: "debian", suite: "bookworm", mirror: "http://mirror.example.com/debian",
                                user: "jovyan"))),
                    hasParent: false),
                Vector(
                    name: "containerfile", key: "4ab2ab44f677d54324ee2677f917c89406bd14e4090db109cdb24b6bc8a98955",
                    content: .base(
                        .containerfile(
                            ContainerfileContent(
                                specification: ContainerfileSpecification(
                                    path: try RepositoryPath("Containerfile"),
                                    files: [
                                        InputFile(path: try RepositoryPath("bin/run"), id: blob, isExecutable: true),
                                        InputFile(
                                            path: try RepositoryPath("Containerfile"), id: blob, isExecutable: false),
                                    ], images: [debian]),
                                images: [debian: digest]))),
                    hasParent: false),
                Vector(
                    name: "apt", key: "edba13c7d8be98fb153472268e44bec030580bac696bc794358f6898643f1c94",
                    content: .apt(AptContent(packages: ["libc6:arm64", "git", "graphviz=2.42.2-7", "git"]))),
                Vector(
                    name: "apt, empty", key: "ae7cffe64b96f015a2264804c4d0cfa1c502d0732feca5f939c3eb16c15c3949",
                    content: .apt(AptContent(packages: []))),
                Vector(
                    name: "apt, two spellings", key: "c5fff7d0135b15fbaca8880db7afd2deaf0f9c988dcee7b3417be065e671d3dd",
                    content: .apt(AptContent(packages: ["\u{e9}", "e\u{301}"]))),
                Vector(
                    name: "conda", key: "15f26aed09a6fb1f7c8a16da057254cf3d05d11fe1a73f7245c3daf67fdfdaa6",
                    content: .conda(CondaContent(channels: ["conda-forge"], dependencies: ["xarray", "python=3.12.*"]))),
                Vector(
                    name: "conda, all fields", key: "c5e86755b279d38a1f9048bb2429e774d7cd1ef644b84db1223cf54716d93bc3",
                    content: .conda(
                        CondaContent(
                            channels: ["conda-forge", "defaults"], dependencies: ["numpy"],
                            pip: PipContent(requirements: ["polars>=1"]), variables: ["B": "2", "A": "1"],
                            cudaOverride: "12.4", channelPriority: "strict"))),
                Vector(
                    name: "conda, explicit", key: "799e5ccf4495d63b0addb5b328d7ebe8faadc994361a6f1c4e72820f2b7a1317",
                    content: .conda(
                        CondaContent(
                            channels: [], dependencies: [],
                            explicit: [
                                "https://conda.example.com/linux-64/b-1-0.conda#" + String(repeating: "ab", count: 16),
                                "https://conda.example.com/noarch/a-1-0.conda#" + String(repeating: "ab", count: 16),
                            ]))),
                Vector(
                    name: "cran", key: "01a8c35df2a36b73d5dc0cbd10c0220cb88c1eb6e4314765ae699ec087d28cf7",
                    content: .cran(CranContent(repository: cran, packages: ["jsonlite", "dplyr@1.1.4", "jsonlite"]))),
                Vector(
                    name: "bioconductor", key: "b756deb7eef79115e5dae2ce3e6f4e3446aa8da761a92677d13b798a54db2b52",
                    content: .bioconductor(BioconductorContent(repository: cran, version: "3.18", packages: ["limma"]))),
                Vector(
                    name: "remotes", key: "cb9a4fe0923f61cef1775c4cdf2be1b23ee75b73e6e63a19f5f22c193cd3ae38",
                    content: .remotes(RemotesContent(repository: cran, packages: ["r-lib/cli@v3.6.0"]))),
                Vector(
                    name: "install.R", key: "1fa83f56ed909f982f13c35c543981b7c94268cf1543963e13e351a9b44e9d1c",
                    content: .installR(InstallRContent(repository: cran, script: Script(bytes: Array("1\n".utf8))))),
                Vector(
                    name: "kernel", key: "39c9e351fa64fffcb69144dd833867ed19733fa054f8159c94771e393f91a67d",
                    content: .kernel(KernelContent())),
                Vector(
                    name: "pip", key: "97b1050a2e4c9c232e3768326157f7c4ee042c3da74c410b061d5a0893a8c3d3",
                    content: .pip(PipContent(requirements: ["polars>=1"]))),
                Vector(
                    name: "pip, all fields", key: "d3c44e9f00c0ae915147e3363af66519ad5cd64f19b670bced72810e82d2dc5a",
                    content: .pip(
                        PipContent(
                            options: ["--index-url https://pypi.example.com/simple", "--pre"],
                            requirements: ["polars>=1", "dask[complete]"], constraints: ["numpy<2"],
                            localSources: [
                                LocalSource(
                                    name: "tool", path: try RepositoryPath("a/tool"), tree: tree, isEditable: false),
                                LocalSource(
                                    name: "lib", path: try RepositoryPath("z/lib"), tree: tree, isEditable: true,
                                    extras: ["b", "a"]),
                            ], python: "3.10"))),
                Vector(
                    name: "postBuild", key: "16066c269686b4b219481903c61c2e7b1cf1b6f13b28dbfb5e90895f8e716fad",
                    content: .postBuild(PostBuildContent(script: Script(bytes: Array("echo hi\n".utf8))))),
                Vector(
                    name: "postBuild, all fields",
                    key: "726ac2e9dcbe4c53bdf62fd088f5daad8bf8a55638fcdb7b17bfd8e6fe159345",
                    content: .postBuild(
                        PostBuildContent(
                            script: Script(bytes: Array("#!/bin/sh\n".utf8) + [0xff, 0]),
                            inputs: [
                                InputFile(path: try RepositoryPath("run"), id: blob, isExecutable: true),
                                InputFile(path: try RepositoryPath("config/a.json"), id: blob, isExecutable: false),
                            ]))),
                Vector(
                    name: "config, empty", key: "c40c45ba6e18575cd32b6ae3f0ceaf1202c993b195d93d6b7695c8cd127f2842",
                    content: .config(ConfigContent())),
                Vector(
                    name: "config, all fields", key: "3ba32de4a6d9055070abd74c3c8ddf21887d83a865731ed9a93f26651b5185dc",
                    content: .config(
                        ConfigContent(
                            environment: ["TZ": "UTC", "A": ""],
                            start: Script(bytes: Array("exec \"$@\"\n".utf8)), labels: ["l": "v"]))),
            ]
        }
    }

    @Test(arguments: try vectors)
    func keyIsPinned(_ vector: Vector) throws {
        let key = LayerKey(
            platform: try Platform(vector.platform), content: vector.content,
            parent: vector.hasParent ? try LayerKey(hex: Self.parent) : nil)
        #expect(key.hex == vector.key)
    }

    /// The example that stands in the documentation.
    @Test func bytesAreAsDocumented() throws {
        let bytes = LayerKey.encoding(
            platform: try Platform("linux/amd64"),
            content: .apt(AptContent(packages: ["git", "graphviz=2.42.2-7", "libc6:arm64"])),
            parent: try LayerKey(hex: Self.parent))
        let parent = Self.parent.utf8.map { String($0, radix: 16) }.joined()
        let expected =
            "02" + "0000000b6c696e75782f616d643634" + "00000003617074" + "00000002" + "0100000040" + parent
            + "00000003" + "00000003676974" + "000000116772617068766" + "97a3d322e34322e322d37"
            + "0000000b6c696263363a61726d3634"
        #expect(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == expected)
    }
}
