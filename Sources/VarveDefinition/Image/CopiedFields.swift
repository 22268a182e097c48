// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// What an image gives itself, and so does not take from the image it is copied from.
struct GivenFields {
    /// The keys of the document and, with `build.` before them, of `build`; a file counts as the key it stands for.
    var keys: Set<String> = []
    /// Those of `keys` that stand in the document.
    var document: Set<String> = []
    /// The files that `inputs` matches; nil where it is not given.
    var inputs: [InputFile]?

    /// The layers of `build`: their keys, and the files that stand for them.
    private static let layers: [(key: String, files: [String])] = [
        ("apt", [DefinitionNames.apt]), ("conda", DefinitionNames.environments), ("cran", []), ("bioconductor", []),
        ("remotes", []), ("installR", ["install.R"]), ("pip", [DefinitionNames.requirements]), ("registerKernel", []),
        ("postBuild", [DefinitionNames.postBuild]),
    ]

    init() {}

    /// What a document and the files of its folder give.
    init(root: YamlValue?, files: [String: SourceEntry], inputs: [InputFile]) {
        func hasFile(_ name: String) -> Bool { files[name].map { $0.kind != .folder } ?? false }
        for entry in root?.entries ?? [] where !entry.value.isNull { keys.insert(entry.key) }
        for entry in root?["build"]?.entries ?? [] where !entry.value.isNull { keys.insert("build." + entry.key) }
        document = keys
        for layer in Self.layers where layer.files.contains(where: hasFile) { keys.insert("build." + layer.key) }
        for script in [DefinitionNames.start, DefinitionNames.verify] where hasFile(script) { keys.insert(script) }
        if keys.contains("inputs") { self.inputs = inputs }
    }
}

extension ImageDefinition {
    /// Takes from the image that this one is copied from all that it does not give itself.
    mutating func takeOver(_ source: ImageDefinition, except given: GivenFields) {
        func take<Value>(_ key: String, _ path: WritableKeyPath<ImageDefinition, Value>) {
            if !given.keys.contains(key) { self[keyPath: path] = source[keyPath: path] }
        }
        take("base", \.base)
        take("hardware", \.hardware)
        take("supports", \.supports)
        take("platforms", \.platforms)
        take("env", \.environment)
        take("start", \.start)
        take("verify", \.verify)
        take("build.apt", \.build.apt)
        take("build.conda", \.build.conda)
        take("build.cran", \.build.cran)
        take("build.bioconductor", \.build.bioconductor)
        take("build.remotes", \.build.remotes)
        take("build.installR", \.build.installR)
        take("build.pip", \.build.pip)
        take("build.registerKernel", \.build.kernel)
        take("build.postBuild", \.build.postBuild)
        if !given.keys.contains("build.postBuild"), let inputs = given.inputs, let script = build.postBuild?.script {
            build.postBuild = PostBuildContent(script: script, inputs: inputs)
        }
        let shared = Set(sharedInputs + source.sharedInputs + source.outsideInputs + [source.folder])
        let own = folder
        sharedInputs = shared.filter { !own.contains($0) }.sorted()
    }
}
