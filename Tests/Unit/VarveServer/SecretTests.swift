// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

@testable import VarveServer

/// Secrets, and what they sign.
@Suite(.temporaryDirectory)
struct SecretTests {
    @Test
    func signatureIsThatOfGitHubsDocumentation() {
        let secret = Secret("It's a Secret to Everybody")
        let body = Array("Hello, World!".utf8)
        let signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        #expect(secret.signature(of: body) == signature)
        #expect(secret.signs(body, as: signature) && secret.signs(body, as: signature.uppercased()))
        #expect(!secret.signs(body + [0], as: signature) && !Secret("other").signs(body, as: signature))
        let wrong = ["", "75", signature + "00", String(signature.dropLast()) + "8", String(repeating: "é", count: 32)]
        for text in wrong { #expect(!secret.signs(body, as: text), "\(text)") }
    }

    @Test
    func tokensAreComparedAsAWhole() {
        let secret = Secret("token")
        #expect(secret.equals("token"))
        for text in ["", "toke", "tokens", "Token", "token\n"] { #expect(!secret.equals(text), "\(text)") }
    }

    @Test
    func oneLineEndAtTheEndOfAFileIsDropped() throws {
        let directory = try TemporaryDirectory.required()
        for (text, expected) in [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a b\n\n", "a b\n"), (" a", " a")] {
            let file = try directory.write(text, to: "secret")
            #expect(try Secret(file: file).text == expected)
        }
    }

    @Test
    func emptyOrMissingFilesAreRefusedByName() throws {
        let directory = try TemporaryDirectory.required()
        for text in ["", "\n", "\r\n", String(repeating: "x", count: 20_000)] {
            let file = try directory.write(text, to: "secret")
            #expect(throws: SecretFileError.self) { try Secret(file: file) }
        }
        let error = #expect(throws: SecretFileError.self) { try Secret(file: directory.path("nowhere")) }
        #expect(error?.description.contains("nowhere") == true)
    }

    @Test
    func secretsDoNotPrint() {
        let secret = Secret("xyzzy")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\([secret])", dumped] {
            #expect(!text.contains("xyzzy") && !text.contains("120"), "\(text)")
        }
    }
}
