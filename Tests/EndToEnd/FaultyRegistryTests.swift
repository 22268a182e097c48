// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

/// A registry with tokens that live for a minute, which fails by chance: everything converges, and nothing is tagged that
/// is not whole.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct FaultyRegistryTests {
    private static let images = ["a", "b", "c"]

    @Test
    func everyImageComesToItsNewestBuildAndNoTagStandsOnAPartOfOne() async throws {
        var fleet = try await Fleet()
        _ = try await fleet.base(.tiny)
        let proxy = try await FaultProxy(in: fleet.directory, upstream: fleet.registry.port)
        let credentials = "robot:correct-horse"
        try proxy.requireTokens(life: 60, credentials: credentials)
        let auth = Data(credentials.utf8).base64EncodedString()
        let file = try fleet.directory.write(#"{"auths": {"\#(proxy.host)": {"auth": "\#(auth)"}}}"#, to: "auth.json")
        let remote = fleet.directory.path("remote.git")
        _ = try await GitCommandLine.initialize(remote, bare: true)
        try await fleet.git("remote", "add", "origin", remote)
        fleet.varve.repository = remote

        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        try proxy.misbehave(seed: seed, share: 0.04)
        let base = "\(proxy.host)/bases/tiny:latest"
        func files(_ image: String, _ script: String) -> [String: String?] {
            Fleet.image(image, base: image == "b" ? "a" : base, files: ["postBuild": script])
        }
        func script(_ image: String, _ word: String) -> String { "#!/bin/sh\necho \(word) >/word-\(image)\n" }
        func push(_ files: [String: String?]) async throws -> String {
            let commit = try await fleet.git.commit(files)
            try await fleet.git("push", "--quiet", "origin", "HEAD:main")
            return commit.hex
        }

        // All tokens end while a step runs.
        let held = HeldStep()
        var words = ["a": "first", "b": "first"]
        var commit = try await push(
            files("a", script("a", "first")) + files("b", script("b", "first")) + files("c", held.script))
        let daemon = try DaemonProcess(
            fleet, repository: remote, through: proxy,
            more: "interval: 1s\nbaseInterval: 5s\nretryWait: 1s\nretryLimit: 2s\n",
            environment: ["REGISTRY_AUTH_FILE": file])
        try await held.reached()
        try proxy.requireTokens(life: 60, credentials: credentials)
        held.release()
        #expect(try await daemon.built("c"), "seed \(seed): \(daemon.process.errorOutput)")

        for round in 1...repetitions(2, soak: 40) {
            let image = Self.images[Int.random(in: 0..<Self.images.count, using: &random)]
            words[image] = "word-\(round)"
            commit = try await push(files(image, script(image, "word-\(round)")))
            // Every other push is overtaken by the next one.
            if round % 2 == 0 { #expect(try await daemon.built(image), "seed \(seed): \(daemon.process.errorOutput)") }
            try await expectWholeTags(of: fleet.registry)
        }
        let last = try await daemon.event("pass-finished") {
            $0["commit"].string == commit && $0["failed"].array.isEmpty && $0["unsent"].int == 0
        }
        #expect(last != nil, "seed \(seed): \(daemon.process.errorOutput)")
        let requests = try proxy.requests()
        let faults = Dictionary(grouping: requests) { $0.status }.mapValues(\.count)
        print("seed \(seed): \(faults.sorted { $0.key < $1.key })")
        #expect(["429", "500", "cut"].contains { faults[$0] != nil }, "\(faults)")

        for image in Self.images {
            let records = try await fleet.history(image)
            for failed in records where failed["status"].string != "built" {
                let isOfRegistry = ["transient", "unauthorized"].contains(failed["error"]["class"].string)
                #expect(isOfRegistry, "seed \(seed): \(failed["error"])")
            }
            let record = try #require(records.first, "seed \(seed): \(image)")
            #expect(record["status"].string == "built", "seed \(seed): \(record)")
            #expect(
                try await fleet.registry.digest(of: "fleet/\(image):latest") == record["manifestDigest"].string,
                "seed \(seed): \(image)")
            let run = try await ImageRun("\(fleet.prefix)/\(image):latest", in: fleet.directory)
            for (made, word) in words where made == image || (image == "b" && made == "a") {
                #expect(try await run.run("cat", "/word-\(made)").stdout == word + "\n", "seed \(seed): \(image)")
            }
        }
        let tagged = try await expectWholeTags(of: fleet.registry)
        #expect(tagged >= 2 * Self.images.count)
        daemon.process.send(SIGTERM)
        #expect(await daemon.process.exitStatus() == 0)
        #expect(
            !daemon.process.output.contains("correct-horse") && !daemon.process.errorOutput.contains("correct-horse"))
    }

    /// Looks that each image that a tag stands or ever stood on has all its blobs, with the bytes that they are named for.
    ///
    /// Returns how many there are.
    @discardableResult
    private func expectWholeTags(of registry: RegistryProcess) async throws -> Int {
        let root = registry.storage + "/docker/registry/v2"
        func blob(_ hex: String) -> String { "\(root)/blobs/sha256/\(hex.prefix(2))/\(hex)/data" }
        let pattern = "*/_manifests/tags/*/index/sha256/*/link"
        let found = try await Command.run(
            "find", [root + "/repositories", "-name", "_uploads", "-prune", "-o", "-path", pattern, "-printf", "%P\\n"])
        var blobs: Set<String> = []
        for link in found.lines {
            let parts = link.components(separatedBy: "/_manifests/tags/")
            let digest = try #require(link.split(separator: "/").dropLast().last.map(String.init))
            let manifest = try JSONValue(parsing: String(contentsOfFile: blob(digest), encoding: .utf8))
            let named = ([manifest["config"]] + manifest["layers"].array).compactMap { $0["digest"].string }
            #expect(named.count > 1, "\(link)")
            blobs.insert(blob(digest))
            for hex in named.map({ String($0.dropFirst("sha256:".count)) }) {
                let isThere = FileManager.default.fileExists(
                    atPath: "\(root)/repositories/\(parts[0])/_layers/sha256/\(hex)/link")
                #expect(isThere, "\(link) lacks \(hex)")
                blobs.insert(blob(hex))
            }
        }
        for line in try await Command.run("sha256sum", blobs.sorted()).lines {
            let parts = line.split(separator: " ")
            #expect(parts.last?.split(separator: "/").dropLast().last == parts.first, "\(line)")
        }
        return found.lines.count
    }
}
