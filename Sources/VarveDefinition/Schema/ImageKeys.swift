// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// The keys of `image.yaml`.
public enum ImageKeys {
    /// The keys of the document itself.
    public static let all: [KeyDescription] = [
        KeyDescription("name", .text, default: "the folder's name", "The image's name, unique in the repository."),
        KeyDescription("description", .text, default: "empty", "Text for people."),
        KeyDescription(
            "owner", .text, default: "all-users", "Who answers for the image: all-users, user/NAME or group/NAME."
        ),
        KeyDescription(
            "visibility", .word(Visibility.allCases.map(\.rawValue)), default: "org", "Who may see the image."
        ),
        KeyDescription(
            "hardware", .word(Hardware.allCases.map(\.rawValue)), default: "cpu", layers: [.conda],
            "The hardware the image is for; gpu needs a base with CUDA."
        ),
        KeyDescription(
            "supports", .list(.word(ResourceKind.allCases.map(\.rawValue))), default: "empty",
            "The kinds of resource that can use the image."
        ),
        KeyDescription(
            "base", .textOrRecord(base), default: nil, layers: [.base],
            "What the image stands on: an image of this repository, a registry reference, a bootstrap or a Containerfile.",
            isGivenElsewhere: true
        ),
        KeyDescription(
            "build", .record(build), default: "empty",
            layers: [
                .apt, .conda, .cran, .bioconductor, .remotes, .installR, .pip, .kernel, .postBuild,
            ],
            "The layers above the base, in place of files beside image.yaml."
        ),
        KeyDescription(
            "env", .texts, default: "empty", layers: [.config],
            "Variables of the finished image; build steps do not see them."
        ),
        KeyDescription(
            "inputs", .list(.text), default: "empty", layers: [.postBuild],
            "Patterns of the files in the image's folder that postBuild sees."
        ),
        KeyDescription(
            "start", .text, default: "the file start", layers: [.config],
            "The entrypoint wrapper; its last command is exec \"$@\"."
        ),
        KeyDescription(
            "verify", .text, default: "the file verify",
            "A script that runs in the finished image before it is published."
        ),
        KeyDescription(
            "platforms", .list(.text), default: "the host's platform", layers: LayerKind.allCases,
            "The platforms to build for; with several, an index of all of them is published."
        ),
        KeyDescription("tags", .list(.text), default: "empty", "Further tags to publish the image under."),
        KeyDescription("suspend", .boolean, default: "false", "Whether the image is left as it is."),
        KeyDescription(
            "copyFrom", .text, default: "none", layers: LayerKind.allCases,
            "The image of this repository whose configuration this one starts from."
        ),
        KeyDescription(
            "external", .text, default: "none", layers: [.base],
            "An image that is built elsewhere and only registered, in place of base and build."
        ),
        unsupported("refresh", .texts, "How often a layer is rebuilt without a change."),
        unsupported("secrets", .list(.text), "Secrets that steps can read."),
    ]

    /// The keys of a mapping under `base`.
    public static let base: [KeyDescription] = [
        KeyDescription(
            "bootstrap", .record(bootstrap), default: "none", layers: [.base],
            "A base made from a distribution's packages."
        ),
        KeyDescription(
            "containerfile", .text, default: "none", layers: [.base], "A Containerfile in the image's folder."
        ),
    ]

    /// The keys under `base.bootstrap`.
    public static let bootstrap: [KeyDescription] = [
        KeyDescription(
            "distribution", .word(["debian", "ubuntu"]), default: nil, layers: [.base], "The distribution."
        ),
        KeyDescription("suite", .text, default: nil, layers: [.base], "The release's code name: bookworm."),
        KeyDescription(
            "mirror", .text, default: "the distribution's own", layers: [.base], "The package mirror's URL."),
        KeyDescription(
            "packages", .list(.text), default: "empty", layers: [.base], "Packages beside the essential ones."
        ),
        KeyDescription(
            "user", .text, default: "none", layers: [.base], "The user to create, who is the image's USER."
        ),
    ]

    /// The keys under `build`.
    public static let build: [KeyDescription] = [
        KeyDescription("apt", .lines, default: "the file apt.txt", layers: [.apt], "Debian packages."),
        KeyDescription(
            "conda", .record(conda), default: "the file environment.yml", layers: [.conda], "A conda environment."
        ),
        KeyDescription(
            "pip", .lines, default: "the file requirements.txt", layers: [.pip], "Lines of a requirements file."
        ),
        KeyDescription(
            "postBuild", .text, default: "the file postBuild", layers: [.postBuild],
            "A script that runs after the installs."
        ),
        KeyDescription(
            "cran", .lines, default: "empty", layers: [.cran], "R packages from CRAN: name or name@version."
        ),
        KeyDescription(
            "bioconductor", .lines, default: "empty", layers: [.bioconductor], "R packages from Bioconductor."
        ),
        KeyDescription(
            "remotes", .lines, default: "empty", layers: [.remotes],
            "R packages from Git hosts: owner/repository or owner/repository@reference."
        ),
        KeyDescription(
            "installR", .text, default: "the file install.R", layers: [.installR],
            "A script of R that runs after the R packages and before pip."
        ),
        KeyDescription(
            "cranMirror", .text, default: RLayers.mirror, layers: [.cran, .bioconductor, .remotes, .installR],
            "The URL of the mirror of CRAN."
        ),
        KeyDescription(
            "registerKernel", .boolean, default: "false", layers: [.kernel],
            "Whether Python with ipykernel and R with IRkernel are registered as Jupyter kernels."
        ),
    ]

    /// The keys under `build.conda`; they are those of a conda environment file.
    public static let conda: [KeyDescription] = [
        KeyDescription(
            "channels", .list(.text), default: "the tool's own", layers: [.conda], "Channels, the first one wins."
        ),
        KeyDescription(
            "dependencies", .dependencies, default: "empty", layers: [.conda], "Match specs, and a pip: sub-list."
        ),
        KeyDescription(
            "variables", .texts, default: "empty", layers: [.conda], "Variables of the environment."
        ),
    ]

    private static func unsupported(_ name: String, _ type: ValueType, _ summary: String) -> KeyDescription {
        KeyDescription(name, type, default: "none", summary, isSupported: false)
    }
}
