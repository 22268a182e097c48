// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveGit
import VarveModel
import VarveTestSupport

@Suite("GitLeaseStore", .temporaryDirectory)
struct LeaseStoreTests {
    private static func lease(_ counter: Int, _ holder: String) -> Lease {
        Lease(counter: counter, holder: holder, identity: "identity of \(holder)", length: 60, token: "\(counter)")
    }

    /// A contender with a clone of its own.
    private static func store(
        _ fixture: RemoteFixture, _ name: String, onBeforePush: (@Sendable (String) -> Void)? = nil
    ) async throws -> GitLeaseStore {
        let path = try TemporaryDirectory.required().path(name)
        _ = try await GitCommandLine.clone(fixture.address, to: path, environment: fixture.environment)
        var options = GitNotesRecordStore.Options()
        options.credentials = fixture.credentials
        options.onBeforePush = onBeforePush
        return try GitLeaseStore(repository: GitRepository(opening: path), options: options)
    }

    @Test(arguments: Transport.allCases)
    func leaseIsAParentlessCommitThatEverybodyReads(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let one = try await Self.store(fixture, "one")
        let two = try await Self.store(fixture, "two")
        #expect(try await one.read() == nil)
        let first = try #require(await one.replace(nil, with: Self.lease(1, "one")))
        #expect(try await fixture.remote("for-each-ref", "--format=%(objectname)", "refs/varve/lease") == first)
        for store in [one, two, two] {
            #expect(try await store.read() == LeaseValue(id: first, lease: Self.lease(1, "one")))
        }
        let second = try #require(await two.replace(first, with: Self.lease(2, "two")))
        #expect(try await one.read() == LeaseValue(id: second, lease: Self.lease(2, "two")))
        // What was overtaken changes nothing.
        #expect(try await one.replace(first, with: Self.lease(3, "one")) == nil)
        #expect(try await one.replace(nil, with: Self.lease(3, "one")) == nil)
        #expect(try await fixture.remote("for-each-ref", "--format=%(objectname)", "refs/varve/lease") == second)
        let commit = try await fixture.remote("cat-file", "commit", "refs/varve/lease").split(separator: "\n")
        #expect(commit[0] == "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904")
        #expect(!commit.contains { $0.hasPrefix("parent ") })
        #expect(commit.contains("varve: lease 2 of two"))
        #expect(try JSONValue(parsing: String(commit.last ?? ""))["counter"].int == 2)
        try await fixture.remote("fsck", "--strict")
    }

    @Test(arguments: Transport.allCases)
    func ofTwoThatHaveReadTheSameValueExactlyOneWins(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let barrier = Barrier(2)
        let one = try await Self.store(fixture, "one") { _ in barrier.arrive() }
        let two = try await Self.store(fixture, "two") { _ in barrier.arrive() }
        var value: String?
        for round in 1...5 {
            barrier.begin(2)
            let expected = value
            async let first = one.replace(expected, with: Self.lease(round, "one"))
            async let second = two.replace(expected, with: Self.lease(round, "two"))
            let results = try await [first, second]
            let winners = results.compactMap { $0 }
            #expect(winners.count == 1, "round \(round): \(results)")
            value = winners.first
            #expect(
                try await fixture.remote("for-each-ref", "--format=%(objectname)", "refs/varve/lease") == value)
            for store in [one, two] { #expect(try await store.read()?.id == value) }
        }
    }

    @Test
    func repositoryWithoutARemoteKeepsItsLeaseItself() async throws {
        let sample = try await SampleRepository(TemporaryDirectory.required().path("repository"))
        let one = try GitLeaseStore(repository: sample.repository, options: GitNotesRecordStore.Options())
        let two = try GitLeaseStore(repository: sample.repository, options: GitNotesRecordStore.Options())
        #expect(try await one.read() == nil)
        let first = try #require(await one.replace(nil, with: Self.lease(1, "one")))
        #expect(try await two.replace(nil, with: Self.lease(1, "two")) == nil)
        #expect(try await two.read() == LeaseValue(id: first, lease: Self.lease(1, "one")))
        #expect(try await sample.git("rev-parse", "refs/varve/lease") == first)
    }

    @Test(arguments: [Transport.http, .ssh])
    func hookThatDeclinesIsNamed(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        try TemporaryDirectory.write(
            "#!/bin/sh\necho no lease here >&2\nexit 1\n", to: fixture.remote.folder + "/hooks/pre-receive",
            executable: true)
        let store = try await Self.store(fixture, "one")
        let error = await #expect(throws: GitError.self) { try await store.replace(nil, with: Self.lease(1, "one")) }
        #expect(error?.code == .refused)
        #expect(error?.cause.contains("refs/varve/*") == true)
        #expect(try await store.read() == nil)
    }

    @Test(arguments: [
        "not json",
        "{\"counter\":-1,\"holder\":\"a\",\"identity\":\"b\",\"length\":60,\"token\":\"c\",\"released\":false}",
        "{\"counter\":1,\"holder\":\"a\",\"identity\":\"b\",\"length\":1e300,\"token\":\"c\",\"released\":false}",
    ])
    func strangeValueIsNoLease(message: String) async throws {
        let sample = try await SampleRepository(TemporaryDirectory.required().path("repository"))
        let commit = try await sample.git("commit-tree", "-m", message, "4b825dc642cb6eb9a060e54bf8d69288fbee4904")
        try await sample.git("update-ref", "refs/varve/lease", commit)
        let store = try GitLeaseStore(repository: sample.repository, options: GitNotesRecordStore.Options())
        #expect(try await store.read() == LeaseValue(id: commit, lease: nil))
        #expect(try await store.replace(commit, with: Self.lease(1, "one")) != nil)
    }
}
