// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild

@Suite struct OutputTests {
    private func split(_ chunks: [String], limit: Int = 100) -> [String] {
        var splitter = LineSplitter(limit: limit)
        var lines: [String] = []
        for chunk in chunks { splitter.append(Array(chunk.utf8)) { lines.append($0) } }
        splitter.finish { lines.append($0) }
        return lines
    }

    @Test func linesEndAtAnyLineEnd() {
        #expect(split(["a\nb\r\nc\rd", "e\n\nf\r", "\ng"]) == ["a", "b", "c", "de", "", "f", "g"])
    }

    @Test func longLinesAreCut() {
        #expect(split(["12345", "6789\nnext\n"], limit: 6) == ["123456…", "next"])
    }

    @Test func tailKeepsTheLastLines() {
        var tail = LineTail(limit: 2)
        for line in ["a", "b", "c"] { tail.append(line) }
        #expect(tail.lines == ["b", "c"])
    }

    struct Secret: CustomTestStringConvertible, Sendable {
        var testDescription: String { text }
        var text: String
        var expected: String
    }

    static let secrets = [
        Secret(text: "GET https://u:p@h/x?a@b", expected: "GET https://***@h/x?a@b"),
        Secret(text: "a://b@c d://e f://g:h@i", expected: "a://***@c d://e f://***@i"),
        Secret(text: "Authorization: Basic dXNlcjpwYXNz", expected: "Authorization: ***"),
        Secret(text: "curl -H 'x: BEARER abcdefgh12' now", expected: "curl -H 'x: BEARER ***' now"),
        Secret(text: "basic auth is off", expected: "basic auth is off"),
        Secret(text: "mail me@example.com", expected: "mail me@example.com"),
        Secret(text: "token tok-123456 twice tok-123456", expected: "token *** twice ***"),
        Secret(text: "the proxy's pass: hunter22", expected: "the proxy's pass: ***"),
    ]

    @Test(arguments: secrets) func credentialsAreReplaced(_ secret: Secret) {
        let redaction = Redaction(environment: [
            "CI_TOKEN": "tok-123456", "http_proxy": "http://me:hunter22@proxy:1", "SHORT_TOKEN": "ab", "LANG": "twice",
        ])
        #expect(redaction.apply(to: secret.text) == secret.expected)
    }

    @Test func toolsAreGivenFewVariables() {
        let host = HostEnvironment([
            "PATH": "/bin", "HOME": "/root", "PIP_INDEX_URL": "x", "AWS_SECRET": "y", "HTTPS_PROXY": "http://p:1",
            "no_proxy": "", "LANG": "de_DE",
        ])
        #expect(
            host.tools == ["PATH": "/bin", "HOME": "/root", "HTTPS_PROXY": "http://p:1", "LC_ALL": "C.UTF-8"]
        )
    }

    @Test func registryToolsAreGivenWhatCredentialHelpersRead() {
        let cloud = [
            "AWS_PROFILE": "ci", "AZURE_CLIENT_ID": "x", "GOOGLE_APPLICATION_CREDENTIALS": "/k.json",
            "CLOUDSDK_CONFIG": "/c",
        ]
        let host = HostEnvironment(cloud.merging(["PATH": "/bin", "MY_AWS_KEY": "x"]) { own, _ in own })
        #expect(host.tools == ["PATH": "/bin", "LC_ALL": "C.UTF-8"])
        #expect(host.registryTools == host.tools.merging(cloud) { own, _ in own })
    }

    struct Failure: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var kind: LayerKind?
        var status = CommandResult.Status.exited(1)
        var tail: [String]
        var failureClass: BuildFailure.Class
        var text: String
    }

    static let failures = [
        Failure(
            testDescription: "mirror down", kind: .apt,
            tail: ["E: Failed to fetch http://h/x  Could not connect", "E: Some index files failed to download."],
            failureClass: .transient, text: "Some index files failed to download."
        ),
        Failure(
            testDescription: "version not there", kind: .apt, tail: ["E: Version '9' for 'git' was not found"],
            failureClass: .definition, text: "Version '9' for 'git' was not found"
        ),
        Failure(
            testDescription: "index down", kind: .pip,
            tail: [
                "WARNING: Retrying after connection broken by 'NewConnectionError(x)': /simple/six/",
                "ERROR: No matching distribution found for six",
            ],
            failureClass: .transient, text: "Retrying after connection broken by 'NewConnectionError(x)': /simple/six/"
        ),
        Failure(
            testDescription: "disk full", kind: .pip, tail: ["ERROR: [Errno 28] No space left on device"],
            failureClass: .diskFull, text: "no space left on device"
        ),
        Failure(
            testDescription: "no device nodes", kind: .base,
            tail: ["mknod: /r/dev/console: Operation not permitted", "E: mknod failed: 256"],
            failureClass: .environment,
            text:
                "this machine does not let varve make a system's files: mknod: /r/dev/console: Operation not permitted"
        ),
        Failure(
            testDescription: "a script's own device nodes", kind: .postBuild,
            tail: ["mknod: /dev/x: Operation not permitted"], failureClass: .definition,
            text: "it ended with exit status 1"
        ),
        Failure(
            testDescription: "nothing known", kind: nil, status: .exited(2), tail: [], failureClass: .definition,
            text: "it ended with exit status 2"
        ),
    ]

    @Test(arguments: failures) func causeIsReadFromTheOutput(_ failure: Failure) {
        let cause = FailureCause(kind: failure.kind, status: failure.status, tail: failure.tail)
        #expect(cause.failureClass == failure.failureClass)
        #expect(cause.text == failure.text)
    }
}
