// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveBuild
import VarveModel
import VarveTestSupport

/// What a second lookup asks a registry, counted by a proxy before the distribution's.
@Suite(.temporaryDirectory, .timeLimit(.minutes(5))) struct BaseLookupTests {
    /// A registry with images, and a proxy that counts before it.
    private struct Scene {
        let fixture: PublishingFixture
        let server: RegistryProcess
        let proxy: FaultProxy
        let platform: Platform

        init(credentials: String? = nil) async throws {
            fixture = try await PublishingFixture()
            server = try await RegistryProcess(in: fixture.directory, credentials: credentials)
            proxy = try await FaultProxy(in: fixture.directory, upstream: server.port)
            platform = try Platform("linux/amd64")
        }

        /// Puts an image under a name, by which it says who it is.
        func push(_ word: String, to name: String, index: Bool = false, credentials: String? = nil) async throws {
            let folder = UUID().uuidString
            let directory = fixture.directory
            var layout = try await TinyImage.layout(in: directory, named: folder, files: ["word": word])
            if index { layout = try await TinyImage.repack(layout, in: directory, named: folder + "-i", index: true) }
            let options = ["--all"] + (credentials.map { ["--dest-creds", $0] } ?? [])
            try await server.push("oci:\(layout):latest", to: name, options: options)
        }

        /// A registry whose lookups remember each other, with the proxy's host in its auth file.
        func registry(credentials: String? = nil) async throws -> SkopeoImageRegistry {
            let token = Data((credentials ?? "").utf8).base64EncodedString()
            let auths = credentials == nil ? "" : #""\#(proxy.host)": {"auth": "\#(token)"}"#
            let file = try fixture.directory.write(#"{"auths": {\#(auths)}}"#, to: "auth.json")
            return try await fixture.registry("\(proxy.host)/team", plainHTTP: [proxy.host], authFile: file)
        }

        func resolve(_ name: String, by registry: SkopeoImageRegistry) async throws -> ResolvedImage {
            try await registry.resolve(ImageReference("\(proxy.host)/\(name)"), platform: platform)
        }

        /// What was asked since the last call: methods and statuses.
        func asked() throws -> [String] {
            defer { try? proxy.set([]) }
            return try proxy.requests().map {
                "\($0.method) \($0.path.hasPrefix("/__token") ? "token " : "")\($0.status)"
            }
        }
    }

    @Test(arguments: [false, true])
    func unchangedTagIsOneHeadAndAMovedOneIsNoticed(index: Bool) async throws {
        let scene = try await Scene()
        try await scene.push("one", to: "base:latest", index: index)
        let registry = try await scene.registry()
        let first = try await scene.resolve("base:latest", by: registry)
        #expect(try scene.asked().allSatisfy { $0.hasPrefix("GET ") })
        for _ in 0..<2 {
            #expect(try await scene.resolve("base:latest", by: registry) == first)
            #expect(try scene.asked() == ["HEAD 200"])
        }
        try await scene.push("two", to: "base:latest", index: index)
        let second = try await scene.resolve("base:latest", by: registry)
        #expect(second.configDigest != first.configDigest)
        #expect(try scene.asked().dropFirst().contains("GET 200"))
        #expect(try await scene.resolve("base:latest", by: registry) == second)
        #expect(try scene.asked() == ["HEAD 200"])
        // What was asked for on one platform says nothing about another.
        await #expect(throws: BuildFailure.self) {
            _ = try await registry.resolve(
                ImageReference("\(scene.proxy.host)/base:latest"), platform: Platform("linux/arm64"))
        }
    }

    @Test func whatIsNotThereAnyMoreIsSaidAsAtFirst() async throws {
        let scene = try await Scene()
        try await scene.push("one", to: "base:latest")
        let registry = try await scene.registry()
        let first = try await scene.resolve("base:latest", by: registry)
        let pinned = "base@\(first.manifestDigest)"
        #expect(try await scene.resolve(pinned, by: registry).configDigest == first.configDigest)
        _ = try scene.asked()
        #expect(try await scene.resolve(pinned, by: registry).configDigest == first.configDigest)
        #expect(try scene.asked() == ["HEAD 200"])
        try await Command.run(
            "skopeo", ["delete", "--tls-verify=false", "docker://\(scene.server.host)/base:latest"])
        for name in ["base:latest", pinned] {
            let failure = try await buildFailure { _ = try await scene.resolve(name, by: registry) }
            #expect(failure.failureClass == .definition, "\(failure.message)")
            #expect(failure.message.contains("manifest unknown"), "\(failure.message)")
        }
    }

    @Test(arguments: [405, 500, 307])
    func registryThatDoesNotAnswerHeadIsAskedAsAtFirst(status: Int) async throws {
        let scene = try await Scene()
        try await scene.push("one", to: "base:latest")
        let registry = try await scene.registry()
        let first = try await scene.resolve("base:latest", by: registry)
        let headers = status == 307 ? ["Location": "http://\(scene.proxy.host)/v2/base/manifests/latest"] : [:]
        try scene.proxy.set([.answer(status, headers: headers, method: "HEAD", count: nil)])
        #expect(try await scene.resolve("base:latest", by: registry) == first)
        let asked = try scene.asked()
        #expect(asked.first == "HEAD \(status)")
        #expect(asked.contains("GET 200"))
    }

    @Test func basicCredentialsAreShownAsTheRegistryWants() async throws {
        let scene = try await Scene(credentials: "robot:correct-horse")
        try await scene.push("one", to: "base:latest", credentials: "robot:correct-horse")
        let registry = try await scene.registry(credentials: "robot:correct-horse")
        let first = try await scene.resolve("base:latest", by: registry)
        _ = try scene.asked()
        #expect(try await scene.resolve("base:latest", by: registry) == first)
        #expect(try scene.asked() == ["HEAD 401", "HEAD 200"])
        #expect(try await scene.resolve("base:latest", by: registry) == first)
        #expect(try scene.asked() == ["HEAD 200"])
        // Credentials that were taken away are not remembered.
        _ = try await scene.registry()
        let failure = try await buildFailure { _ = try await scene.resolve("base:latest", by: registry) }
        #expect(failure.failureClass == .unauthorized, "\(failure.message)")
        #expect(!failure.message.contains("correct-horse"))
    }

    @Test func registryWithTLSIsAskedByHeadWhereItsAuthorityIsBelieved() async throws {
        let directory = try TemporaryDirectory.required()
        let shim = try ToolShim(in: directory)
        var fixture = try await PublishingFixture(path: shim.path)
        let certificate = try await GitHTTPServer.makeCertificate(in: directory)
        let server = try await RegistryProcess(in: directory, certificate: certificate.withKey)
        let layout = try await TinyImage.layout(in: directory, named: "tiny", files: ["word": "one"])
        try await server.push("oci:\(layout):latest", to: "base:latest")
        let reference = try ImageReference("localhost:\(server.port)/base:latest")
        let platform = try Platform("linux/amd64")
        fixture.certificates = certificate.certificate
        let registry = try await fixture.registry("oci:" + directory.path("images"))
        let first = try await registry.resolve(reference, platform: platform)
        try shim.reset()
        #expect(try await registry.resolve(reference, platform: platform) == first)
        // skopeo was not needed.
        #expect(try shim.calls().isEmpty)
        fixture.certificates = nil
        let other = try await fixture.registry("oci:" + directory.path("images"))
        let failure = try await buildFailure { _ = try await other.resolve(reference, platform: platform) }
        #expect(failure.message.contains("x509"), "\(failure.message)")
    }

    @Test func tokenIsAskedForOnceForSeveralLookupsAndAgainWhenItHasEnded() async throws {
        let scene = try await Scene()
        try await scene.push("one", to: "base:latest")
        try await scene.push("two", to: "other:latest")
        try scene.proxy.requireTokens(life: 60, credentials: "robot:correct-horse")
        let registry = try await scene.registry(credentials: "robot:correct-horse")
        let first = try await scene.resolve("base:latest", by: registry)
        let other = try await scene.resolve("other:latest", by: registry)
        _ = try scene.asked()
        #expect(try await scene.resolve("base:latest", by: registry) == first)
        #expect(try scene.asked() == ["HEAD 401", "GET token 200", "HEAD 200"])
        for _ in 0..<3 { #expect(try await scene.resolve("base:latest", by: registry) == first) }
        #expect(try scene.asked() == ["HEAD 200", "HEAD 200", "HEAD 200"])
        // A token is for one repository.
        #expect(try await scene.resolve("other:latest", by: registry) == other)
        #expect(try scene.asked() == ["HEAD 401", "GET token 200", "HEAD 200"])
        // The registry knows none of its tokens any more.
        try scene.proxy.requireTokens(life: 60, credentials: "robot:correct-horse")
        #expect(try await scene.resolve("base:latest", by: registry) == first)
        #expect(try scene.asked() == ["HEAD 401", "GET token 200", "HEAD 200"])
        // One that lives for no time is not used twice.
        try scene.proxy.requireTokens(life: 0, credentials: "robot:correct-horse")
        _ = try? await scene.resolve("base:latest", by: registry)
        _ = try scene.asked()
        _ = try? await scene.resolve("base:latest", by: registry)
        #expect(try scene.asked().prefix(2) == ["HEAD 401", "GET token 200"])
    }

    @Test func registryThatAsksForALittleTimeIsGivenIt() async throws {
        let scene = try await Scene()
        try await scene.push("one", to: "base:latest")
        let registry = try await scene.registry()
        let first = try await scene.resolve("base:latest", by: registry)
        try scene.proxy.set([.answer(429, headers: ["Retry-After": "2"])])
        let began = ContinuousClock().now
        async let one = scene.resolve("base:latest", by: registry)
        async let two = scene.resolve("base:latest", by: registry)
        #expect(try await [one, two] == [first, first])
        #expect(ContinuousClock().now - began >= .seconds(2))
        #expect(try scene.asked().sorted() == ["HEAD 200", "HEAD 200", "HEAD 429"])
    }

    @Test func registryThatAsksForALongTimeIsLeftAloneUntilThen() async throws {
        let scene = try await Scene()
        try await scene.push("one", to: "base:latest")
        let registry = try await scene.registry()
        _ = try await scene.resolve("base:latest", by: registry)
        try scene.proxy.set([.answer(429, headers: ["Retry-After": "3600"])])
        // The second has never been asked for: skopeo is not sent either.
        for name in ["base:latest", "base:other"] {
            let failure = try await buildFailure { _ = try await scene.resolve(name, by: registry) }
            #expect(failure.failureClass == .transient, "\(failure.message)")
            let said = try #require(failure.message.firstMatch(of: /not before (\S+Z) again/))
            let wait = try Timestamp(String(said.1)).seconds - Int(Date().timeIntervalSince1970)
            #expect((3_500...3_602).contains(wait), "\(failure.message)")
        }
        #expect(try scene.asked() == ["HEAD 429"])
    }
}
