// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import VarveGit
import VarveModel
import VarveTestSupport

@Suite("Silent remotes", .temporaryDirectory)
struct SilentRemoteTests {
    @Test
    func aSilentRemoteIsUnreachableAndHoldsUpNoLaterWrite() async throws {
        let fixture = try await RemoteFixture(.folder)
        let listener = try SilentListener()
        let store = try await fixture.store("one") { $0.deadline = .milliseconds(200) }
        let clone = try GitCommandLine(TemporaryDirectory.required().path("one"))
        try await clone("remote", "set-url", "origin", listener.address)
        let error = GitError(.unreachable, "talk to remote 'origin'", "")
        await #expect(throws: error) { try await store.fetch() }
        await #expect(throws: error) { try await store.append([fixture.entry(1)]) }
        #expect(try await store.records().records.isEmpty)
        try await clone("remote", "set-url", "origin", fixture.address)
        let patient = try GitNotesRecordStore(repository: GitRepository(opening: clone.folder))
        try await patient.append([fixture.entry(1)])
        // The first store waits for the silent remote no more.
        try await Loopback.wait(for: "the store") {
            do {
                try await store.fetch()
                return true
            } catch let error as GitError where error.code == .unreachable {
                return false
            }
        }
        #expect(try await store.records().records.count == 1)
    }

    @Test
    func aSilentRemoteOfDefinitionsIsUnreachable() async throws {
        let listener = try SilentListener()
        let source = try GitDefinitionSource(
            remote: listener.address, cache: TemporaryDirectory.required().path("cache.git"),
            deadline: .milliseconds(200))
        await #expect(throws: GitError(.unreachable, "talk to remote '\(listener.address)'", "")) {
            try await source.fetch()
        }
        #expect(try await source.tip() == nil)
    }

    @Test
    func cancellingDoesNotWaitForASilentRemote() async throws {
        let listener = try SilentListener()
        let source = try GitDefinitionSource(
            remote: listener.address, cache: TemporaryDirectory.required().path("cache.git"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await #expect(throws: GitError(.cancelled, "talk to remote '\(listener.address)'", "")) {
                    try await source.fetch()
                }
            }
            try await Loopback.wait(for: "a connection") { listener.hasConnection }
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}

/// A port of 127.0.0.1 that takes connections and says nothing.
private final class SilentListener: Sendable {
    private let descriptor: Int32
    private let port: Int

    init() throws {
        port = try Loopback.freePort()
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr = in_addr(s_addr: UInt32(0x7f00_0001).bigEndian)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound, listen(descriptor, 16) == 0 else { throw FixtureError("no listener: errno \(errno)") }
    }

    deinit { close(descriptor) }

    var address: String { "http://127.0.0.1:\(port)/images.git" }

    /// Whether somebody has connected and has not been taken yet; the kernel does what it takes.
    var hasConnection: Bool {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&poller, 1, 0) == 1
    }
}
