// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild

@Suite struct OCIDocumentTests {
    static let digest = "sha256:" + String(repeating: "a", count: 64)

    @Test(arguments: [
        (#"{"Env": ["PATH=/bin", "CUDA_VERSION=12.2.0"]}"#, "12.2"),
        (#"{"Labels": {"com.nvidia.cuda.version": "11.8"}}"#, "11.8"),
        (#"{"Env": ["CUDA_VERSION=12.2.0"], "Labels": {"dev.varve.cuda": "12.4"}}"#, "12.4"),
        (#"{"Env": ["CUDA_VERSION=12; rm -rf /"]}"#, nil), (#"{"Env": ["CUDA_VERSION=12"]}"#, nil),
        (#"{"Env": null, "Labels": null}"#, nil), ("{}", nil),
    ])
    func cudaIsWhatLabelOrVariableSay(_ run: String, _ version: String?) throws {
        let config = try OCIConfig(
            Array(#"{"os": "linux", "architecture": "amd64", "config": \#(run)}"#.utf8), subject: "example.com/x")
        #expect(config.cudaVersion == version)
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
        var words: String
    }

    @Test(arguments: [
        Refused(testDescription: "no JSON", text: "<html>", words: "not an image manifest"),
        Refused(testDescription: "empty", text: "", words: "not an image manifest"),
        Refused(
            testDescription: "schema 1", text: #"{"schemaVersion": 1, "name": "x", "fsLayers": [], "history": []}"#,
            words: "first image schema"
        ),
        Refused(
            testDescription: "schema 1 by media type",
            text: #"{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws"}"#,
            words: "first image schema"
        ),
        Refused(
            testDescription: "manifest and index at once",
            text: """
                {"schemaVersion": 2, "manifests": [], "layers": [],
                 "config": {"mediaType": "\(MediaType.config)", "digest": "\(digest)", "size": 1}}
                """,
            words: "neither"
        ),
        Refused(
            testDescription: "an artefact that is no image",
            text: """
                {"schemaVersion": 2, "layers": [],
                 "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": "\(digest)", "size": 1}}
                """,
            words: "not a container image"
        ),
        Refused(
            testDescription: "a digest of another algorithm",
            text: """
                {"schemaVersion": 2, "layers": [],
                 "config": {"mediaType": "\(MediaType.config)", "digest": "sha512:00", "size": 1}}
                """,
            words: "not an image manifest"
        ),
        Refused(
            testDescription: "deep nesting", text: String(repeating: "[", count: 100_000),
            words: "not an image manifest"
        ),
    ])
    func whatIsNoImageIsRefused(_ refused: Refused) {
        let failure = #expect(throws: BuildFailure.self) {
            try OCIDocument(Array(refused.text.utf8), subject: "example.com/x")
        }
        #expect(failure?.failureClass == .definition)
        #expect(failure?.message.contains(refused.words) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("example.com/x") == true)
    }

    @Test func dockerManifestIsReadWithItsExactBytes() throws {
        let text = """
            {  "schemaVersion": 2, "mediaType": "\(MediaType.dockerManifest)", "layers": [],
               "config": {"mediaType": "\(MediaType.dockerConfig)", "digest": "\(Self.digest)", "size": 7}}
            """
        guard case .manifest(let manifest) = try OCIDocument(Array(text.utf8), subject: "x") else {
            Issue.record("not read as a manifest")
            return
        }
        #expect(manifest.bytes == Array(text.utf8))
        #expect(manifest.digest == Digest.of(text.utf8))
        #expect(manifest.config.digest.description == Self.digest)
        #expect(manifest.mediaType == MediaType.dockerManifest)
    }

    @Test func newManifestIsTheSameBytesForTheSameInput() throws {
        let config = OCIDescriptor(mediaType: MediaType.config, content: [1, 2, 3])
        let annotations = ["b": "2", "a": "https://example.com/x"]
        let manifest = try OCIManifest(config: config, layers: [config], annotations: annotations)
        #expect(
            String(decoding: manifest.bytes, as: UTF8.self) == """
                {"annotations":{"a":"https://example.com/x","b":"2"},\
                "config":{"digest":"\(config.digest)","mediaType":"\(MediaType.config)","size":3},\
                "layers":[{"digest":"\(config.digest)","mediaType":"\(MediaType.config)","size":3}],\
                "mediaType":"\(MediaType.manifest)","schemaVersion":2}
                """
        )
        guard case .manifest(let read) = try OCIDocument(manifest.bytes, subject: "x") else {
            Issue.record("not read as a manifest")
            return
        }
        #expect(read == manifest)
    }

    struct Choice: Sendable, CustomTestStringConvertible {
        var platform: String
        var entry: Int?
        var testDescription: String { platform }
    }

    @Test(arguments: [
        Choice(platform: "linux/amd64", entry: 1), Choice(platform: "linux/arm64", entry: 2),
        Choice(platform: "linux/arm64/v8", entry: 2), Choice(platform: "linux/arm/v6", entry: 3),
        Choice(platform: "linux/arm", entry: 4), Choice(platform: "linux/arm/v7", entry: 4),
        Choice(platform: "linux/amd64/v3", entry: 5), Choice(platform: "linux/s390x", entry: nil),
    ])
    func indexEntryIsChosenByPlatformAndVariant(_ choice: Choice) throws {
        let platforms = [
            ("unknown", "unknown", nil), ("linux", "amd64", nil), ("linux", "arm64", "v8"), ("linux", "arm", "v6"),
            ("linux", "arm", "v7"), ("linux", "amd64", "v3"), ("windows", "amd64", nil),
        ]
        let manifests = platforms.enumerated().map { number, platform in
            OCIDescriptor(
                mediaType: MediaType.manifest, digest: .of([UInt8(number)]), size: 1,
                platform: OCIDescriptor.PlatformFields(
                    architecture: platform.1, os: platform.0, variant: platform.2
                )
            )
        }
        let index = OCIIndex(bytes: [], digest: .of([]), manifests: manifests)
        let entry = try index.entry(for: Platform(choice.platform))
        #expect(entry?.digest == choice.entry.map { Digest.of([UInt8($0)]) })
        #expect(index.platforms.hasPrefix("linux/amd64, linux/arm64/v8"))
    }
}
