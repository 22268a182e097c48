// SPDX-License-Identifier: Apache-2.0

import Crypto
public import VarveModel

extension LayerKey {
    /// The key of a layer: SHA-256 over encoding version, platform, kind, recipe version, parent key and content.
    ///
    /// A pure function: the same on every host and in every order of work. `parent` is nil for a base and only for it;
    /// a layer whose parent has no key yet has none either, and this is not called.
    public init(platform: Platform, content: LayerContent, parent: LayerKey?) {
        self.init(digest: SHA256.hash(data: Self.encoding(platform: platform, content: content, parent: parent)))
    }

    /// The bytes that are hashed.
    static func encoding(platform: Platform, content: LayerContent, parent: LayerKey?) -> [UInt8] {
        var encoder = KeyEncoder()
        encoder.append(byte: KeyEncoder.version)
        encoder.append(platform.description)
        encoder.append(content.kind.rawValue)
        encoder.append(count: Recipe.version(of: content.kind))
        encoder.append(parent?.hex)
        encoder.append(content)
        return encoder.bytes
    }

    private init(digest: SHA256.Digest) {
        self.init(bytes: Array(digest))
    }
}

/// The version of the way varve builds each kind of layer.
///
/// A version changes only when the way changes in meaning, because every layer of that kind, and all above, is then
/// built again.
public enum Recipe {
    /// The version of a kind's recipe.
    public static func version(of kind: LayerKind) -> Int {
        switch kind {
        case .base, .apt, .conda, .pip, .postBuild, .config: 2
        case .cran, .bioconductor, .remotes, .installR, .kernel: 1
        }
    }
}

extension KeyEncoder {
    mutating func append(_ content: LayerContent) {
        switch content {
        case .base(let base): append(base)
        case .apt(let apt): append(apt.packages)
        case .conda(let conda): append(conda)
        case .cran(let cran):
            append(cran.repository)
            append(cran.packages)
        case .bioconductor(let bioconductor):
            append(bioconductor.repository)
            append(bioconductor.version)
            append(bioconductor.packages)
        case .remotes(let remotes):
            append(remotes.repository)
            append(remotes.packages)
        case .installR(let installR):
            append(installR.repository)
            append(installR.script.bytes)
        case .pip(let pip): append(pip)
        case .kernel: break
        case .postBuild(let postBuild): append(postBuild)
        case .config(let config):
            append(config.environment)
            append(optional: config.start) { $0.append($1.bytes) }
            append(config.labels)
        }
    }

    private mutating func append(_ base: BaseContent) {
        switch base {
        case .image(let configDigest):
            append(byte: 0)
            append(configDigest.description)
        case .bootstrap(let bootstrap):
            append(byte: 1)
            append(bootstrap.distribution)
            append(bootstrap.suite)
            append(bootstrap.mirror)
            append(bootstrap.packages)
            append(bootstrap.user)
        case .containerfile(let containerfile):
            append(byte: 2)
            append(containerfile.specification.path.description)
            append(containerfile.specification.files)
            append(
                Dictionary(
                    containerfile.images.map { ($0.key.description, $0.value.description) },
                    uniquingKeysWith: { first, _ in first }))
        }
    }

    private mutating func append(_ conda: CondaContent) {
        append(conda.channels)
        append(conda.dependencies)
        append(optional: conda.pip) { $0.append($1) }
        append(conda.variables)
        append(conda.cudaOverride)
        append(optional: conda.explicit) { $0.append($1) }
        append(conda.channelPriority)
    }

    private mutating func append(_ pip: PipContent) {
        append(pip.options)
        append(pip.requirements)
        append(pip.constraints)
        append(count: pip.localSources.count)
        for source in pip.localSources {
            append(source.name)
            append(source.tree.hex)
            append(byte: source.isEditable ? 1 : 0)
            append(source.extras)
        }
        append(pip.python)
    }

    private mutating func append(_ postBuild: PostBuildContent) {
        append(postBuild.script.bytes)
        append(postBuild.inputs)
    }

    private mutating func append(_ files: [InputFile]) {
        append(count: files.count)
        for input in files {
            append(input.path.description)
            append(input.id.hex)
            append(byte: input.isExecutable ? 1 : 0)
        }
    }
}
