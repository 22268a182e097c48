// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveGit
import VarveModel
import VarveTestSupport

@Suite("GitDefinitionSource", .temporaryDirectory)
struct DefinitionSourceTests {
    @Test(arguments: Transport.allCases)
    func aCacheFollowsItsRemote(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let directory = try TemporaryDirectory.required()
        let source = try GitDefinitionSource(
            remote: fixture.address, cache: directory.path("cache/images.git"), credentials: fixture.credentials)
        #expect(try await source.tip() == nil)
        try await source.fetch()
        #expect(try await source.tip() == fixture.commit)
        let file = try #require(
            await source.tree(of: fixture.commit).entry(at: RepositoryPath("images/ds-python/image.yaml")))
        #expect(try await source.tree(of: fixture.commit).read(file.id, limit: 100) == Array("base: debian\n".utf8))
        #expect(try await source.address()?.contains("hunter2") == false)
        // A forced push, a branch that makes way for a folder of its name, and another default branch.
        let work = GitCommandLine(directory.path("seed"))
        try await work("remote", "add", "origin", fixture.remote.folder)
        try await work("push", "--quiet", "origin", "main:topic")
        try await source.fetch()
        let amended = try await work.amend(["images/ds-python/image.yaml": "base: fedora\n"])
        try await work("push", "--quiet", "--force", "origin", "main", ":topic")
        try await work("push", "--quiet", "origin", "main:topic/deep")
        try await source.fetch()
        #expect(try await source.tip() == amended)
        #expect(try source.repository.reference("refs/heads/topic") == nil)
        #expect(try source.repository.reference("refs/heads/topic/deep") == amended)
        try await fixture.remote("branch", "-m", "main", "trunk")
        try await source.fetch()
        #expect(try await source.tip() == amended)
        #expect(try source.repository.reference("refs/heads/main") == nil)
        let config = try await GitCommandLine(directory.path("cache/images.git"))("config", "--list", "--local")
        #expect(!config.contains("hunter2"))
    }

    @Test(arguments: [true, false])
    func remoteWhoseFolderHasGoneIsSaidToBeMissing(isFolderLeft: Bool) async throws {
        let directory = try TemporaryDirectory.required()
        let remote = directory.path("remote.git")
        _ = try await GitCommandLine.initialize(remote, bare: true)
        let source = try GitDefinitionSource(remote: remote, cache: directory.path("cache.git"))
        try await source.fetch()
        // As a volume that is not mounted leaves its folder.
        try await Command.run("rm", ["-rf", remote])
        if isFolderLeft { try await Command.run("mkdir", [remote]) }
        let error = await #expect(throws: GitError.self) { try await source.fetch() }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.hasSuffix(": there is no repository in that folder; is it mounted?"), "\(text)")
        #expect(text.contains(remote) && error?.code == .unreachable)
    }

    /// Each fetch leaves a pack, which is open for as long as somebody has read from it.
    @Test
    func packsOfManyFetchesArePutTogether() async throws {
        let fixture = try await RemoteFixture(.folder)
        let directory = try TemporaryDirectory.required()
        let cache = directory.path("cache.git")
        let source = try GitDefinitionSource(remote: fixture.address, cache: cache)
        let work = GitCommandLine(directory.path("seed"))
        let path = try RepositoryPath("images/ds-python/image.yaml")
        var trees: [any SourceTree] = []
        var (most, open) = (0, 0)
        for number in 0..<80 {
            // What the first half is about is pushed over, one commit by the next.
            let files = ["images/ds-python/image.yaml": "base: b:\(number)\n"]
            let commit = try await number < 40 ? work.amend(files) : work.commit(files)
            try await work("push", "--quiet", "--force", fixture.remote.folder, "HEAD:main")
            try await source.fetch()
            #expect(try await source.tip() == commit)
            trees.append(try await source.tree(of: commit))
            let packs = try FileManager.default.contentsOfDirectory(atPath: cache + "/objects/pack")
            most = max(most, packs.count { $0.hasSuffix(".pack") })
            let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
            open = max(
                open,
                descriptors.count {
                    let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
                    return file?.hasPrefix(cache) == true
                })
        }
        #expect((20...33).contains(most))
        #expect(open < 80)
        for (number, tree) in trees.enumerated() {
            let file = try #require(try tree.entry(at: path))
            #expect(try tree.read(file.id, limit: 100) == Array("base: b:\(number)\n".utf8))
        }
        try await GitCommandLine(cache)("fsck", "--strict", "--full")
    }

    /// Git leaves the locks of a process that was killed for a person to remove.
    @Test(arguments: ["refs/heads/main.lock", "packed-refs.lock", "config.lock", "HEAD.lock"])
    func lockThatAKilledProcessLeftIsRemoved(name: String) async throws {
        let fixture = try await RemoteFixture(.folder)
        let directory = try TemporaryDirectory.required()
        let cache = directory.path("cache.git")
        try await GitDefinitionSource(remote: fixture.address, cache: cache).fetch()
        let work = GitCommandLine(directory.path("seed"))
        let moved = try await work.amend(["images/ds-python/image.yaml": "base: fedora\n"])
        try await work("push", "--quiet", "--force", fixture.remote.folder, "main")
        try directory.write("", to: "cache.git/" + name)
        try await Command.run("touch", ["--date", "1 minute ago", "\(cache)/\(name)"])
        let source = try GitDefinitionSource(remote: fixture.address, cache: cache)
        try await source.fetch()
        #expect(try await source.tip() == moved)
        #expect(!FileManager.default.fileExists(atPath: "\(cache)/\(name)"))
    }

    @Test
    func lockOfARunningProcessStands() async throws {
        let fixture = try await RemoteFixture(.folder)
        let directory = try TemporaryDirectory.required()
        let source = try GitDefinitionSource(remote: fixture.address, cache: directory.path("cache.git"))
        try await source.fetch()
        try directory.write("", to: "cache.git/refs/heads/main.lock")
        try await source.fetch()
        #expect(FileManager.default.fileExists(atPath: directory.path("cache.git/refs/heads/main.lock")))
    }

    @Test
    func ofARepositoryHereOnlyTheLocksOfRecordsAreRemoved() async throws {
        let directory = try TemporaryDirectory.required()
        let work = try await GitCommandLine.initialize(directory.path("here"))
        let names = ["refs/heads/main.lock", "refs/varve/lease.lock", "refs/notes/varve/state.lock", "index.lock"]
        for name in names {
            try directory.write("", to: "here/.git/" + name)
            try await Command.run("touch", ["--date", "1 minute ago", directory.path("here/.git/" + name)])
        }
        try await GitDefinitionSource(repository: GitRepository(opening: work.folder)).fetch()
        let left = names.filter { FileManager.default.fileExists(atPath: directory.path("here/.git/" + $0)) }
        #expect(left == ["refs/heads/main.lock", "index.lock"])
    }

    @Test(arguments: Transport.allCases)
    func anEmptyRemoteHasNoTip(transport: Transport) async throws {
        let fixture = try await RemoteFixture(transport)
        let directory = try TemporaryDirectory.required()
        try await Command.run("rm", ["-rf", fixture.remote.folder])
        _ = try await GitCommandLine.initialize(fixture.remote.folder, bare: true)
        let source = try GitDefinitionSource(
            remote: fixture.address, cache: directory.path("cache.git"), credentials: fixture.credentials)
        try await source.fetch()
        #expect(try await source.tip() == nil)
    }

    @Test
    func aBranchCanBeAskedFor() async throws {
        let fixture = try await RemoteFixture(.folder)
        let source = try GitDefinitionSource(
            remote: fixture.address, cache: TemporaryDirectory.required().path("cache.git"), branch: "missing")
        try await source.fetch()
        await #expect(throws: GitError(.notFound, "read branch 'missing'", "")) { try await source.tip() }
    }

    @Test
    func anUnknownHostKeyIsRefused() async throws {
        let fixture = try await RemoteFixture(.ssh)
        let directory = try TemporaryDirectory.required()
        var credentials = fixture.credentials
        credentials.knownHosts = try directory.write("", to: "empty")
        let source = try GitDefinitionSource(
            remote: fixture.address, cache: directory.path("cache.git"), credentials: credentials)
        await #expect(throws: GitError(.untrustedHost, "connect to '\(fixture.address)'", "")) {
            try await source.fetch()
        }
    }

    @Test
    func keysThatTheServerDoesNotKnowAreOfferedOnce() async throws {
        let fixture = try await RemoteFixture(.ssh)
        let directory = try TemporaryDirectory.required()
        var credentials = fixture.credentials
        for (name, type) in [("stranger", "ed25519"), ("rsa", "rsa")] {
            try await Command.run("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", directory.path(name)])
        }
        credentials.keyFiles = [directory.path("stranger"), directory.path("rsa")]
        let source = try GitDefinitionSource(
            remote: fixture.address, cache: directory.path("cache.git"), credentials: credentials)
        do {
            try await source.fetch()
            Issue.record("the stranger was let in")
        } catch let error as GitError {
            #expect(error.code == .unauthorized)
            #expect(error.cause.contains("RSA key"))
        }
        // The right key after the wrong one.
        credentials.keyFiles = [directory.path("stranger"), fixture.credentials.home + "/.ssh/id_ed25519"]
        let patient = try GitDefinitionSource(
            remote: fixture.address, cache: directory.path("cache.git"), credentials: credentials)
        try await patient.fetch()
        #expect(try await patient.tip() == fixture.commit)
    }

    @Test
    func aRepositoryHereFollowsItsHead() async throws {
        let fixture = try await RemoteFixture(.folder)
        let directory = try TemporaryDirectory.required()
        let clone = try await GitCommandLine.clone(fixture.address, to: directory.path("clone"))
        let source = GitDefinitionSource(
            repository: try GitRepository(discovering: clone.folder + "/images/ds-python"))
        #expect(try await source.tip() == fixture.commit)
        #expect(try await source.address() == fixture.address)
        let next = try await clone.commit(["a": "b"])
        #expect(try await source.tip() == next)
        let empty = try await GitCommandLine.initialize(directory.path("empty"))
        #expect(try await GitDefinitionSource(repository: GitRepository(opening: empty.folder)).tip() == nil)
    }
}
