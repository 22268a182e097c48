// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveTestSupport

/// What `varve.yaml` says about all images, in the program.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct FleetFileTests {
    private static let post = ["postBuild": "#!/bin/sh\necho one >/word\n"]

    @Test
    func defaultRebuildsOnlyTheLayerItChangesAndPolicyKeepsTheLastImage() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let first = try await fleet.pass(
            Fleet.image("a", base: base, files: Self.post)
                + Fleet.image("own", base: base, more: "env: {A: own}\n", files: Self.post)
                + ["varve.yaml": "defaults: {env: {A: one}}\n"])
        try #require(first.status == 0, "\(first)")
        let own = try await fleet.configDigest("own")

        let second = try await fleet.pass(["varve.yaml": "defaults: {env: {A: two}}\n"], message: "Change a default")
        #expect(second.status == 0, "\(second)")
        #expect(second.executed.isEmpty && second.committed == ["config"], "\(second)")
        #expect(try await fleet.configDigest("own") == own)
        let image = try await ImageRun(fleet.prefix + "/a:latest", in: fleet.directory)
        #expect(try await image.run("sh", "-c", "echo $A").stdout == "two\n")

        let published = try await fleet.configDigest("a")
        let third = try await fleet.pass(
            ["varve.yaml": "policy: {bases: ['quay.io/**']}\n"], message: "Allow other bases alone")
        #expect(third.status == 1 && third.executed.isEmpty && third.committed.isEmpty, "\(third)")
        #expect(try await fleet.configDigest("a") == published)
        let errors = third.pass.events("definition-invalid").flatMap { $0["errors"].array }
        let codes = errors.compactMap { $0["code"].string }
        #expect(codes == ["VRV155", "VRV155"], "\(third)")
    }

    @Test
    func imageOverTheMaximumSizeIsNotPublished() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let first = try await fleet.pass(
            Fleet.image("a", base: base, files: Self.post) + ["varve.yaml": "policy: {maximumSize: 1kB}\n"])
        #expect(first.status == 1, "\(first)")
        let message = first.finished("a")["message"].string ?? ""
        #expect(message.contains("'policy.maximumSize' (varve.yaml) allows 1000"), "\(message)")
        #expect(try await fleet.registry.digest(of: "fleet/a:latest") == nil)
        let second = try await fleet.pass(["varve.yaml": "policy: {maximumSize: 1GB}\n"], message: "Allow more")
        #expect(second.status == 0 && second.executed.isEmpty, "\(second)")
        #expect(try await fleet.registry.digest(of: "fleet/a:latest") != nil)
    }

    @Test
    func brokenFileStopsNothingThatIsPublished() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let first = try await fleet.pass(Fleet.image("a", base: base, files: Self.post))
        try #require(first.status == 0, "\(first)")
        let broken = try await fleet.pass(["varve.yaml": "policy: [\n"], message: "Break it")
        #expect(broken.status == 1 && broken.executed.isEmpty, "\(broken)")
        #expect(try await fleet.registry.digest(of: "fleet/a:latest") != nil)
        let mended = try await fleet.pass(["varve.yaml": "policy: {}\n"], message: "Mend it")
        #expect(mended.status == 0 && mended.executed.isEmpty && mended.committed.isEmpty, "\(mended)")
    }
}
