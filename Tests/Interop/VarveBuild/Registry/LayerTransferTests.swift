// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveBuild
import VarveModel
import VarveTestSupport

/// Layers and bases on their way into a store.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5))) struct LayerTransferTests {
    @Test func cachedLayerComesBackIntoANewStoreAsItWas() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let layer = try await fixture.layer("pip", kind: .pip, on: fixture.layer("apt"))
        let cache = try #require(try await fixture.registry(at: server.host).layerCache)
        try await cache.save(layer.key, kind: .pip, from: fixture.store)

        let other = try await fixture.withNewState()
        let fresh = try #require(try await other.registry(at: server.host).layerCache)
        #expect(try await fresh.fetch(layer.key, kind: .pip, into: other.store))
        let name = BuildahStore.name(of: layer.key, kind: .pip)
        #expect(try await other.configDigest(ofLocal: name) == layer.configDigest)
        #expect(try await !fresh.fetch(LayerKey(bytes: [1]), kind: .pip, into: other.store))
        #expect(try await !fresh.fetch(layer.key, kind: .conda, into: other.store))
        #expect(try fixture.leftovers() == [])
    }

    @Test func layerUnderAnotherKeyIsRefused() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let layer = try await fixture.layer("apt")
        let cache = try #require(try await fixture.registry(at: server.host).layerCache)
        try await cache.save(layer.key, kind: .apt, from: fixture.store)
        let repository = "docker://\(server.host)/team/varve--cache"
        let stolen = LayerKey(bytes: [7])
        try await Command.run(
            "skopeo",
            [
                "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false",
                "\(repository):apt-\(layer.key)", "\(repository):apt-\(stolen)",
            ]
        )
        let failure = try await buildFailure { _ = try await cache.fetch(stolen, kind: .apt, into: fixture.store) }
        #expect(failure.failureClass == .definition)
        #expect(try await fixture.configDigest(ofLocal: BuildahStore.name(of: stolen, kind: .apt)) == nil)
    }

    @Test func layoutHasNoLayerCache() async throws {
        let fixture = try await PublishingFixture()
        #expect(try await fixture.registry("oci:" + fixture.directory.path("images")).layerCache == nil)
    }

    @Test func cacheThatIsDownSaysSo() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let cache = try #require(try await fixture.registry(at: server.host).layerCache)
        await server.stop()
        let failure = try await buildFailure {
            _ = try await cache.fetch(LayerKey(bytes: [1]), kind: .apt, into: fixture.store)
        }
        #expect(failure.failureClass == .transient)
    }

    @Test(arguments: [["--dest-compress-format", "gzip"], ["--format", "v2s2"], ["--dest-compress-format", "zstd"]])
    func baseIsPulledByItsDigestHoweverItIsPacked(_ options: [String]) async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let registry = try await fixture.registry(at: server.host)
        let layout = try await TinyImage.layout(in: fixture.directory, named: "tiny", files: ["name": "base"])
        let packed = "dir:" + fixture.directory.path("packed")
        try await Command.run("skopeo", ["copy", "--dest-compress"] + options + ["oci:\(layout):latest", packed])
        try await server.push(packed, to: "base:1", options: ["--preserve-digests"])
        let platform = try Platform("linux/amd64")
        let resolved = try await registry.resolve(ImageReference("\(server.host)/base:1"), platform: platform)
        let name = "localhost/varve/base:x"

        var wrong = resolved
        wrong.configDigest = .init(bytes: [1])
        let failure = try await buildFailure {
            try await registry.basePuller.pull(wrong, platform: platform, into: fixture.store, as: name)
        }
        #expect(failure.failureClass == .definition)
        #expect(try await fixture.configDigest(ofLocal: name) == nil)

        let key = LayerKey(bytes: [2])
        let local = BuildahStore.name(of: key, kind: .base)
        try await registry.basePuller.pull(resolved, platform: platform, into: fixture.store, as: local)
        #expect(try await fixture.configDigest(ofLocal: local) == resolved.configDigest)

        // As a cached layer it keeps its identity too, though its manifest is another one.
        let cache = try #require(registry.layerCache)
        try await cache.save(key, kind: .base, from: fixture.store)
        let other = try await fixture.withNewState()
        let fresh = try #require(try await other.registry(at: server.host).layerCache)
        #expect(try await fresh.fetch(key, kind: .base, into: other.store))
        #expect(try await other.configDigest(ofLocal: local) == resolved.configDigest)
    }

    @Test(arguments: [false, true])
    func imageOfTheFleetIsPulledFromWhereItIsPublished(_ inLayout: Bool) async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        func registry(_ fixture: PublishingFixture) async throws -> SkopeoImageRegistry {
            if inLayout { return try await fixture.registry("oci:" + fixture.directory.path("images")) }
            return try await fixture.registry(at: server.host)
        }
        let publishing = try await registry(fixture)
        let request = try await PublishRequest("parent", fixture.layer("apt"))
        let published = try await publishing.publish(request)
        let other = try await fixture.withNewState()
        let parent = ResolvedImage(
            reference: publishing.location(of: request.image), manifestDigest: published.manifestDigest,
            configDigest: published.configDigest, image: request.image
        )
        let name = "localhost/varve/base:y"
        let puller = try await registry(other).basePuller
        try await puller.pull(parent, platform: Platform("linux/amd64"), into: other.store, as: name)
        #expect(try await other.configDigest(ofLocal: name) == published.configDigest)
        #expect(try other.leftovers() == [])

        var unknown = parent
        unknown.manifestDigest = .init(bytes: [1])
        let failure = try await buildFailure {
            try await puller.pull(unknown, platform: Platform("linux/amd64"), into: other.store, as: "localhost/x:y")
        }
        #expect(failure.failureClass == .definition, "\(failure.message)")
    }
}
