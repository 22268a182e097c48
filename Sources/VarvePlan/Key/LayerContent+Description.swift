// SPDX-License-Identifier: Apache-2.0

public import VarveModel

extension LayerContent {
    /// The content in words, a line each: what a record keeps so that a later plan can name what changed.
    ///
    /// Two contents of equal lines are equal, as far as a person who reads a diff is concerned: files stand as their
    /// digest, and credentials as `***`.
    public var lines: [String] {
        let lines: [String]
        switch self {
        case .base(.image(let configDigest)): lines = ["image \(configDigest)"]
        case .base(.bootstrap(let bootstrap)):
            lines =
                ["bootstrap \(bootstrap.distribution)/\(bootstrap.suite)"]
                + (bootstrap.mirror.map { ["mirror \($0)"] } ?? []) + bootstrap.packages
        case .apt(let apt): lines = apt.packages
        case .conda(let conda):
            lines =
                conda.channels.map { "channel \($0)" } + conda.dependencies
                + (conda.pip.map { $0.lines.map { "pip \($0)" } } ?? [])
                + conda.variables.sorted { $0.key < $1.key }.map { "variable \($0.key)=\($0.value)" }
                + (conda.cudaOverride.map { ["cuda \($0)"] } ?? [])
        case .pip(let pip): lines = pip.lines
        case .postBuild(let postBuild):
            lines =
                ["script \(postBuild.script.shortDigest)"]
                + postBuild.inputs.map { "input \($0.path) \($0.id.short)\($0.isExecutable ? " executable" : "")" }
        case .config(let config):
            lines =
                config.environment.sorted { $0.key < $1.key }.map { "env \($0.key)=\($0.value)" }
                + (config.start.map { ["start \($0.shortDigest)"] } ?? [])
                + config.labels.sorted { $0.key < $1.key }.map { "label \($0.key)=\($0.value)" }
        }
        return lines.map { singleLine(redacted($0)) }
    }
}

extension PipContent {
    fileprivate var lines: [String] {
        options + requirements + constraints.map { "constraint \($0)" }
            + localSources.map { source in
                let extras = source.extras.isEmpty ? "" : "[\(source.extras.joined(separator: ","))]"
                return "\(source.isEditable ? "-e " : "")\(source.name)\(extras) of tree \(source.tree.short)"
            }
    }
}

extension Script {
    fileprivate var shortDigest: String { String(digest.hex.prefix(12)) }
}
