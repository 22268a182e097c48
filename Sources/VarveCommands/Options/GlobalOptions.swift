// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc

/// Options that every command takes.
///
/// A flag beats the environment, which beats the default.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .customLong("repo"),
        help: ArgumentHelp(
            "The repository: a folder or a URL. Default: $VARVE_REPO, else this folder.", valueName: "DIR|URL"))
    var repositoryFlag: String?

    @Option(
        name: .customLong("state-dir"),
        help: ArgumentHelp(
            "Where varve keeps its store, journal and logs. Default: $VARVE_STATE_DIR, else $XDG_STATE_HOME/varve.",
            valueName: "DIR"))
    var stateDirectoryFlag: String?

    @Option(
        name: .customLong("registry"),
        help: ArgumentHelp(
            "Where images are published. Default: $VARVE_REGISTRY, else oci:<state-dir>/images.",
            valueName: "HOST/PREFIX|oci:DIR"))
    var registryFlag: String?

    @Option(
        name: .customLong("plain-http"),
        help: ArgumentHelp("A registry host that is spoken to without TLS; may be repeated.", valueName: "HOST"))
    var plainHTTPHosts: [String] = []

    @Option(help: ArgumentHelp("How build steps are isolated: chroot, oci or rootless.", valueName: "MODE"))
    var isolation: IsolationMode = .chroot

    func validate() throws {
        guard registryFlag != "oci:", registryFlag != "" else {
            throw ValidationError("--registry takes HOST/PREFIX or oci:DIR")
        }
    }

    /// The repository's address: an absolute path or a URL.
    var repository: String {
        let given = repositoryFlag ?? Self.environment("VARVE_REPO") ?? "."
        return Self.isURL(given) ? given : Self.absolute(given)
    }

    /// The state directory's absolute path.
    var stateDirectory: String {
        stateDirectoryFlag.map(Self.absolute) ?? Self.defaultStateDirectory
    }

    /// The state directory where no flag and no file names one.
    static var defaultStateDirectory: String {
        if let given = environment("VARVE_STATE_DIR") { return absolute(given) }
        let home = environment("HOME") ?? "/"
        return absolute((environment("XDG_STATE_HOME") ?? home + "/.local/state") + "/varve")
    }

    /// Where images are published: `HOST/PREFIX` or `oci:` and an absolute path.
    var registry: String { Self.registry(registryFlag, stateDirectory: stateDirectory) }

    /// Where images are published, for what a flag or a file says, else the environment, else the default.
    static func registry(_ given: String?, stateDirectory: String) -> String {
        guard let given = given ?? environment("VARVE_REGISTRY") else {
            return "oci:\(stateDirectory)/images"
        }
        return given.hasPrefix("oci:") ? "oci:" + absolute(String(given.dropFirst(4))) : given
    }

    /// The value of an environment variable, nil where it is unset or empty.
    static func environment(_ name: String) -> String? {
        guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { return nil }
        return value
    }

    /// Whether an address is a URL or an scp-like ssh address, and not a path.
    static func isURL(_ address: String) -> Bool {
        if address.contains("://") { return true }
        guard let colon = address.firstIndex(of: ":") else { return false }
        return !address[..<colon].contains("/")
    }

    /// A path made absolute by the current directory, without a trailing slash.
    static func absolute(_ path: String) -> String {
        var result = path
        if !path.hasPrefix("/") {
            guard let pointer = getcwd(nil, 0) else { return path }
            defer { free(pointer) }
            result = String(cString: pointer) + "/" + path
        }
        var components: [Substring] = []
        for part in result.split(separator: "/") where part != "." {
            if part == ".." { _ = components.popLast() } else { components.append(part) }
        }
        return "/" + components.joined(separator: "/")
    }
}

/// The `--isolation` modes.
enum IsolationMode: String, ExpressibleByArgument, CaseIterable {
    case chroot
    case oci
    case rootless
}
