// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveBuild

/// What the instructions of a Containerfile can reach while buildah runs them.
@Suite(.timeLimit(.minutes(20)))
struct ContainerfileStepTests {
    private let bench = EngineBench.shared

    private func request(_ text: String, timeout: Duration = .seconds(600)) async throws -> LayerRequest {
        let image = try ImageReference("registry.example/base:1")
        let base = try await bench.base().configDigest
        let blob = try ObjectID(hex: String(repeating: "c", count: 40))
        let path = try RepositoryPath("Containerfile")
        let specification = ContainerfileSpecification(
            path: path, files: [InputFile(path: path, id: blob, isExecutable: false)], images: [image])
        var request = try EngineBench.request(
            .base(.containerfile(ContainerfileContent(specification: specification, images: [image: base]))),
            parent: nil, sources: MemorySource(blobs: [blob: Array(text.utf8)]), timeout: timeout)
        request.contextImages[image] = ResolvedImage(
            reference: image.description, manifestDigest: base, configDigest: base)
        return request
    }

    /// Containers and names of the store that a build of a key left.
    private func remains(of request: LayerRequest, _ engine: BuildahEngine) async throws -> [String] {
        let containers = try await engine.buildah.run(["containers", "--format", "{{.ImageName}}"]).text
        let images = try await engine.buildah.run(["images", "--format", "{{.Name}}:{{.Tag}}"]).text
        return (containers + "\n" + images).split(separator: "\n").map(String.init).filter {
            $0.contains(request.key.hex) && !$0.hasPrefix(BuildahStore.name(of: request.key, kind: .base))
        }
    }

    @Test func stepSeesNothingOfTheHostAndTheImageKeepsNothingOfIt() async throws {
        let engine = try await bench.makeEngine(environment: [
            "AWS_SECRET_ACCESS_KEY": "host-secret", "https_proxy": "http://user:hunter22@proxy.example:3128",
        ])
        let text = """
            FROM registry.example/base:1
            RUN env; for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done; \\
            # a comment inside
                ls -d /root/.docker /run/containers 2>/dev/null; test -r "$SSL_CERT_FILE" && echo certificates

            """
        let log = Lines()
        let request = try await request(text)
        let layer = try await engine.build(request, log: log)
        let output = log.all.joined(separator: "\n")
        #expect(output.contains("SOURCE_DATE_EPOCH=315619200") && output.contains("\ncertificates"), "\(output)")
        #expect(!output.contains("host-secret") && !output.contains("hunter22"))
        #expect(!output.contains("swiftpm") && !output.contains("xctest"))
        #expect(!output.contains("\n/root/.docker") && !output.contains("\n/run/containers"))
        let config = try #require(try await engine.buildah.inspect(layer.configDigest.hex)).configuration
        let kept = (config.environment ?? []).joined(separator: "\n")
        #expect(!kept.contains("proxy") && !kept.contains("EPOCH") && !kept.contains("SSL_CERT"), "\(kept)")
        let files = try await EngineBench.listing(of: layer, store: engine.buildah.store)
        #expect(files.filter { $0.hasPrefix("f ") } == [])
        #expect(try await remains(of: request, engine) == [])
    }

    @Test func deadlineEndsARunAndLeavesNoContainer() async throws {
        let engine = try await bench.makeEngine()
        let mark = "86403.\(Int.random(in: 100_000..<999_999))"
        let request = try await request(
            "FROM registry.example/base:1\nRUN echo begun; setsid sleep \(mark) & sleep \(mark)\n",
            timeout: .seconds(30))
        let log = Lines()
        let failure = await #expect(throws: BuildFailure.self) { try await engine.build(request, log: log) }
        #expect(failure?.failureClass == .timedOut, "\(String(describing: failure))")
        #expect(log.all.contains("begun"))
        let running = try await EngineBench.shell("pgrep -fc '^sleep \(mark)' || true")
        #expect(running.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
        #expect(try await remains(of: request, engine) == [])
        #expect(try await engine.layer(for: request.key, kind: .base) == nil)
    }

    @Test func linkOfAnEarlierStageLeadsNowhereOutside() async throws {
        let engine = try await bench.makeEngine()
        let outside = bench.folder + "/outside-\(Int.random(in: 0..<1_000_000))"
        try Data("of the host\n".utf8).write(to: URL(filePath: outside))
        let request = try await request(
            """
            FROM registry.example/base:1 AS one
            RUN ln -s \(outside) /link && ln -s / /root-link
            FROM registry.example/base:1
            COPY --from=one /root-link\(outside) /taken

            """)
        let failure = await #expect(throws: BuildFailure.self) { try await engine.build(request, log: Lines()) }
        #expect(failure?.failureClass == .definition, "\(String(describing: failure))")
        #expect(try await remains(of: request, engine) == [])
    }

    @Test func nothingIsTakenFromTheStoreThatIsNoPartOfTheKey() async throws {
        let engine = try await bench.makeEngine()
        let base = try await bench.base()
        // What the definition's reader refuses gets nothing here either.
        for line in ["COPY --from=\(base.configDigest.hex.prefix(12)) /etc/passwd /x", "COPY ../../x /x"] {
            let request = try await request("FROM scratch\n\(line)\n")
            let failure = await #expect(throws: BuildFailure.self, "\(line)") {
                try await engine.build(request, log: Lines())
            }
            #expect(failure?.layer == .base, "\(line)")
        }
    }
}
