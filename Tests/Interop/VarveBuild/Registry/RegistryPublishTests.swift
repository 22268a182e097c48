// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveBuild
import VarveModel
import VarveTestSupport

/// Publishing to the distribution's registry, with skopeo as the judge of what is there.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5))) struct RegistryPublishTests {
    @Test func publishedImageStandsUnderAllItsTags() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let registry = try await fixture.registry(at: server.host)
        let layer = try await fixture.layer("pip", on: fixture.layer("apt"))
        let request = try PublishRequest(
            "ds-python", layer, moving: ["latest", "stable", "latest"],
            annotations: ["org.opencontainers.image.source": "https://example.com/r", "a": "b"]
        )

        let published = try await registry.publish(request)

        #expect(published.configDigest == layer.configDigest)
        #expect(published.tags == [request.buildTag, "latest", "stable"])
        #expect(published.reference == "\(server.host)/team/ds-python@\(published.manifestDigest)")
        #expect(registry.location(of: request.image) == "\(server.host)/team/ds-python")
        #expect(try await server.tags(of: "team/ds-python") == published.tags.sorted())
        for tag in published.tags {
            #expect(try await server.digest(of: "team/ds-python:\(tag)") == published.manifestDigest.description)
        }
        let manifest = try await server.manifest(of: "team/ds-python:latest")
        #expect(manifest["annotations"]["org.opencontainers.image.source"].string == "https://example.com/r")
        #expect(manifest["layers"].array.count == 2)
        #expect(try await registry.contains(request.image, manifest: published.manifestDigest))
        #expect(published.configDigest == layer.configDigest)
        #expect(try fixture.leftovers() == [])
    }

    @Test func publishingAgainPutsTheSameBytes() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let registry = try await fixture.registry(at: server.host)
        let layer = try await fixture.layer("apt")
        let first = try await registry.publish(PublishRequest("a", layer, annotations: ["revision": "1"]))
        let second = try await registry.publish(
            PublishRequest("a", layer, moving: ["latest", "new"], annotations: ["revision": "2"])
        )
        #expect(second.manifestDigest == first.manifestDigest)
        #expect(try await server.digest(of: "team/a:new") == first.manifestDigest.description)
        #expect(try await server.tags(of: "team/a").count == 3)
    }

    @Test func buildTagIsNeverMovedToAnotherImage() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let registry = try await fixture.registry(at: server.host)
        let first = try await registry.publish(PublishRequest("a", fixture.layer("one")))
        var request = try await PublishRequest("a", fixture.layer("two"))
        request.buildTag = first.tags[0]
        let failure = try await buildFailure { _ = try await registry.publish(request) }
        #expect(failure.failureClass == .definition)
        #expect(failure.message.contains("already stands on another image"))
        for tag in first.tags { #expect(try await server.digest(of: "team/a:\(tag)") == "\(first.manifestDigest)") }
    }

    @Test func tagThatIsNoneIsRefusedBeforeAnythingIsSent() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let registry = try await fixture.registry(at: server.host)
        let request = try await PublishRequest("a", fixture.layer("one"), moving: ["not a tag"])
        #expect(try await buildFailure { _ = try await registry.publish(request) }.failureClass == .definition)
        #expect(try await server.tags(of: "team/a") == [])
    }

    @Test func layerThatTwoImagesShareIsReadAndCompressedOnce() async throws {
        let directory = try TemporaryDirectory.required()
        let shim = try ToolShim(in: directory)
        let fixture = try await PublishingFixture(path: shim.path)
        let server = try await RegistryProcess(in: directory)
        let registry = try await fixture.registry(at: server.host)
        let base = try await fixture.layer("base", kind: .base)
        let first = try await fixture.layer("first", on: base)
        let second = try await fixture.layer("second", on: base)
        _ = try await registry.publish(PublishRequest("a", first))
        _ = try await registry.publish(PublishRequest("b", second))
        let compressed = try FileManager.default.contentsOfDirectory(atPath: fixture.state + "/compressed/diff-ids")
        #expect(compressed.count == 3)
        try shim.reset()
        _ = try await registry.publish(PublishRequest("c", second))
        let exports = try shim.calls().filter { call in
            call.arguments.contains("copy") && call.arguments.contains { $0.hasPrefix("containers-storage:") }
        }
        #expect(exports.isEmpty, "\(exports)")
        #expect(try await server.tags(of: "team/c").count == 2)
    }

    @Test func twoStateDirectoriesGiveTheSameManifest() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let other = try await fixture.withNewState()
        let first = try await fixture.registry(at: server.host).publish(PublishRequest("a", fixture.layer("same")))
        let second = try await other.registry(at: server.host).publish(PublishRequest("b", other.layer("same")))
        #expect(first.manifestDigest == second.manifestDigest)
    }

    @Test func lostLayerIsMendedByPublishingAgain() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let registry = try await fixture.registry(at: server.host)
        let image = try ImageName("a")
        let request = try await PublishRequest("a", fixture.layer("apt"))
        let published = try await registry.publish(request)
        #expect(try await registry.contains(image, manifest: published.manifestDigest))
        let layer = try #require(try await server.manifest(of: "team/a:latest")["layers"].array[0]["digest"].string)
        let folder = "\(server.storage)/docker/registry/v2"
        let hex = layer.dropFirst("sha256:".count)
        let blob = "\(folder)/blobs/sha256/\(hex.prefix(2))/\(hex)"
        try FileManager.default.removeItem(atPath: blob)
        await server.stop()
        try await server.start()

        let again = try await registry.publish(request)
        #expect(again.manifestDigest == published.manifestDigest)
        #expect(FileManager.default.fileExists(atPath: blob + "/data"))
        #expect(try await !registry.contains(image, manifest: .init(bytes: [1])))
        #expect(try await !registry.contains(ImageName("unknown"), manifest: published.manifestDigest))
    }
}
