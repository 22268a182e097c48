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
            return [
                Vector(
                    name: "base image", key: "c55960a493cab4fad1fc66e6f1c7c879e7c6d36c59b271ab1ff3eb51988d74bd",
                    content: .base(.image(configDigest: digest)), hasParent: false),
                Vector(
                    name: "base image on arm", key: "c3f335e3924edd1e6297a10092a91fadf21990568045946023886afb370d37b2",
                    content: .base(.image(configDigest: digest)), platform: "linux/arm/v7", hasParent: false),
                Vector(
                    name: "bootstrap", key: "78e0c8bfc8882c4b93e6e487e6e0ab20e4f1a5081efbafc96eee19119129040b",
                    content: .base(
                        .bootstrap(
                            BootstrapSpecification(
                                distribution: "debian", suite: "bookworm", packages: ["python3", "ca-certificates"]))),
                    hasParent: false),
                Vector(
                    name: "bootstrap with a mirror",
                    key: "335d118d491fe6511d90f4775d8674045af62420fc0e10820dbd055622baec3a",
                    content: .base(
                        .bootstrap(
                            BootstrapSpecification(
                                distribution: "debian", suite: "bookworm", mirror: "http://mirror.example.com/debian"))),
                    hasParent: false),
                Vector(
                    name: "apt", key: "bf272ee1fff143d580e2c55d022d9e294fbcd403e1d8e0382746c4176eda55de",
                    content: .apt(AptContent(packages: ["libc6:arm64", "git", "graphviz=2.42.2-7", "git"]))),
                Vector(
                    name: "apt, empty", key: "fc24dac89dd3563a60bae00adbc17c9dc2fa6491845b40762e38febd08e60e88",
                    content: .apt(AptContent(packages: []))),
                Vector(
                    name: "apt, two spellings", key: "6622d8030c480fbfad8fe7231502ffa59514dbedd32f3c992f466ecafd244d74",
                    content: .apt(AptContent(packages: ["\u{e9}", "e\u{301}"]))),
                Vector(
                    name: "conda", key: "42edc6323d605f87f922733bfe9cb3bf9a29a3f60380eedb048570d077fdea18",
                    content: .conda(CondaContent(channels: ["conda-forge"], dependencies: ["xarray", "python=3.12.*"]))),
                Vector(
                    name: "conda, all fields", key: "bea59c96428782dd365af19b6c5a239e83136b4a2418fb58eded328c9b198e95",
                    content: .conda(
                        CondaContent(
                            channels: ["conda-forge", "defaults"], dependencies: ["numpy"],
                            pip: PipContent(requirements: ["polars>=1"]), variables: ["B": "2", "A": "1"],
                            cudaOverride: "12.4"))),
                Vector(
                    name: "pip", key: "1a3b0c4aa5e83acb9dd85f3f4da5cfc9e33b710fd3da846227c78d02493e6ffd",
                    content: .pip(PipContent(requirements: ["polars>=1"]))),
                Vector(
                    name: "pip, all fields", key: "61dce5aa9ee4c33d25ad329d8199d3518d6ea833d7d6e4288cf3c634ec53425b",
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
                            ]))),
                Vector(
                    name: "postBuild", key: "2b1403c3ab16bdb91cc2663f00a50f3536e5a8fe7cd18f02a26598b176768de2",
                    content: .postBuild(PostBuildContent(script: Script(bytes: Array("echo hi\n".utf8))))),
                Vector(
                    name: "postBuild, all fields",
                    key: "639a99d51a8e89f15988f375e34b4dd1c54085526d0b1aab9aff2e99819b2c87",
                    content: .postBuild(
                        PostBuildContent(
                            script: Script(bytes: Array("#!/bin/sh\n".utf8) + [0xff, 0]),
                            inputs: [
                                InputFile(path: try RepositoryPath("run"), id: blob, isExecutable: true),
                                InputFile(path: try RepositoryPath("config/a.json"), id: blob, isExecutable: false),
                            ]))),
                Vector(
                    name: "config, empty", key: "08ec9b785d610eca2029f195695df240d9c8350038c54e6949723b7ad5433c72",
                    content: .config(ConfigContent())),
                Vector(
                    name: "config, all fields", key: "56381dc5ccd353a4ab5171f6325ebc0483edd8eee982b40e3ed444a182baa15d",
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
            "01" + "0000000b6c696e75782f616d643634" + "00000003617074" + "00000001" + "0100000040" + parent
            + "00000003" + "00000003676974" + "000000116772617068766" + "97a3d322e34322e322d37"
            + "0000000b6c696263363a61726d3634"
        #expect(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == expected)
    }
}
