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
                + (bootstrap.user.map { ["user \($0)"] } ?? [])
        case .base(.containerfile(let containerfile)):
            lines =
                ["containerfile \(containerfile.specification.path)"]
                + containerfile.specification.images.map { image in
                    "image \(image)" + (containerfile.images[image].map { "@\($0.hex.prefix(12))" } ?? "")
                } + containerfile.specification.files.map(\.line)
        case .apt(let apt): lines = apt.packages
        case .conda(let conda):
            lines =
                conda.channels.map { "channel \($0)" } + conda.dependencies + (conda.explicit ?? [])
                + (conda.channelPriority.map { ["channel priority \($0)"] } ?? [])
                + (conda.pip.map { $0.lines.map { "pip \($0)" } } ?? [])
                + conda.variables.sorted { $0.key < $1.key }.map { "variable \($0.key)=\($0.value)" }
                + (conda.cudaOverride.map { ["cuda \($0)"] } ?? [])
        case .cran(let cran): lines = ["repository \(cran.repository)"] + cran.packages
        case .bioconductor(let bioconductor):
            lines =
                ["repository \(bioconductor.repository)"]
                + (bioconductor.version.map { ["release \($0)"] } ?? []) + bioconductor.packages
        case .remotes(let remotes): lines = ["repository \(remotes.repository)"] + remotes.packages
        case .installR(let installR):
            lines = ["repository \(installR.repository)", "script \(installR.script.shortDigest)"]
        case .pip(let pip): lines = pip.lines
        case .kernel: lines = ["kernels of the languages below"]
        case .postBuild(let postBuild):
            lines =
                ["script \(postBuild.script.shortDigest)"]
                + postBuild.inputs.map(\.line)
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
        options + (python.map { ["python \($0)"] } ?? []) + requirements + constraints.map { "constraint \($0)" }
            + localSources.map { source in
                let extras = source.extras.isEmpty ? "" : "[\(source.extras.joined(separator: ","))]"
                return "\(source.isEditable ? "-e " : "")\(source.name)\(extras) at \(source.tree.short)"
            }
    }
}

extension InputFile {
    fileprivate var line: String { "input \(path) \(id.short)\(isExecutable ? " executable" : "")" }
}

extension Script {
    fileprivate var shortDigest: String { String(digest.hex.prefix(12)) }
}
