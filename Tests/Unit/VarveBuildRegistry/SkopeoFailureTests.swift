// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild

@Suite struct SkopeoFailureTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var cause: String
        var failureClass: BuildFailure.Class
        var testDescription: String { cause }
    }

    /// What skopeo 1.9 was seen to say, and what registries answer.
    @Test(arguments: [
        Case(cause: "reading manifest latest in h/x: manifest unknown: manifest unknown", failureClass: .definition),
        Case(
            cause: "reading manifest latest in h/x: name unknown: repository name not known", failureClass: .definition),
        Case(cause: "fetching blob: blob unknown to registry", failureClass: .definition),
        Case(cause: "fetching blob: invalid status code from registry 404 (Not Found)", failureClass: .definition),
        Case(
            cause: "unable to retrieve auth token: invalid username/password: unauthorized", failureClass: .unauthorized
        ),
        Case(cause: "reading manifest x in h/x: authentication required", failureClass: .unauthorized),
        Case(
            cause: "errors: denied: requested access to the resource is denied unauthorized: authentication required",
            failureClass: .unauthorized
        ),
        Case(cause: "received unexpected HTTP status: 403 Forbidden", failureClass: .unauthorized),
        Case(
            cause: "reading manifest: toomanyrequests: You have reached your pull rate limit", failureClass: .transient),
        Case(cause: "received unexpected HTTP status: 429 Too Many Requests", failureClass: .transient),
        Case(cause: "received unexpected HTTP status: 500 Internal Server Error", failureClass: .transient),
        Case(cause: "StatusCode: 503, <html>", failureClass: .transient),
        Case(cause: "dial tcp 127.0.0.1:1: connect: connection refused", failureClass: .transient),
        Case(cause: "read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer", failureClass: .transient),
        Case(cause: "Get \"https://h/v2/\": EOF", failureClass: .transient),
        Case(cause: "checking blob: can't talk to a V1 container registry", failureClass: .transient),
        Case(cause: "net/http: TLS handshake timeout", failureClass: .transient),
        Case(cause: "lookup h.invalid on 127.0.0.53:53: no such host", failureClass: .transient),
        Case(cause: "writing blob: write /x: no space left on device", failureClass: .diskFull),
        Case(cause: "http: server gave HTTP response to HTTPS client", failureClass: .environment),
        Case(cause: "x509: certificate signed by unknown authority", failureClass: .environment),
        Case(cause: "open /x: permission denied", failureClass: .environment),
        Case(cause: "open /root/.docker/config.json: permission denied: reading", failureClass: .environment),
        Case(cause: "mount /x: operation not permitted", failureClass: .environment),
        Case(
            cause: "reading manifest x: denied: Permission denied for \"x\" from request", failureClass: .unauthorized),
        Case(cause: "denied: permission_denied: write_package", failureClass: .unauthorized),
        Case(cause: "errors: denied: permission denied", failureClass: .unauthorized),
        Case(cause: "requested access to the resource is denied", failureClass: .unauthorized),
        Case(
            cause: "getting username and password: error getting credentials - err: exec: \"docker-credential-x\": "
                + "executable file not found in $PATH, out: ``",
            failureClass: .environment
        ),
        Case(
            cause: "error getting credentials - err: exit status 1, out: `unauthorized: token expired`",
            failureClass: .environment
        ),
        Case(cause: "exec: \"helper\": executable file not found in $PATH", failureClass: .environment),
        Case(cause: "the key was not found", failureClass: .unknown),
        Case(cause: "received unexpected HTTP status: 404 Not Found", failureClass: .definition),
        Case(
            cause: "reading manifest latest in h/x: unknown: artifact x:latest not found", failureClass: .definition),
        Case(cause: "something new", failureClass: .unknown),
    ])
    func causeDecidesTheClass(_ expected: Case) throws {
        let failure = try Self.failure(expected.cause)
        #expect(failure.failureClass == expected.failureClass)
        #expect(failure.message.hasPrefix("failed to read image 'h.example/x:latest': \(expected.cause)"), "\(failure)")
    }

    @Test func refusalSaysWhereCredentialsWereLookedForAndHowToLogIn() throws {
        let message = try Self.failure("authentication required").message
        #expect(message.contains("looked for credentials in /a/auth.json, /b/config.json"))
        #expect(message.contains("log in with 'skopeo login h.example'"))
    }

    @Test func plainHTTPSaysHowToAllowIt() throws {
        #expect(try Self.failure("http: server gave HTTP response to HTTPS client").message.contains("--plain-http"))
    }

    @Test func silentDeathIsNamedByItsStatus() throws {
        let subject = try Skopeo.Subject(verb: "publish", image: .registry(ImageReference("h.example/x")))
        let failure = subject.failure(of: CommandResult(status: .signalled(9), output: [], tail: []), authFiles: [])
        #expect(failure.failureClass == .unknown)
        #expect(failure.message == "failed to publish image 'h.example/x': skopeo ended with signal 9")
    }

    private static func failure(_ cause: String) throws -> BuildFailure {
        let quoted = cause.replacing("\"", with: "\\\"")
        let tail = [
            "time=\"2026-11-23T14:05:17Z\" level=warning msg=\"something before\"",
            "time=\"2026-11-23T14:05:17Z\" level=fatal "
                + "msg=\"Error parsing image name \\\"docker://h.example/x:latest\\\": \(quoted)\"",
        ]
        let subject = try Skopeo.Subject(verb: "read", image: .registry(ImageReference("h.example/x:latest")))
        return subject.failure(
            of: CommandResult(status: .exited(1), output: [], tail: tail),
            authFiles: ["/a/auth.json", "/b/config.json"]
        )
    }
}
