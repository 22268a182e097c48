// SPDX-License-Identifier: Apache-2.0

extension ToolShim.Call {
    /// The subcommand of a buildah call; nil for other tools.
    public var verb: String? {
        guard tool == "buildah" else { return nil }
        return subcommand.first
    }

    /// The subcommand and what follows it: what stands before are options of the store, each with a value.
    private var subcommand: ArraySlice<String> {
        var rest = arguments[...]
        while let first = rest.first, first.hasPrefix("--") {
            rest = rest.dropFirst(first.contains("=") ? 1 : 2)
        }
        return rest
    }

    /// The step that this call executes: `bootstrap`, `containerfile`, `apt`, `conda`, `pip`, `postBuild`, `verify`; nil
    /// where it executes none.
    ///
    /// A `buildah run` that is none of these is `unknown`, so that no execution goes uncounted.
    public var step: String? {
        if tool == "mmdebstrap" { return arguments == ["--version"] ? nil : "bootstrap" }
        if verb == "build" { return "containerfile" }
        guard verb == "run" else { return nil }
        let programs = arguments.filter { $0.hasPrefix("/run/varve/") }
        // A check and a postBuild are started by the same program; what they start tells them apart.
        let steps = [
            "/step/verify": "verify", "/step/apt.sh": "apt", "/step/conda.sh": "conda", "/step/pip.sh": "pip",
            "/build/postBuild": "postBuild",
        ]
        let step = programs.compactMap { program in steps.first { program.hasSuffix($0.key) }?.value }.first
        return step ?? "unknown"
    }

    /// The kind of layer that this call commits, in lower case as the store names it; nil where it commits none.
    public var committedKind: String? {
        guard verb == "commit", let name = arguments.last(where: { $0.contains("localhost/varve/") }) else {
            return nil
        }
        let kind = name.split(separator: "/").last?.split(separator: ":").first
        return kind.map(String.init)
    }
}

extension ToolShim {
    /// The steps that were executed since the last reset, sorted.
    ///
    /// - Throws: when the log cannot be read.
    public func executed() throws -> [String] { try calls().compactMap(\.step).sorted() }

    /// The kinds of layer that were committed since the last reset, sorted.
    ///
    /// - Throws: when the log cannot be read.
    public func committed() throws -> [String] { try calls().compactMap(\.committedKind).sorted() }
}
