// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@Suite struct SingleLineTests {
    @Test func nothingForgesALineOrDrivesATerminal() {
        #expect(singleLine("a\nb\r\nc\td") == "a\\nb\\r\\nc\\td")
        #expect(singleLine("\u{1b}[31m") == "\\u{1b}[31m")
        #expect(singleLine("a\u{202e}b\u{2028}c\u{85}d\u{200b}e\0") == "a\\u{202e}b\\u{2028}c\\u{85}d\\u{200b}e\\u{0}")
        #expect(singleLine("größe ✓") == "größe ✓")
    }

    @Test func cutsAtTheLimit() {
        #expect(singleLine("abc", limit: 3) == "abc")
        #expect(singleLine("abcd", limit: 3) == "abc…")
        #expect(singleLine("", limit: 0) == "")
    }
}

@Suite struct RedactionTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var expected: String
        var testDescription: String { text }
    }

    static let cases = [
        Case(text: "https://user:pw@example.com/x", expected: "https://***@example.com/x"),
        Case(text: "get https://a@b@c.example/x?y=1", expected: "get https://***@c.example/x?y=1"),
        Case(text: "https://example.com/@scope", expected: "https://example.com/@scope"),
        Case(text: "https://example.com\nmail me@example.com", expected: "https://example.com\nmail me@example.com"),
        Case(text: "Authorization: Bearer abc.def", expected: "Authorization: ***"),
        Case(text: "authorization: basic QWxh, next", expected: "authorization: ***, next"),
        Case(text: "curl -H 'x: BEARER abcdefgh12' now", expected: "curl -H 'x: BEARER ***' now"),
        Case(text: "sent Basic dXNlcjpwYXNz;\nnext", expected: "sent Basic ***;\nnext"),
        Case(text: "no basic auth, a Basic configuration", expected: "no basic auth, a Basic configuration"),
        Case(text: "X-Auth-Token: abc", expected: "X-Auth-Token: ***"),
        Case(text: "GET /v2/?token=abc&scope=x", expected: "GET /v2/?token=***&scope=x"),
        Case(text: #"{"token": "abc def", "x": "y"}"#, expected: #"{"token": "***", "x": "y"}"#),
        Case(text: "PASSWORD='a b' run", expected: "PASSWORD='***' run"),
        Case(text: "password = abc", expected: "password = ***"),
        Case(text: "AWS_SECRET_ACCESS_KEY=abc", expected: "AWS_SECRET_ACCESS_KEY=***"),
        Case(text: "nothing to hide: a=b", expected: "nothing to hide: a=b"),
        Case(text: "token", expected: "token"),
        Case(text: "token=", expected: "token="),
        Case(text: "", expected: ""),
    ]

    @Test(arguments: cases)
    func replacesCredentials(_ given: Case) {
        #expect(redacted(given.text) == given.expected)
        #expect(redacted(redacted(given.text)) == given.expected)
    }

    /// A hostile line must not hold up a build: the work is linear in its length.
    @Test(.timeLimit(.minutes(1))) func longLinesAreNoTrap() {
        let line = String(repeating: "token=", count: 100_000)
        #expect(redacted(line).count <= line.count + 3)
    }
}
