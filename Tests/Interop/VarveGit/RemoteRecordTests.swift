// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import Testing
import VarveGit
import VarveModel
import VarveTestSupport

/// How a remote is reached.
enum Transport: String, CaseIterable, CustomTestStringConvertible {
    case folder, fileURL, http, ssh

    var testDescription: String { rawValue }
}

/// A bare remote with one definition, and clones of it.
struct RemoteFixture {
    let address: String
    let remote: GitCommandLine
    let commit: ObjectID
    let tree: ObjectID
    let credentials: GitCredentials
    let environment: [String: String?]
    let gate: PushGate?

    init(_ transport: Transport) async throws {
        try GitLibrary.isolateConfiguration()
        let directory = try TemporaryDirectory.required()
        let seed = try await GitCommandLine.initialize(directory.path("seed"))
        commit = try await seed.commit(["images/ds-python/image.yaml": "base: debian\n"])
        tree = try await seed.revision("HEAD:images/ds-python")
        try directory.makeFolder("remotes")
        let path = directory.path("remotes/images.git")
        remote = try await GitCommandLine.clone(seed.folder, to: path, bare: true)
        switch transport {
        case .folder:
            (address, gate, environment, credentials) = (path, nil, [:], GitCredentials(home: directory.path))
        case .fileURL:
            (address, gate, environment, credentials) = (
                "file://" + path, nil, [:], GitCredentials(home: directory.path)
            )
        case .http:
            let server = try await GitHTTPServer(
                serving: directory.path("remotes"), in: directory, credentials: "varve:hunter2")
            address = server.address(of: "images.git", credentials: "varve:hunter2")
            (gate, environment, credentials) = (server.gate, [:], GitCredentials(home: directory.path))
        case .ssh:
            let server = try await SSHServer(in: directory)
            address = server.address(of: path)
            var offered = GitCredentials(home: server.home)
            offered.usesAgent = false
            (gate, environment, credentials) = (server.gate, server.environment, offered)
        }
    }

    /// A clone's store.
    func store(
        _ name: String, _ change: (inout GitNotesRecordStore.Options) -> Void = { _ in }
    ) async throws -> GitNotesRecordStore {
        let path = try TemporaryDirectory.required().path(name)
        _ = try await GitCommandLine.clone(address, to: path, environment: environment)
        var options = GitNotesRecordStore.Options()
        options.credentials = credentials
        change(&options)
        return try GitNotesRecordStore(repository: GitRepository(opening: path), options: options)
    }

    func entry(_ number: Int) throws -> RecordEntry { try Samples.entry(number, on: [commit], tree: tree) }

    /// The number of lines in the remote's log and state notes.
    func remoteLines() async throws -> [Int] {
        let log = try await remote.note("varve/log", on: commit.hex) ?? ""
        let state = try await remote.note("varve/state", on: tree.hex) ?? ""
        return [log, state].map { $0.split(separator: "\n").count }
    }
}

@Suite("Records and remotes", .temporaryDirectory)
struct RemoteRecordTests {
    @Test(arguments: Transport.allCases)
    func recordsReachTheRemoteAndComeBack(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let store = try await fixture.store("one")
        try await store.append([fixture.entry(1)])
        try await store.append([fixture.entry(2)])
        try await store.append([fixture.entry(2)])
        #expect(try await fixture.remoteLines() == [2, 2])
        #expect(try await fixture.remote("rev-list", "--count", "refs/notes/varve/log") == "2")
        #expect(try await store.records().records.map(\.id) == [1, 2].map { Samples.id($0, digits: 32) })
        let other = try await fixture.store("two")
        #expect(try await other.records().records.isEmpty)
        try await other.fetch()
        #expect(try await other.records().records.count == 2)
        #expect(try await other.descriptions(of: [Samples.key(1)]).count == 1)
        try await fixture.remote("fsck", "--strict")
    }

    @Test(arguments: Transport.allCases)
    func twoWritersHeldBetweenReadAndPushLoseNothing(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let barrier = Barrier(2)
        let one = try await fixture.store("one") { $0.onBeforePush = { _ in barrier.arrive() } }
        let two = try await fixture.store("two") { $0.onBeforePush = { _ in barrier.arrive() } }
        async let first: Void = one.append([fixture.entry(1)])
        async let second: Void = two.append([fixture.entry(2)])
        _ = try await (first, second)
        // Again, now that the references exist.
        let next = Barrier(2)
        let three = try await fixture.store("three") { $0.onBeforePush = { _ in next.arrive() } }
        let four = try await fixture.store("four") { $0.onBeforePush = { _ in next.arrive() } }
        async let third: Void = three.append([fixture.entry(3)])
        async let fourth: Void = four.append([fixture.entry(4)])
        _ = try await (third, fourth)
        #expect(try await fixture.remoteLines() == [4, 4])
        let keys = try (1...4).map { try Samples.key($0) }
        try await four.fetch()
        #expect(try await four.descriptions(of: keys).count == 4)
        #expect(try await four.records().records.count == 4)
        try await fixture.remote("fsck", "--strict")
    }

    @Test(arguments: [Transport.http, .ssh])
    func writersThatTheServerHoldsLoseNothing(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let gate = try #require(fixture.gate)
        let one = try await fixture.store("one")
        let two = try await fixture.store("two")
        try gate.close()
        async let first: Void = one.append([fixture.entry(1)])
        async let second: Void = two.append([fixture.entry(2)])
        try await gate.wait(for: 2)
        try gate.open()
        _ = try await (first, second)
        #expect(try await fixture.remoteLines() == [2, 2])
    }

    @Test(arguments: Transport.allCases)
    func manyWritersLoseNothing(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        var stores: [GitNotesRecordStore] = []
        for number in 0..<3 { stores.append(try await fixture.store("clone\(number)") { $0.attempts = 200 }) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (writer, store) in stores.enumerated() {
                group.addTask {
                    for number in 0..<3 { try await store.append([fixture.entry(writer * 3 + number + 1)]) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await fixture.remoteLines() == [9, 9])
    }

    @Test(arguments: [Transport.http, .ssh])
    func aHookThatDeclinesIsNamedAndMovesNothing(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let store = try await fixture.store("one") { $0.pause = { _ in .zero } }
        try TemporaryDirectory.write(
            "#!/bin/sh\nexit 1\n", to: fixture.remote.folder + "/hooks/pre-receive", executable: true)
        do {
            try await store.append([fixture.entry(1)])
            Issue.record("the push went through")
        } catch let error as GitError {
            #expect(error.code == .refused)
            #expect(!error.description.contains("hunter2"))
            #expect(error.cause.contains("hook declined"))
        }
        #expect(try await fixture.remoteLines() == [0, 0])
        #expect(try await store.records().records.isEmpty)
        let clone = try GitCommandLine(TemporaryDirectory.required().path("one"))
        #expect(try await clone("for-each-ref", "refs/notes", "refs/varve") == "")
    }

    @Test(arguments: [Transport.http, .ssh])
    func aProtectedRefLeavesTheMirrorAtWhatWasAccepted(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let store = try await fixture.store("one") { $0.pause = { _ in .zero } }
        try TemporaryDirectory.write(
            "#!/bin/sh\ntest \"$1\" != refs/notes/varve/state\n", to: fixture.remote.folder + "/hooks/update",
            executable: true)
        let subject = "push 'refs/notes/varve/state' to '\(fixture.address.replacing("varve:hunter2@", with: ""))'"
        await #expect(throws: GitError(.refused, subject, "")) { try await store.append([fixture.entry(1)]) }
        let clone = try GitCommandLine(TemporaryDirectory.required().path("one"))
        #expect(try await clone.reference("refs/notes/varve/state") == nil)
        #expect(
            try await clone.reference("refs/varve/packages") == fixture.remote.reference("refs/varve/packages"))
    }

    @Test(arguments: Transport.allCases)
    func aRemoteThatLostItsNotesGetsThemBack(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let store = try await fixture.store("one")
        try await store.append([fixture.entry(1)])
        for ref in ["refs/notes/varve/log", "refs/notes/varve/state", "refs/varve/packages"] {
            try await fixture.remote("update-ref", "-d", ref)
        }
        try await fixture.remote("gc", "--quiet", "--prune=now")
        try await store.fetch()
        try await store.append([fixture.entry(2)])
        #expect(try await fixture.remoteLines() == [2, 2])
        try await fixture.remote("fsck", "--strict")
    }

    @Test(arguments: Transport.allCases, [true, false])
    func linesThatWereOnlyHereAreUnitedWithTheRemotes(transport: Transport, byFetch: Bool) async throws {
        let fixture = try await RemoteFixture(transport)
        let other = try await fixture.store("other")
        try await other.append([fixture.entry(1)])
        // A clone that kept records alone for a while, one of them the same as the remote's.
        let alone = try await fixture.store("one") { $0.remote = .none }
        try await alone.append([fixture.entry(1), fixture.entry(2)])
        try await alone.append([fixture.entry(3)])
        let clone = try GitCommandLine(TemporaryDirectory.required().path("one"))
        let before = try await fixture.remote("rev-parse", "refs/notes/varve/state")
        var options = GitNotesRecordStore.Options()
        options.credentials = fixture.credentials
        let joined = try GitNotesRecordStore(repository: GitRepository(opening: clone.folder), options: options)
        if byFetch {
            try await joined.fetch()
        } else {
            try await joined.append([fixture.entry(4)])
        }
        let count = byFetch ? 3 : 4
        #expect(try await fixture.remoteLines() == [count, count])
        #expect(try await joined.records().records.count == count)
        // On top of the remote's value, and the clone is level with it.
        try await fixture.remote("merge-base", "--is-ancestor", before, "refs/notes/varve/state")
        for ref in ["refs/notes/varve/log", "refs/notes/varve/state", "refs/varve/packages"] {
            #expect(try await clone.reference(ref) == fixture.remote.reference(ref))
        }
        try await other.fetch()
        #expect(try await other.records().records.count == count)
        #expect(try await other.descriptions(of: (1...count).map { try Samples.key($0) }).count == count)
        try await fixture.remote("fsck", "--strict")
        // Nothing is left to be written.
        let after = try await fixture.remote("for-each-ref")
        try await joined.fetch()
        try await joined.append([fixture.entry(2)])
        #expect(try await fixture.remote("for-each-ref") == after)
    }

    @Test
    func aRemoteThatRefusesIsReadAndLosesNoLocalLine() async throws {
        let fixture = try await RemoteFixture(.http)
        try await fixture.store("other").append([fixture.entry(1)])
        try await fixture.store("one") { $0.remote = .none }.append([fixture.entry(2)])
        let hook = fixture.remote.folder + "/hooks/pre-receive"
        try TemporaryDirectory.write("#!/bin/sh\nexit 1\n", to: hook, executable: true)
        var options = GitNotesRecordStore.Options()
        options.credentials = fixture.credentials
        let path = try TemporaryDirectory.required().path("one")
        let joined = try GitNotesRecordStore(repository: GitRepository(opening: path), options: options)
        try await joined.fetch()
        #expect(try await joined.records().records.count == 2)
        #expect(try await fixture.remoteLines() == [1, 1])
        try await Command.run("rm", [hook])
        try await fixture.store("third").append([fixture.entry(3)])
        try await joined.append([fixture.entry(4)])
        #expect(try await fixture.remoteLines() == [4, 4])
    }

    @Test(arguments: Transport.allCases)
    func aRemoteWithoutRecordsGetsTheLocalOnes(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let store = try await fixture.store("one") { $0.remote = .none }
        try await store.append([fixture.entry(1)])
        var options = GitNotesRecordStore.Options()
        options.credentials = fixture.credentials
        let path = try TemporaryDirectory.required().path("one")
        try await GitNotesRecordStore(repository: GitRepository(opening: path), options: options).fetch()
        #expect(try await fixture.remoteLines() == [1, 1])
        try await fixture.remote("fsck", "--strict")
    }

    @Test
    func wrongPasswordsAreUnauthorized() async throws {
        let fixture = try await RemoteFixture(.http)
        let address = fixture.address.replacing("hunter2", with: "wrong")
        let store = try await fixture.store("one") { $0.remote = .address(address) }
        let subject = "connect to '\(fixture.address.replacing("varve:hunter2@", with: ""))'"
        await #expect(throws: GitError(.unauthorized, subject, "")) { try await store.append([fixture.entry(1)]) }
    }

    @Test
    func tokensAndNetrcLetIn() async throws {
        let fixture = try await RemoteFixture(.http)
        let bare = fixture.address.replacing("varve:hunter2@", with: "")
        let token = try await fixture.store("one") {
            $0.remote = .address(bare)
            $0.credentials = GitCredentials(token: "hunter2", user: "varve")
        }
        try await token.append([fixture.entry(1)])
        try TemporaryDirectory.required().write(
            "machine other login a password b\nmachine 127.0.0.1\n login varve\n password hunter2\n", to: ".netrc")
        let netrc = try await fixture.store("two") { $0.remote = .address(bare) }
        try await netrc.append([fixture.entry(2)])
        #expect(try await fixture.remoteLines() == [2, 2])
    }

    @Test
    func aServerThatIsGoneIsUnreachable() async throws {
        let fixture = try await RemoteFixture(.folder)
        let port = try Loopback.freePort()
        let store = try await fixture.store("one") { $0.remote = .address("http://127.0.0.1:\(port)/images.git") }
        await #expect(throws: GitError(.unreachable, "connect to 'http://127.0.0.1:\(port)/images.git'", "")) {
            try await store.append([fixture.entry(1)])
        }
    }

    @Test
    func aFolderThatIsGoneIsNotFound() async throws {
        let fixture = try await RemoteFixture(.folder)
        let store = try await fixture.store("one") { $0.remote = .address("/nowhere/images.git") }
        await #expect(throws: GitError(.notFound, "open repository '/nowhere/images.git'", "")) {
            try await store.append([fixture.entry(1)])
        }
    }
}

/// Holds threads until so many have arrived, once a round.
final class Barrier: Sendable {
    private let waiting: Mutex<Int>

    init(_ count: Int) { waiting = Mutex(count) }

    /// Holds so many again.
    func begin(_ count: Int) { waiting.withLock { $0 = count } }

    func arrive() {
        waiting.withLock { $0 -= 1 }
        // The threads are those of the stores' queues, so blocking them holds up nothing else.
        while waiting.withLock({ $0 }) > 0 { sched_yield() }
    }
}
