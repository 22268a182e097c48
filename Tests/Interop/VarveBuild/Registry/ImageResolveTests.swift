// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveBuild
import VarveModel
import VarveTestSupport

/// What a reference means, against images that skopeo put into a registry.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5))) struct ImageResolveTests {
    private let platform: Platform

    init() throws { platform = try Platform("linux/amd64") }

    @Test func sameContentKeepsItsConfigDigestHoweverItIsPacked() async throws {
        let fixture = try await PublishingFixture()
        let directory = fixture.directory
        let server = try await RegistryProcess(in: directory)
        let registry = try await fixture.registry(at: server.host)
        let layout = try await TinyImage.layout(in: directory, named: "tiny", files: ["etc/name": "tiny"])
        let repacked = try await TinyImage.repack(layout, in: directory, named: "repacked")
        let indexed = try await TinyImage.repack(layout, in: directory, named: "indexed", level: 3, index: true)
        let zstd = directory.path("zstd")
        try await Command.run(
            "skopeo", ["copy", "--dest-compress-format", "zstd", "oci:\(layout):latest", "oci:\(zstd):latest"]
        )
        let options: [(String, String, [String])] = [
            ("plain", layout, []), ("repacked", repacked, []), ("indexed", indexed, ["--all"]),
            ("zstd", zstd, ["--preserve-digests"]),
        ]
        var found: [ResolvedImage] = []
        for (tag, source, options) in options {
            try await server.push("oci:\(source):latest", to: "base:\(tag)", options: options)
            let reference = try ImageReference("\(server.host)/base:\(tag)")
            let resolved = try await registry.resolve(reference, platform: platform)
            #expect(resolved.reference == reference.description)
            let raw = try await server.manifest(of: "base@\(resolved.manifestDigest)")
            #expect(raw["config"]["digest"].string == resolved.configDigest.description)
            found.append(resolved)
        }
        #expect(Set(found.map(\.configDigest)).count == 1)
        #expect(Set(found.map(\.manifestDigest)).count == found.count)
        let pinned = try ImageReference("\(server.host)/base:plain").pinned(to: found[0].manifestDigest)
        #expect(try await registry.resolve(pinned, platform: platform).configDigest == found[0].configDigest)
    }

    @Test func dockerSchemaIsResolved() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let registry = try await fixture.registry(at: server.host)
        let layout = try await TinyImage.layout(in: fixture.directory, named: "tiny", files: ["name": "docker"])
        try await server.push("oci:\(layout):latest", to: "base:v2s2", options: ["--format", "v2s2"])
        let reference = try ImageReference("\(server.host)/base:v2s2")
        let resolved = try await registry.resolve(reference, platform: platform)
        let raw = try await server.manifest(of: "base:v2s2")
        #expect(raw["mediaType"].string == "application/vnd.docker.distribution.manifest.v2+json")
        #expect(raw["config"]["digest"].string == resolved.configDigest.description)
    }

    struct Refused: Sendable, CustomTestStringConvertible {
        var name: String
        var platform: String
        var words: String
        var testDescription: String { "\(name) for \(platform)" }
    }

    @Test(arguments: [
        Refused(name: "base:unknown", platform: "linux/amd64", words: "manifest unknown"),
        Refused(name: "unknown:latest", platform: "linux/amd64", words: "unknown"),
        Refused(name: "base:plain", platform: "linux/arm64", words: "it is for linux/amd64, not for linux/arm64"),
        Refused(name: "base:indexed", platform: "linux/arm64", words: "only for: linux/amd64"),
    ])
    func whatIsNotThereIsTheDefinitionsFault(_ refused: Refused) async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let registry = try await fixture.registry(at: server.host)
        let layout = try await TinyImage.layout(in: fixture.directory, named: "tiny", files: ["name": "tiny"])
        let indexed = try await TinyImage.repack(layout, in: fixture.directory, named: "indexed", index: true)
        try await server.push("oci:\(layout):latest", to: "base:plain")
        try await server.push("oci:\(indexed):latest", to: "base:indexed", options: ["--all"])
        let reference = try ImageReference("\(server.host)/\(refused.name)")
        let failure = try await buildFailure {
            _ = try await registry.resolve(reference, platform: Platform(refused.platform))
        }
        #expect(failure.failureClass == .definition, "\(failure.message)")
        #expect(failure.message.contains(refused.words), "\(failure.message)")
        #expect(failure.message.contains(server.host), "\(failure.message)")
    }

    @Test func hostThatIsNotSetToPlainHTTPIsSpokenToWithTLSAlone() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let registry = try await fixture.registry("oci:" + fixture.directory.path("images"))
        let reference = try ImageReference("\(server.host)/base:latest")
        let failure = try await buildFailure { _ = try await registry.resolve(reference, platform: platform) }
        #expect(failure.failureClass == .environment, "\(failure.message)")
        #expect(failure.message.contains("--plain-http"))
    }

    @Test func registryThatLimitsAskersIsTransient() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let proxy = try await FaultProxy(in: fixture.directory, upstream: server.port)
        let registry = try await fixture.registry(at: proxy.host)
        try proxy.set([.answer(429, headers: ["Retry-After": "0"], count: nil)])
        let reference = try ImageReference("\(proxy.host)/base:latest")
        let failure = try await buildFailure { _ = try await registry.resolve(reference, platform: platform) }
        #expect(failure.failureClass == .transient, "\(failure.message)")
    }
}
