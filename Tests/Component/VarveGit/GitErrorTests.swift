// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveGit

@Suite("GitError")
struct GitErrorTests {
    @Test(arguments: [
        ("https://user:word@example.com/a.git", "https://***@example.com/a.git"),
        ("https://token@example.com/a.git", "https://***@example.com/a.git"),
        ("ssh://git:word@example.com:22/a.git", "ssh://***@example.com:22/a.git"),
        ("see https://a:b@c/d and https://e:f@g/h", "see https://***@c/d and https://***@g/h"),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("git@example.com:a.git", "git@example.com:a.git"),
    ])
    func credentialsAreTakenOut(text: String, expected: String) {
        let error = GitError(.unreachable, "fetch from '\(text)'", text)
        #expect(error.description == "failed to fetch from '\(expected)': \(expected)")
    }

    @Test
    func equalityIsCodeAndSubject() {
        #expect(GitError(.notFound, "read 'a'", "x") == GitError(.notFound, "read 'a'", "y"))
        #expect(GitError(.notFound, "read 'a'", "x") != GitError(.corrupt, "read 'a'", "x"))
        #expect(GitError(.notFound, "read 'a'", "x") != GitError(.notFound, "read 'b'", "x"))
    }
}
