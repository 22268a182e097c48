// SPDX-License-Identifier: Apache-2.0

import Foundation
import VarveDefinition
import VarveGit
import VarveModel
import VarveReconcile

extension DaemonSettings {
    /// Reads a configuration file, with the variables of this process over it.
    ///
    /// What is wrong with it is written to standard error, with its place.
    static func read(file: String) throws -> DaemonSettings {
        let (settings, diagnostics) = try diagnose(file: file)
        guard let settings else {
            for diagnostic in diagnostics {
                Output.note("\(diagnostic)" + (diagnostic.hint.map { "\n  hint: \($0)" } ?? ""))
            }
            throw CommandError("configuration '\(GlobalOptions.absolute(file))' is not valid")
        }
        return settings
    }

    /// Reads a configuration file; nil where anything is wrong with it, which the diagnostics tell.
    static func diagnose(file: String) throws -> (settings: DaemonSettings?, diagnostics: [Diagnostic]) {
        let path = GlobalOptions.absolute(file)
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandError("failed to read configuration '\(path)': it is not there or cannot be read")
        }
        guard data.count <= 1 << 20 else { throw CommandError("configuration '\(path)' has more than 1 MiB") }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return read(
            String(decoding: data, as: UTF8.self), file: name, environment: ProcessInfo.processInfo.environment)
    }
}

extension GitSettings {
    /// What a remote is shown.
    var credentials: GitCredentials {
        var credentials = GitCredentials()
        if let sshKey { credentials.keyFiles = [sshKey] }
        credentials.knownHosts = knownHosts
        credentials.passwordFile = tokenFile
        credentials.user = username
        credentials.netrc = netrc
        return credentials
    }

    /// Who the notes' commits are from; nil takes Git's configuration.
    var signature: GitSignature? {
        guard let name, let email else { return nil }
        return GitSignature(name: name, email: email)
    }
}

extension DiskLimits {
    /// The limits of commands that read no configuration file: the variables that stand for its keys, else the defaults.
    static func ofEnvironment() throws -> DiskLimits {
        var limits = DiskLimits()
        for (variable, path) in [("VARVE_DISK_RESERVE", \DiskLimits.reserve), ("VARVE_DISK_CACHE", \.cache)] {
            guard let text = GlobalOptions.environment(variable) else { continue }
            guard let bytes = DiskSettings.bytes(text) else {
                throw CommandError("'\(singleLine(text, limit: 80))' in \(variable) is not a size such as 20GiB")
            }
            limits[keyPath: path] = bytes
        }
        return limits
    }
}
