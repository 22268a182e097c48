// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveTestSupport

/// A daemon holds after many passes what it held after a few.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct DaemonMemoryTests {
    @Test
    func passesLeaveNothingBehind() async throws {
        let fleet = try await Fleet()
        let base = try await fleet.base(.tiny)
        let names = (0..<8).map { "image-\($0)" }
        func files(_ name: String, comment: Int) -> [String: String?] {
            Fleet.image(
                name, base: base, more: "# edit \(comment)\n",
                files: ["postBuild": "#!/bin/sh\necho \(name) >/name\n"])
        }
        try await fleet.git.commit(names.reduce(into: [:]) { $0.merge(files($1, comment: 0)) { $1 } })
        let daemon = try DaemonProcess(fleet, repository: fleet.git.folder, more: "interval: 10h\n")
        for name in names { #expect(try await daemon.event("image-finished") { _ in true } != nil, "\(name)") }
        _ = try await daemon.event("pass-finished")
        // Each pass reads the commit, walks the history, and records where the definition has moved to.
        let (warm, passes) = (repetitions(20, soak: 500), repetitions(60, soak: 2_000))
        var (memory, descriptors) = (0, 0)
        for number in 1...passes {
            let name = names[number % names.count]
            try await fleet.git.commit(files(name, comment: number))
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
        #expect(grown < 8_000)
        // A connection to the registry or a pipe may come and go.
        #expect(abs(last - descriptors) < 8)
        #expect(try daemon.children() == 0)
    }
}
