// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

extension BuildahEngine {
    /// Where the entrypoint wrapper stands in an image.
    static let startScript = "/usr/local/bin/varve-start"

    /// Where the virtual environment of an externally managed python is.
    static let venv = "opt/venv"

    /// The search path of an image that sets none.
    static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// What a step's mounts may leave in the layer, innermost first; each is removed where it was not there before.
    static let mountPoints = [
        "run/varve", "run/.containerenv", "run/secrets", "run", "etc/resolv.conf", "etc/hosts", "etc/hostname", "etc",
        "proc", "sys", "dev",
    ]

    /// Removes what a mount left where there was nothing before.
    static func removeMountPoint(_ path: String, in root: RootFolder) {
        switch path {
        case "run/varve": root.remove(path)
        case "run/.containerenv", "etc/resolv.conf", "etc/hosts", "etc/hostname": root.removeEmptyFile(path)
        default: root.removeEmptyFolder(path)
        }
    }

    /// An assignment that buildah takes literally: it expands `$NAME` in values, and `$$` to `$`.
    static func assignment(_ name: String, _ value: String) -> String {
        name + "=" + value.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
    }

    /// Words as a JSON array.
    static func json(_ words: [String]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(words)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }

    /// Words as a shell would read them back.
    static func shellWords(_ words: [String]) -> String {
        words.map { "'" + $0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'" }
            .joined(separator: " ")
    }
}

/// A source without files, for what needs none.
struct EmptySource: SourceTree {
    func entries(in folder: RepositoryPath) -> [SourceEntry] { [] }
    func entry(at path: RepositoryPath) -> SourceEntry? { nil }
    func read(_ id: ObjectID, limit: Int) throws -> [UInt8] { throw SourceError.missing(id) }
}
