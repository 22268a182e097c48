// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads why a step failed from how it ended and what it said.
struct FailureCause: Hashable, Sendable {
    /// The class.
    var failureClass: BuildFailure.Class
    /// The cause in one line.
    var text: String
    /// The end of the output, without what buildah adds.
    var tail: String

    /// The cause of a step's failure.
    ///
    /// The output of a definition's own script decides nothing but "disk full": a script that prints the words of a
    /// network error has still failed by itself.
    init(kind: LayerKind?, status: CommandResult.Status, tail: [String]) {
        let ownScript = kind == .postBuild || kind == .installR || kind == nil
        let wasKilled = tail.contains("subprocess exited on killed")
        let tail = tail.filter { !Self.isNoise($0) }
        self.tail = tail.joined(separator: "\n")
        if tail.contains(where: { $0.contains("No space left on device") || $0.contains("no space left on device") }) {
            (failureClass, text) = (.diskFull, "no space left on device")
        } else if status == .exited(137) || status == .signalled(9) || wasKilled {
            (failureClass, text) = (
                .outOfMemory,
                "it was killed by signal 9, most likely for lack of memory; give the machine more or the step less to do"
            )
        } else if tail.contains(where: Self.isForeignProgram) {
            (failureClass, text) = (
                .environment,
                "this machine cannot run programs of the image's platform; install the packages qemu-user-static and "
                    + "binfmt-support, or build it on a machine of that platform"
            )
        } else if kind == .base, let line = tail.last(where: Self.isMissingRight) {
            (failureClass, text) = (
                .environment, "this machine does not let varve make a system's files: \(Self.withoutPrefix(line))"
            )
        } else if let own = tail.last(where: { $0.hasPrefix("varve: ") }) {
            (failureClass, text) = (.definition, String(own.dropFirst(7)))
        } else if ownScript {
            (failureClass, text) = (.definition, "it ended with \(status)")
        } else if let line = tail.first(where: Self.isMissingPackage) {
            (failureClass, text) = (.definition, Self.withoutPrefix(line))
        } else if let line = tail.last(where: Self.isNetworkError) {
            (failureClass, text) = (.transient, Self.withoutPrefix(line))
        } else {
            let line =
                tail.last { $0.hasPrefix("E: ") } ?? tail.last { $0.contains("ERROR: ") || $0.contains("Error: ") }
            (failureClass, text) = (.definition, line.map { Self.withoutPrefix($0) } ?? "it ended with \(status)")
        }
    }

    /// Whether a line is what buildah says of an exit status, which the message says already.
    static func isNoise(_ line: String) -> Bool {
        line.hasPrefix("subprocess exited ") || line.hasPrefix("Error: exit status ")
    }

    /// The words of the kernel for a program of another architecture, as buildah and mmdebstrap pass them on.
    private static func isForeignProgram(_ line: String) -> Bool {
        line.hasPrefix("process failed to start with error: ") && line.contains("exec format error")
            || line.contains("exec user process caused: exec format error")
            || line.contains("can neither be executed natively nor via qemu user emulation")
    }

    /// The words of mknod and mount where a container or a unit denies what they need.
    private static func isMissingRight(_ line: String) -> Bool {
        (line.hasPrefix("mknod: ") || line.hasPrefix("mount: "))
            && (line.hasSuffix("Operation not permitted") || line.hasSuffix("permission denied."))
    }

    private static func isMissingPackage(_ line: String) -> Bool {
        guard line.hasPrefix("E: ") else { return false }
        return [
            "Unable to locate package", "has no installation candidate", "was not found", "Couldn't find any package",
            "unmet dependencies", "does not have a Release file", "held broken packages",
        ].contains { line.contains($0) }
    }

    private static func isNetworkError(_ line: String) -> Bool {
        [
            "Temporary failure resolving", "Could not resolve", "Name or service not known", "Failed to fetch",
            "Connection timed out", "Connection refused", "Connection reset", "Network is unreachable",
            "Could not connect",
            "NewConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ProtocolError", "RemoteDisconnected",
            "NameResolutionError", "Max retries exceeded", "Hash Sum mismatch", "Some index files failed to download",
            "Temporary failure in name resolution", "CondaHTTPError", "IncompleteRead", "Read timed out", "timed out",
            "HTTP error 429", "HTTP error 500", "HTTP error 502", "HTTP error 503", "HTTP error 504", "SSLError",
            "cannot open URL", "unable to access index for repository", "no internet connection", "Timeout of ",
            "API rate limit exceeded",
        ].contains { line.contains($0) }
    }

    private static func withoutPrefix(_ line: String) -> String {
        for prefix in ["E: ", "ERROR: ", "WARNING: ", "Error: "] where line.hasPrefix(prefix) {
            return String(line.dropFirst(prefix.count))
        }
        return line
    }
}
