// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveBuild
import VarveModel
import VarveTestSupport

/// Reading what tags stand on and putting them back, in both kinds of place, with skopeo as the judge.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5))) struct RetagTests {
    enum Place: CaseIterable { case registry, layout }

    @Test(arguments: Place.allCases) func tagsArePutBackOntoAnEarlierImage(_ place: Place) async throws {
        let fixture = try await PublishingFixture()
        let (registry, reference) = try await destination(place, fixture)
        let image = try ImageName("a")
        #expect(try await registry.digest(of: image, tag: "latest") == nil)
        let first = try await registry.publish(
            PublishRequest("a", fixture.layer("one"), moving: ["latest", "stable"]))
        let second = try await registry.publish(PublishRequest("a", fixture.layer("two"), moving: ["latest", "next"]))
        #expect(try await registry.digest(of: image, tag: "latest") == second.manifestDigest)
        #expect(try await registry.digest(of: image, tag: "stable") == first.manifestDigest)

        try await registry.retag(
            image, manifest: first.manifestDigest, buildTag: first.tags[0], moving: ["latest", "gone"])

        let expected = [
            first.tags[0]: first, "latest": first, "gone": first, "stable": first, second.tags[0]: second,
            "next": second,
        ]
        for (tag, published) in expected {
            #expect(try await digest(reference + tag) == published.manifestDigest.description, "\(tag)")
        }
    }

    @Test(arguments: Place.allCases) func imageThatIsNotThereIsNotTagged(_ place: Place) async throws {
        let fixture = try await PublishingFixture()
        let (registry, _) = try await destination(place, fixture)
        let published = try await registry.publish(PublishRequest("a", fixture.layer("one")))
        let image = try ImageName("a")
        let failure = try await buildFailure {
            try await registry.retag(
                image, manifest: Digest(hashing: "nothing"), buildTag: published.tags[0], moving: ["latest"])
        }
        #expect(failure.failureClass == .definition)
        #expect(try await registry.digest(of: image, tag: "latest") == published.manifestDigest)
    }

    @Test(arguments: Place.allCases) func whatIsAskedBeforeTheTagsCanKeepThemFromMoving(_ place: Place) async throws {
        let fixture = try await PublishingFixture()
        let (registry, _) = try await destination(place, fixture)
        let first = try await registry.publish(PublishRequest("a", fixture.layer("one")))
        var request = try await PublishRequest("a", fixture.layer("two"))
        request.beforeTagging = { throw BuildFailure(.cancelled, message: "the lease is lost") }
        let failure = try await buildFailure { _ = try await registry.publish(request) }
        #expect(failure.failureClass == .cancelled)
        #expect(try await registry.digest(of: request.image, tag: "latest") == first.manifestDigest)
        #expect(try await registry.digest(of: request.image, tag: request.buildTag) == nil)
    }

    /// The registry, and what stands before a tag in skopeo's name of the image `a`.
    private func destination(
        _ place: Place, _ fixture: PublishingFixture
    ) async throws -> (registry: SkopeoImageRegistry, reference: String) {
        switch place {
        case .layout:
            let images = fixture.directory.path("images")
            return (try await fixture.registry("oci:" + images), "oci:\(images):a:")
        case .registry:
            let server = try await RegistryProcess(in: fixture.directory)
            return (try await fixture.registry(at: server.host), "docker://\(server.host)/team/a:")
        }
    }

    private func digest(_ reference: String) async throws -> String {
        try await Command.run(
            "skopeo", ["inspect", "--tls-verify=false", "--format", "{{.Digest}}", reference]
        ).trimmed
    }
}
