// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension Skopeo.Subject {
    /// A failed execution as a failure of the right class, told from what skopeo says.
    ///
    /// The words are those of containers/image, of the registries' error codes (OCI distribution specification) and of
    /// Go's network errors.
    func failure(of result: CommandResult, authFiles: [String]) -> BuildFailure {
        let cause = Self.cause(in: result.tail) ?? "skopeo ended with \(result.status)"
        // As if something stood before it, so that a registry's code is ": denied:" wherever it stands.
        let text = ": " + cause.lowercased()
        let failureClass = Self.classes.first { $0.words.contains(where: text.contains) }?.failureClass
        var message = cause
        switch failureClass {
        case .unauthorized:
            let host = image.host ?? "HOST"
            message +=
                "; looked for credentials in \(authFiles.joined(separator: ", ")); log in with 'skopeo login \(host)'"
        case .environment where text.contains(Self.plainHTTP):
            message += "; name the host with --plain-http where it is meant to be spoken to without TLS"
        default: break
        }
        return BuildFailure(failureClass ?? .unknown, message: failed(message), tail: result.tailText)
    }

    private static let plainHTTP = "server gave http response to https client"

    /// Words of a class, the more telling first.
    ///
    /// "denied" is a registry's code in "denied: permission denied for x" and a file's trouble in "open x: permission
    /// denied"; "not found" alone is said of programs, too.
    private static let classes: [(failureClass: BuildFailure.Class, words: [String])] = [
        (.diskFull, ["no space left on device", "disk quota exceeded"]),
        (
            .environment,
            [
                "docker-credential-", "getting credentials", "getting username and password",
                "executable file not found", plainHTTP, "x509:", "policy.json",
            ]
        ),
        (
            .transient,
            [
                "toomanyrequests", "too many requests", "status code 429", "status: 429", "statuscode: 429",
                "status: 5", "statuscode: 5", "status code 5", "status code from registry 5", "internal server error",
                "bad gateway", "service unavailable", "gateway timeout",
            ]
        ),
        (
            .unauthorized,
            [
                "unauthorized", "authentication required", "no basic auth credentials", "invalid username/password",
                ": denied:", "forbidden", "status: 401", "status: 403", "status code 401", "status code 403",
                "statuscode: 401", "statuscode: 403",
            ]
        ),
        (.environment, [": permission denied", ": operation not permitted"]),
        (.unauthorized, ["denied"]),
        (
            .definition,
            [
                "manifest unknown", "name unknown", "repository name not known", "name invalid", "blob unknown",
                "registry 404", "status code 404", "status: 404", "statuscode: 404", "no such image",
                "does not resolve to an image",
                // What Harbor says instead of the codes.
                ": unknown: artifact ", ": unknown: repository ", ": unknown: project ",
            ]
        ),
        (
            .transient,
            [
                "connection refused", "connection reset", "broken pipe", "eof", "i/o timeout", "handshake timeout",
                "timeout", "deadline exceeded", "no such host", "server misbehaving", "temporary failure",
                "network is unreachable", "no route to host", "dial tcp", "use of closed network connection",
                "malformed http response", "stream error",
                // The first question failed, and whatever answers below /v1/ was taken for a registry of long ago.
                "can't talk to a v1 container registry",
            ]
        ),
    ]

    /// The message of the last fatal line, without what repeats the command.
    private static func cause(in lines: [String]) -> String? {
        guard let line = lines.last(where: { $0.contains("level=fatal") }) ?? lines.last(where: { !$0.isEmpty }) else {
            return nil
        }
        guard let start = line.firstRange(of: "msg=\"") else { return line }
        var message = ""
        var escaped = false
        for character in line[start.upperBound...] {
            if escaped {
                message.append(character == "n" || character == "t" ? " " : character)
                escaped = false
            } else if character == "\\" {
                escaped = true
            } else if character == "\"" {
                break
            } else {
                message.append(character)
            }
        }
        for prefix in ["Error parsing image name \"", "Error loading trust policy: "] where message.hasPrefix(prefix) {
            if let end = message.firstRange(of: "\": ") { message = String(message[end.upperBound...]) }
        }
        return message
    }
}
