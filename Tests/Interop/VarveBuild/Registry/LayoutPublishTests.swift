// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveBuild
import VarveModel
import VarveTestSupport

/// Publishing to one OCI layout, with skopeo as the judge of what is there.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5))) struct LayoutPublishTests {
    @Test(arguments: ["ds-python", "a.b_c-d"])
    func publishedImageIsReadByOtherTools(_ name: String) async throws {
        let fixture = try await PublishingFixture()
        let images = fixture.directory.path("images")
        let registry = try await fixture.registry("oci:" + images)
        let layer = try await fixture.layer("pip", on: fixture.layer("apt"))
        let request = try PublishRequest(name, layer, moving: ["latest", "stable"])

        let published = try await registry.publish(request)

        #expect(published.reference == "oci:\(images):\(name)@\(published.manifestDigest)")
        #expect(registry.location(of: request.image) == "oci:\(images):\(name)")
        for tag in published.tags {
            let source = "oci:\(images):\(name):\(tag)"
            let digest = try await Command.run("skopeo", ["inspect", "--format", "{{.Digest}}", source]).trimmed
            #expect(digest == published.manifestDigest.description)
        }
        let target = fixture.directory.path("copy")
        try await Command.run("skopeo", ["copy", "--quiet", "oci:\(images):\(name):latest", "dir:" + target])
        #expect(FileManager.default.fileExists(atPath: target + "/" + layer.configDigest.hex))
        #expect(try await registry.contains(request.image, manifest: published.manifestDigest))
        #expect(published.configDigest == layer.configDigest)
        #expect(try fixture.leftovers() == [])
    }

    @Test func layersAreNotCopiedButLinked() async throws {
        let fixture = try await PublishingFixture()
        let images = fixture.directory.path("images")
        let registry = try await fixture.registry("oci:" + images)
        _ = try await registry.publish(PublishRequest("a", fixture.layer("apt")))
        let kept = try FileManager.default.contentsOfDirectory(atPath: fixture.state + "/compressed/blobs/sha256")
        #expect(kept.count == 1)
        for name in kept {
            let attributes = try FileManager.default.attributesOfItem(atPath: images + "/blobs/sha256/" + name)
            #expect(attributes[.referenceCount] as? Int == 2)
        }
    }

    @Test func publishingAgainPutsTheSameBytes() async throws {
        let fixture = try await PublishingFixture()
        let images = fixture.directory.path("images")
        let registry = try await fixture.registry("oci:" + images)
        let layer = try await fixture.layer("apt")
        let first = try await registry.publish(PublishRequest("a", layer, annotations: ["revision": "1"]))
        let index = try String(contentsOfFile: images + "/index.json", encoding: .utf8)
        let second = try await registry.publish(PublishRequest("a", layer, annotations: ["revision": "2"]))
        #expect(second == first)
        #expect(try String(contentsOfFile: images + "/index.json", encoding: .utf8) == index)
    }

    @Test func damagedCompressedLayerIsCompressedAnew() async throws {
        let fixture = try await PublishingFixture()
        let layer = try await fixture.layer("apt")
        let first = try await fixture.registry("oci:" + fixture.directory.path("one"))
        let published = try await first.publish(PublishRequest("a", layer))
        let folder = fixture.state + "/compressed/blobs/sha256/"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let size = try #require(FileManager.default.contents(atPath: folder + name)).count
            try Data(repeating: 0, count: size).write(to: URL(filePath: folder + name), options: .atomic)
        }
        let images = fixture.directory.path("two")
        let second = try await fixture.registry("oci:" + images)
        #expect(try await second.publish(PublishRequest("a", layer)).manifestDigest == published.manifestDigest)
        let target = fixture.directory.path("copy")
        try await Command.run("skopeo", ["copy", "--quiet", "oci:\(images):a:latest", "dir:" + target])
    }

    @Test(arguments: ["images", "state/staging"])
    func fullDiskIsSaidToBeFullAndNothingIsTagged(_ place: String) async throws {
        let fixture = try await PublishingFixture()
        let images = fixture.directory.path("images")
        let small =
            place == "images" ? try fixture.directory.makeFolder("images") : fixture.state + "/staging"
        let registry = try await fixture.registry("oci:" + images)
        let text = (0..<40_000).map { "\($0 &* 2_654_435_761 % 4_294_967_291)" }.joined()
        let layer = try await fixture.layer(text, on: fixture.layer("apt"))
        try await Command.run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small])
        fixture.directory.addCleanup { _ = try? await Command.result("umount", [small]) }

        let failure = try await buildFailure { _ = try await registry.publish(PublishRequest("a", layer)) }

        #expect(failure.failureClass == .diskFull, "\(failure.message)")
        #expect(try await Command.result("skopeo", ["inspect", "oci:\(images):a:latest"]).status != 0)
        try await Command.run("mount", ["-o", "remount,size=8m", small])
        // On a file system of its own the layer cannot be linked and is copied.
        let published = try await registry.publish(PublishRequest("a", layer))
        #expect(try await registry.contains(ImageName("a"), manifest: published.manifestDigest))
        #expect(try fixture.leftovers() == [])
    }

    @Test func parallelProcessesLoseNoTag() async throws {
        let fixture = try await PublishingFixture()
        let images = fixture.directory.path("images")
        let state = fixture.state
        let environment = fixture.environment
        let config = try await fixture.layer("apt").configDigest.hex
        try await withThrowingTaskGroup(of: Void.self) { group in
            for process in 1...3 {
                group.addTask {
                    await #expect(processExitsWith: .success) {
                        [
                            images = images as String, state = state as String, config = config as String,
                            environment = environment as [String: String], process = process as Int
                        ] in
                        let registry = try SkopeoImageRegistry(
                            address: RegistryAddress("oci:" + images),
                            store: await BuildahStore.open(stateDirectory: state, environment: environment),
                            stateDirectory: state, access: RegistryAccess(), environment: environment
                        )
                        let layer = try BuiltLayer(
                            key: LayerKey(bytes: [1]), kind: .apt, configDigest: .init(hex: config)
                        )
                        for image in ["shared", "own-\(process)", "more-\(process)"] {
                            let annotations = ["process": "\(process)"]
                            let request = try PublishRequest(image, layer, annotations: annotations)
                            _ = try await registry.publish(request)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let tag = "2026.11.23-\(config.prefix(12))"
        var digests: [String: String] = [:]
        for image in ["shared"] + (1...3).flatMap({ ["own-\($0)", "more-\($0)"] }) {
            for tag in [tag, "latest"] {
                let source = "oci:\(images):\(image):\(tag)"
                digests["\(image):\(tag)"] = try await Command.run(
                    "skopeo", ["inspect", "--format", "{{.Digest}}", source]
                ).trimmed
            }
            #expect(digests["\(image):\(tag)"] == digests["\(image):latest"])
        }
    }

    @Test func imageOfAnotherToolStaysInTheLayout() async throws {
        let fixture = try await PublishingFixture()
        let layout = try await TinyImage.layout(in: fixture.directory, named: "images", files: ["name": "theirs"])
        let before = try await Command.run("skopeo", ["inspect", "--raw", "oci:\(layout):latest"]).stdout
        let registry = try await fixture.registry("oci:" + layout)
        _ = try await registry.publish(PublishRequest("a", fixture.layer("apt")))
        #expect(try await Command.run("skopeo", ["inspect", "--raw", "oci:\(layout):latest"]).stdout == before)
    }

    @Test func lostBlobIsSeenAndPublishedAnew() async throws {
        let fixture = try await PublishingFixture()
        let images = fixture.directory.path("images")
        let registry = try await fixture.registry("oci:" + images)
        let request = try await PublishRequest("a", fixture.layer("apt"))
        let published = try await registry.publish(request)
        for blob in try FileManager.default.contentsOfDirectory(atPath: images + "/blobs/sha256") {
            try FileManager.default.removeItem(atPath: images + "/blobs/sha256/" + blob)
            #expect(try await !registry.contains(request.image, manifest: published.manifestDigest))
            #expect(try await registry.publish(request) == published)
            #expect(try await registry.contains(request.image, manifest: published.manifestDigest))
        }
    }

    @Test func lostIndexIsSeenAndWrittenAnew() async throws {
        let fixture = try await PublishingFixture()
        let images = fixture.directory.path("images")
        let registry = try await fixture.registry("oci:" + images)
        let request = try await PublishRequest("a", fixture.layer("apt"))
        let published = try await registry.publish(request)
        #expect(try await registry.contains(request.image, manifest: published.manifestDigest))
        try FileManager.default.removeItem(atPath: images + "/index.json")
        #expect(try await !registry.contains(request.image, manifest: published.manifestDigest))
        #expect(try await registry.publish(request) == published)
        #expect(try await registry.contains(request.image, manifest: published.manifestDigest))
    }

    @Test func buildTagIsNeverMovedToAnotherImage() async throws {
        let fixture = try await PublishingFixture()
        let registry = try await fixture.registry("oci:" + fixture.directory.path("images"))
        let first = try await registry.publish(PublishRequest("a", fixture.layer("one")))
        var request = try await PublishRequest("a", fixture.layer("two"))
        request.buildTag = first.tags[0]
        let failure = try await buildFailure { _ = try await registry.publish(request) }
        #expect(failure.failureClass == .definition)
    }

    @Test func whatACrashLeftIsRemovedAtStart() async throws {
        let fixture = try await PublishingFixture()
        let registry = try await fixture.registry("oci:" + fixture.directory.path("images"))
        try TemporaryDirectory.write("half", to: fixture.state + "/staging/123-456/blobs/sha256/x")
        #expect(try fixture.leftovers() == ["123-456"])
        try await registry.prepare()
        #expect(try fixture.leftovers() == [])
    }
}
