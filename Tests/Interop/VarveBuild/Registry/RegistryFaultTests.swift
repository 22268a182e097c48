// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveBuild
import VarveModel
import VarveTestSupport

/// A registry that refuses, fails or hangs up: never a tag on what is not whole, and trying again mends it.
@Suite(.temporaryDirectory, .timeLimit(.minutes(10))) struct RegistryFaultTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var rule: FaultProxy.Rule
        var failureClass: BuildFailure.Class
    }

    @Test(arguments: [
        Fault(testDescription: "401", rule: .answer(401, count: nil), failureClass: .unauthorized),
        Fault(
            testDescription: "403 on upload", rule: .answer(403, method: "POST", count: nil),
            failureClass: .unauthorized),
        Fault(
            testDescription: "429", rule: .answer(429, headers: ["Retry-After": "0"], count: nil),
            failureClass: .transient
        ),
        Fault(
            testDescription: "500 on a blob", rule: .answer(500, method: "PATCH|PUT", count: nil),
            failureClass: .transient),
        Fault(
            testDescription: "503 on a manifest", rule: .answer(503, method: "PUT", path: "/manifests/", count: nil),
            failureClass: .transient
        ),
        Fault(
            testDescription: "cut while a blob is sent", rule: .cutRequest(after: 100, method: "PATCH", count: nil),
            failureClass: .transient
        ),
        Fault(
            testDescription: "cut while a manifest is read back",
            rule: .cutResponse(after: 100, method: "GET", path: "/manifests/sha256", count: nil),
            failureClass: .transient
        ),
    ])
    func faultIsOfItsClassAndTryingAgainSucceeds(_ fault: Fault) async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let proxy = try await FaultProxy(in: fixture.directory, upstream: server.port)
        let registry = try await fixture.registry(at: proxy.host)
        let request = try await PublishRequest("a", fixture.layer("apt"))
        try proxy.set([fault.rule])
        let failure = try await buildFailure { _ = try await registry.publish(request) }
        #expect(failure.failureClass == fault.failureClass, "\(failure.message)")
        #expect(failure.message.contains("\(proxy.host)/team/a"), "\(failure.message)")
        #expect(try await server.tags(of: "team/a") == [])
        try proxy.set([])
        let published = try await registry.publish(request)
        #expect(try await server.tags(of: "team/a") == published.tags.sorted())
        #expect(try await registry.contains(request.image, manifest: published.manifestDigest))
        #expect(try fixture.leftovers() == [])
    }

    @Test func registryThatIsDownIsTransient() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let registry = try await fixture.registry(at: server.host)
        let request = try await PublishRequest("a", fixture.layer("apt"))
        await server.stop()
        let failure = try await buildFailure { _ = try await registry.publish(request) }
        #expect(failure.failureClass == .transient, "\(failure.message)")
        try await server.start()
        _ = try await registry.publish(request)
    }

    /// The registry goes away before the n-th request, for n up to where a publish comes through; every n with
    /// `VARVE_SOAK=1`.
    @Test func publishThatEndsAtAnyRequestLeavesNoTagOnWhatIsNotWhole() async throws {
        let fixture = try await PublishingFixture()
        let server = try await RegistryProcess(in: fixture.directory)
        let proxy = try await FaultProxy(in: fixture.directory, upstream: server.port)
        let registry = try await fixture.registry(at: proxy.host)
        let old = try await fixture.layer("old")
        let new = try await fixture.layer("new", on: old)
        let oracle = fixture.directory
        let soak = ProcessInfo.processInfo.environment["VARVE_SOAK"] == "1"
        for passed in stride(from: 0, through: 1_000, by: soak ? 1 : 5) {
            let image = "image-\(passed)"
            try proxy.set([])
            let before = try await registry.publish(PublishRequest(image, old))
            try proxy.set([.cutRequest(after: 0, skip: passed, count: nil)])
            let request = try PublishRequest(image, new, date: "2026.11.24")
            let published = try? await registry.publish(request)

            let latest = try await server.digest(of: "team/\(image):latest")
            if let published {
                #expect(latest == published.manifestDigest.description)
                #expect(passed > 8)
                return
            }
            for tag in try await server.tags(of: "team/\(image)") {
                let source = "docker://\(server.host)/team/\(image):\(tag)"
                let target = "dir:" + oracle.path("whole-\(image)-\(tag)")
                let copy = try await Command.result("skopeo", ["copy", "--src-tls-verify=false", source, target])
                #expect(copy.status == 0, "after \(passed) requests \(tag) is not whole: \(copy.stderr)")
            }
            // The moving tag is the last request, so it is still the old one.
            #expect(latest == before.manifestDigest.description)
            try proxy.set([])
            let again = try await registry.publish(request)
            #expect(try await server.digest(of: "team/\(image):latest") == again.manifestDigest.description)
            #expect(
                try await server.digest(of: "team/\(image):\(request.buildTag)") == again.manifestDigest.description)
        }
    }

    @Test func credentialsComeFromTheFileAndNeverFromTheArguments() async throws {
        let directory = try TemporaryDirectory.required()
        let shim = try ToolShim(in: directory)
        let fixture = try await PublishingFixture(path: shim.path)
        let server = try await RegistryProcess(in: directory, credentials: "robot:correct-horse")
        let address = "\(server.host)/team"
        let request = try await PublishRequest("a", fixture.layer("apt"))
        func authFile(_ name: String, password: String) throws -> String {
            let token = Data("robot:\(password)".utf8).base64EncodedString()
            return try directory.write(#"{"auths": {"\#(server.host)": {"auth": "\#(token)"}}}"#, to: name)
        }

        let anonymous = try await fixture.registry(address, plainHTTP: [server.host])
        let missing = try await buildFailure { _ = try await anonymous.publish(request) }
        #expect(missing.failureClass == .unauthorized, "\(missing.message)")
        #expect(missing.message.contains(directory.path("home") + "/.docker/config.json"), "\(missing.message)")
        #expect(missing.message.contains("skopeo login \(server.host)"), "\(missing.message)")
        let unresolved = try await buildFailure {
            _ = try await anonymous.resolve(ImageReference(address + "/a:latest"), platform: Platform("linux/amd64"))
        }
        #expect(unresolved.failureClass == .unauthorized, "\(unresolved.message)")

        let wrongFile = try authFile("wrong.json", password: "battery-staple")
        let wrong = try await fixture.registry(address, plainHTTP: [server.host], authFile: wrongFile)
        let refused = try await buildFailure { _ = try await wrong.publish(request) }
        #expect(refused.failureClass == .unauthorized, "\(refused.message)")
        #expect(refused.message.contains(wrongFile))

        let chosen = try await fixture.registry(
            address, plainHTTP: [server.host], authFile: authFile("right.json", password: "correct-horse")
        )
        _ = try await chosen.publish(request)

        _ = try authFile("home/.docker/config.json", password: "correct-horse")
        let published = try await anonymous.publish(request)
        #expect(try await anonymous.contains(request.image, manifest: published.manifestDigest))

        let arguments = try shim.calls().flatMap(\.arguments)
        #expect(arguments.allSatisfy { !$0.contains("correct-horse") && !$0.contains("creds") })
    }
}
