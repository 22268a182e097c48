// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveBuild

/// Steps that try to get at the host, or at the steps that come after them.
@Suite(.temporaryDirectory) struct HostileStepTests {
    private let bench = EngineBench.shared

    private func output(of script: String) async throws -> [String] {
        let log = Lines()
        let content = LayerContent.postBuild(PostBuildContent(script: Script(bytes: Array(script.utf8))))
        let request = try await EngineBench.request(content, parent: bench.base())
        _ = try await bench.makeEngine().build(request, log: log)
        return log.all
    }

    @Test func secondChrootDoesNotLeaveTheRootFolder() async throws {
        let marker = try TemporaryDirectory.required().path("marker")
        try Data("host".utf8).write(to: URL(filePath: marker))
        let lines = try await output(
            of: """
                #!/usr/bin/python3
                import os
                os.makedirs('/tmp/jail')
                top = os.open('/', os.O_RDONLY)
                try:
                    os.chroot('/tmp/jail')
                    os.fchdir(top)
                    for _ in range(60): os.chdir('..')
                    os.chroot('.')
                except PermissionError as error:
                    print(type(error).__name__)
                print(os.path.exists('\(marker)'))
                """)
        #expect(lines == ["PermissionError", "False"])
    }

    @Test func devicesCannotBeMade() async throws {
        let lines = try await output(of: "mknod /tmp/disk b 8 0 2>/dev/null || echo refused\n")
        #expect(lines == ["refused"])
    }

    @Test func sharedMemoryAndCacheGoWithTheStep() async throws {
        let name = "varve-\(UUID().uuidString)"
        let plant = "touch /dev/shm/\(name)\nmkdir -p /run/varve/cache/planted && echo planted\n"
        #expect(try await output(of: plant) == ["planted"])
        #expect(!FileManager.default.fileExists(atPath: "/dev/shm/\(name)"))
        let look = "ls /dev/shm\nls /run/varve/cache | grep planted || echo nothing\n"
        #expect(try await output(of: look) == ["nothing"])
    }
}
