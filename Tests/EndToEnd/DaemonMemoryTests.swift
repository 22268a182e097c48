// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveTestSupport

/// A daemon holds after many passes what it held after a few.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct DaemonMemoryTests {
    @Test(arguments: [false, true])
    func passesLeaveNothingBehind(isRemote: Bool) async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let names = (0..<8).map { "image-\($0)" }
        func files(_ name: String, comment: Int) -> [String: String?] {
            Fleet.image(
                name, base: base, more: "# edit \(comment)\n",
                files: ["postBuild": "#!/bin/sh\necho \(name) >/name\n"])
        }
        var (repository, more) = (fleet.git.folder, "interval: 10h\n")
        if isRemote {
            let folder = fleet.directory.path("remotes/fleet.git")
            _ = try await GitCommandLine.initialize(folder, bare: true)
            try await fleet.git("remote", "add", "origin", folder)
            let server = try await GitHTTPServer(serving: fleet.directory.path("remotes"), in: fleet.directory)
            (repository, more) = (server.address(of: "fleet.git"), "interval: 1s\n")
        }
        func commit(_ files: [String: String?]) async throws {
            try await fleet.git.commit(files)
            if isRemote { try await fleet.git("push", "--quiet", "origin", "HEAD:main") }
        }
        try await commit(names.reduce(into: [:]) { $0.merge(files($1, comment: 0)) { $1 } })
        let daemon = try DaemonProcess(fleet, repository: repository, more: more)
        for name in names { #expect(try await daemon.event("image-finished") { _ in true } != nil, "\(name)") }
        _ = try await daemon.event("pass-finished")
        // Each pass reads the commit, walks the history, and records where the definition has moved to.
        let (warm, passes) = (repetitions(10, soak: 200), repetitions(isRemote ? 35 : 60, soak: isRemote ? 600 : 2_000))
        var (memory, descriptors) = (0, 0)
        for number in 1...passes {
            let name = names[number % names.count]
            try await commit(files(name, comment: number))
            let adopted = try await daemon.event("image-finished") {
                $0["image"].string == name && $0["status"].string == "adopted"
            }
            try #require(adopted != nil, "\(daemon.process.errorOutput)")
            _ = try await daemon.event("pass-finished")
            if number == warm { (memory, descriptors) = (try daemon.memory(), try daemon.descriptors()) }
        }
        let grown = try daemon.memory() - memory
        let last = try daemon.descriptors()
        print(
            "\(memory) kB after \(warm) passes, \(grown) kB more after \(passes); \(descriptors) and \(last) descriptors"
        )
        #expect(grown < repetitions(4_000, soak: 10_000))
        // A connection to the registry or a pipe may come and go.
        #expect(abs(last - descriptors) < 8)
        #expect(try daemon.children() == 0)
    }
}
