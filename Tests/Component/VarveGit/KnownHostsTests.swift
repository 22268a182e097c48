// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

@testable import VarveGit

@Suite("KnownHosts", .temporaryDirectory)
struct KnownHostsTests {
    /// A host key as known_hosts writes it, in both forms.
    private func key(_ name: String, type: String = "ed25519") async throws -> (line: String, bytes: [UInt8]) {
        let path = try TemporaryDirectory.required().path(name)
        try await Command.run("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "", "-f", path])
        let fields = try String(contentsOfFile: path + ".pub", encoding: .utf8).split(separator: " ")
        let text = fields[0] + " " + fields[1].trimmingCharacters(in: .whitespacesAndNewlines)
        return (text, Array(try #require(Data(base64Encoded: String(text.split(separator: " ")[1])))))
    }

    private func known(_ text: String) throws -> KnownHosts {
        let path = try TemporaryDirectory.required().write(text, to: "known_hosts")
        return KnownHosts(file: path, home: "/nowhere")
    }

    @Test
    func plainPatternAndPortNamesAreFound() async throws {
        let key = try await key("host")
        let known = try known(
            """
            # comment
            example.com,192.0.2.1 \(key.line) remark
            [example.org]:2222 \(key.line)
            *.lab,!bad.lab \(key.line)
            """)
        #expect(known.judge(host: "example.com", port: nil, key: key.bytes) == nil)
        #expect(known.judge(host: "EXAMPLE.com", port: 22, key: key.bytes) == nil)
        #expect(known.judge(host: "192.0.2.1", port: nil, key: key.bytes) == nil)
        #expect(known.judge(host: "example.org", port: 2222, key: key.bytes) == nil)
        #expect(known.judge(host: "one.lab", port: nil, key: key.bytes) == nil)
        for (host, port) in [("example.org", nil), ("example.com", 2222), ("bad.lab", nil), ("lab", nil)]
            as [(String, UInt16?)]
        {
            #expect(known.judge(host: host, port: port, key: key.bytes)?.code == .untrustedHost)
        }
    }

    @Test
    func namesThatOpenSSHHashedAreFound() async throws {
        let key = try await key("host")
        let path = try TemporaryDirectory.required().write(
            "example.com \(key.line)\n[example.org]:2222 \(key.line)\n", to: "known_hosts")
        try await Command.run("ssh-keygen", ["-q", "-H", "-f", path])
        #expect(try !String(contentsOfFile: path, encoding: .utf8).contains("example"))
        let known = KnownHosts(file: path, home: "/nowhere")
        #expect(known.judge(host: "example.com", port: nil, key: key.bytes) == nil)
        #expect(known.judge(host: "example.org", port: 2222, key: key.bytes) == nil)
        #expect(known.judge(host: "example.net", port: nil, key: key.bytes)?.code == .untrustedHost)
    }

    @Test
    func unknownChangedAndRevokedKeysSayWhatToDo() async throws {
        let (good, other, ecdsa) = (try await key("a"), try await key("b"), try await key("c", type: "ecdsa"))
        let known = try known("example.com \(good.line)\n@revoked * \(other.line)\n@cert-authority * \(ecdsa.line)\n")
        let unknown = try #require(known.judge(host: "example.com", port: nil, key: ecdsa.bytes))
        #expect(unknown == GitError(.untrustedHost, "trust host 'example.com'", ""))
        #expect(unknown.cause.contains("ecdsa-sha2-nistp256 key is not in"))
        #expect(unknown.cause.contains("ssh-keyscan -t ecdsa example.com >>"))
        let changed = try self.known("example.com \(good.line)\n").judge(
            host: "example.com", port: nil, key: other.bytes)
        #expect(changed?.cause.contains("ssh-keygen -R 'example.com'") == true)
        #expect(known.judge(host: "any.example", port: nil, key: other.bytes)?.cause.contains("revoked") == true)
    }

    @Test
    func hostileFilesAreRead() throws {
        for text in [
            "", "\n\n", "x", "a b", "a b c", "|1| ssh-ed25519 AAAA", "|1|*|* x AAAA", "@revoked", "@", "\0 \0 \0",
        ] {
            #expect(try known(text).judge(host: "h", port: nil, key: [])?.code == .untrustedHost)
        }
    }
}
