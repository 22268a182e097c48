// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveGit

/// What addresses come to by the configuration, against git itself.
@Suite(.temporaryDirectory) struct RemoteAddressTests {
    /// Settings in the order in which they are written.
    static let configurations: [[(String, String)]] = [
        [],
        [("url.https://git.example.com/.insteadOf", "short:")],
        [
            ("url.https://git.example.com/.insteadOf", "short:"),
            ("url.https://Deep.example.com/A/.insteadOf", "short:a/"),
        ],
        [("url.https://one.example.com/.insteadOf", "short:"), ("url.https://two.example.com/.insteadOf", "short:")],
        [
            ("url.https://git.example.com/.insteadOf", "short:"),
            ("url.ssh://git@git.example.com/.pushInsteadOf", "short:"),
            ("url.ssh://git@other.example.com/.pushInsteadOf", "https://git.example.com/"),
        ],
        [("url.https://a.example.com/.insteadOf", ""), ("url.https://b.example.com/.insteadOf", "s")],
        [("url./srv/git/.insteadOf", "https://git.example.com/"), ("URL.file:///srv/.InsteadOf", "https://git.")],
    ]
    static let addresses = ["short:a/b.git", "short:x.git", "https://git.example.com/a.git", "/srv/git/x.git"]

    private func sample(_ settings: [(String, String)]) async throws -> SampleRepository {
        let sample = try await SampleRepository(TemporaryDirectory.required().path("repository"))
        for (name, value) in settings { try await sample.git("config", "--add", name, value) }
        return sample
    }

    /// What libgit2 is to be given for what git prints.
    private func location(_ line: String, _ sample: SampleRepository) throws -> String {
        try RemoteAddress(line.trimmingCharacters(in: .newlines), relativeTo: sample.git.folder).location
    }

    @Test(arguments: configurations.indices)
    func addressIsTheOneThatGitWouldUse(index: Int) async throws {
        let sample = try await sample(Self.configurations[index])
        for (number, text) in Self.addresses.enumerated() {
            try await sample.git("config", "remote.r\(number).url", text)
            try await sample.git("config", "remote.p\(number).url", "https://nowhere.example.com/x.git")
            try await sample.git("config", "remote.p\(number).pushurl", text)
        }
        let repository = try GitRepository(opening: sample.git.folder)
        for (number, text) in Self.addresses.enumerated() {
            let found = try repository.withHandle { (handle) throws(GitError) in
                [
                    try handle.address(text).location,
                    try handle.address(ofRemote: "r\(number)")?.location,
                    try handle.address(ofRemote: "r\(number)", forPush: true)?.location,
                    try handle.address(ofRemote: "p\(number)", forPush: true)?.location,
                ]
            }
            let expected = [
                try await sample.git("ls-remote", "--get-url", text),
                try await sample.git("remote", "get-url", "r\(number)"),
                try await sample.git("remote", "get-url", "--push", "r\(number)"),
                try await sample.git("remote", "get-url", "--push", "p\(number)"),
            ]
            #expect(try found == expected.map { try location($0, sample) }, "\(text)")
        }
    }

    @Test
    func remoteThatIsNotThereHasNoAddress() async throws {
        let sample = try await sample([("remote.other.url", "/x"), ("remote.origin.fetch", "+a:b")])
        let repository = try GitRepository(opening: sample.git.folder)
        try repository.withHandle { (handle) throws(GitError) in
            #expect(try handle.address(ofRemote: "origin") == nil)
            #expect(try handle.address(ofRemote: "other")?.location == "/x")
        }
    }
}
