// SPDX-License-Identifier: Apache-2.0

/// The layers of an image between its base and its configuration, each in canonical form or absent.
///
/// The canonical form is all that a build step is given, so definitions that mean the same give the same build.
public struct BuildData: Hashable, Sendable {
    /// Debian packages.
    public var apt: AptContent?
    /// A conda environment.
    public var conda: CondaContent?
    /// R packages from CRAN.
    public var cran: CranContent?
    /// R packages from Bioconductor.
    public var bioconductor: BioconductorContent?
    /// R packages from Git hosts.
    public var remotes: RemotesContent?
    /// A script of R that runs after R packages and before pip.
    public var installR: InstallRContent?
    /// Python requirements.
    public var pip: PipContent?
    /// The registration as Jupyter kernels.
    public var kernel: KernelContent?
    /// A script that runs after the installs.
    public var postBuild: PostBuildContent?

    /// Build data of the given layers.
    public init(
        apt: AptContent? = nil, conda: CondaContent? = nil, pip: PipContent? = nil, postBuild: PostBuildContent? = nil
    ) {
        self.apt = apt
        self.conda = conda
        self.pip = pip
        self.postBuild = postBuild
    }

    /// The contents of the layers that are there, in the order in which they are stacked.
    public var contents: [LayerContent] {
        [
            apt.map { .apt($0) }, conda.map { .conda($0) }, cran.map { .cran($0) },
            bioconductor.map { .bioconductor($0) }, remotes.map { .remotes($0) }, installR.map { .installR($0) },
            pip.map { .pip($0) }, kernel.map { .kernel($0) }, postBuild.map { .postBuild($0) },
        ].compactMap { $0 }
    }
}

/// The packages of an apt layer.
public struct AptContent: Hashable, Sendable {
    /// A sorted set of `name`, `name:arch`, `name=version` or `name/suite`.
    public var packages: [String]

    /// Sorts the packages and drops duplicates.
    public init(packages: [String]) { self.packages = canonicalSet(packages) }
}

/// The environment of a conda layer.
public struct CondaContent: Hashable, Sendable {
    /// Channels, first wins.
    public var channels: [String]
    /// A sorted set of match specs in conda's canonical form.
    public var dependencies: [String]
    /// The packages of an explicit list in order, each a URL with its hash; nil where the solver chooses.
    ///
    /// With a list, channels and dependencies are empty.
    public var explicit: [String]?
    /// `channel_priority` of a `.condarc`: `strict`, `flexible` or `disabled`; nil leaves it to the tool.
    public var channelPriority: String?
    /// The `pip:` sub-list.
    public var pip: PipContent?
    /// The `variables:` of the environment.
    public var variables: [String: String]
    /// `CONDA_OVERRIDE_CUDA` for the solver, for images of `hardware: gpu`.
    public var cudaOverride: String?

    /// Sorts the dependencies and drops duplicates; channels keep their order.
    public init(
        channels: [String], dependencies: [String], pip: PipContent? = nil, variables: [String: String] = [:],
        cudaOverride: String? = nil, explicit: [String]? = nil, channelPriority: String? = nil
    ) {
        self.explicit = explicit
        self.channelPriority = channelPriority
        self.channels = channels
        self.dependencies = canonicalSet(dependencies)
        self.pip = pip
        self.variables = variables
        self.cudaOverride = cudaOverride
    }
}

/// What pip is asked to install.
public struct PipContent: Hashable, Sendable {
    /// Options that stand on lines of their own, in order: `--index-url https://…`, `--pre`.
    public var options: [String]
    /// A sorted set of normalised requirement lines (PEP 508), each with its hashes where it has any.
    public var requirements: [String]
    /// A sorted set of normalised constraint lines.
    public var constraints: [String]
    /// Requirements that are folders or wheels of the repository, sorted by name.
    public var localSources: [LocalSource]
    /// The version of Python that the image must have, as `runtime.txt` says it: `3.10`; nil takes any.
    public var python: String?

    /// Sorts requirements, constraints and local sources, and drops duplicates; options keep their order.
    public init(
        options: [String] = [], requirements: [String], constraints: [String] = [], localSources: [LocalSource] = [],
        python: String? = nil
    ) {
        self.python = python
        self.options = options
        self.requirements = canonicalSet(requirements)
        self.constraints = canonicalSet(constraints)
        self.localSources = Set(localSources).sorted { $0.order.lexicographicallyPrecedes($1.order) }
    }

    /// Whether pip would be asked for nothing.
    public var isEmpty: Bool { requirements.isEmpty && localSources.isEmpty }
}

/// A requirement that is a folder or a wheel of the repository; it is copied to `/usr/local/src/<name>` and installed from
/// there.
public struct LocalSource: Hashable, Sendable {
    /// The name under `/usr/local/src`; that of a wheel is its own, which says what is in it.
    public var name: String
    /// Where it stands in the repository; part of no key.
    public var path: RepositoryPath
    /// The folder's tree id, or the wheel's blob id.
    public var tree: ObjectID
    /// Whether it was asked for with `-e`.
    public var isEditable: Bool
    /// The extras in brackets: a sorted set.
    public var extras: [String]

    /// A folder or a wheel of the repository as a requirement.
    public init(name: String, path: RepositoryPath, tree: ObjectID, isEditable: Bool, extras: [String] = []) {
        self.name = name
        self.path = path
        self.tree = tree
        self.isEditable = isEditable
        self.extras = canonicalSet(extras)
    }

    /// What sources are sorted by: all that is in the key, in its order, and the path last, which is in no key.
    fileprivate var order: [UInt8] {
        Array(
            [name, tree.hex, isEditable ? "1" : "0", extras.joined(separator: ","), path.description].joined(
                separator: "\0"
            ).utf8)
    }
}

/// R packages from CRAN.
public struct CranContent: Hashable, Sendable {
    /// The mirror's URL.
    public var repository: String
    /// A sorted set of `name` or `name@version`.
    public var packages: [String]

    /// Sorts the packages and drops duplicates.
    public init(repository: String, packages: [String]) {
        self.repository = repository
        self.packages = canonicalSet(packages)
    }
}

/// R packages from Bioconductor.
public struct BioconductorContent: Hashable, Sendable {
    /// The mirror of CRAN for what the packages depend on.
    public var repository: String
    /// The release of Bioconductor, `3.18`; nil takes the one that fits the image's R.
    public var version: String?
    /// A sorted set of names.
    public var packages: [String]

    /// Sorts the packages and drops duplicates.
    public init(repository: String, version: String?, packages: [String]) {
        self.repository = repository
        self.version = version
        self.packages = canonicalSet(packages)
    }
}

/// R packages from Git hosts, by the package `remotes`.
public struct RemotesContent: Hashable, Sendable {
    /// The mirror of CRAN for what the packages depend on.
    public var repository: String
    /// A sorted set of specifications: `owner/repository@reference`.
    public var packages: [String]

    /// Sorts the packages and drops duplicates.
    public init(repository: String, packages: [String]) {
        self.repository = repository
        self.packages = canonicalSet(packages)
    }
}

/// The script `install.R`, which sees no file but itself.
public struct InstallRContent: Hashable, Sendable {
    /// The mirror of CRAN that the script finds as its option `repos`.
    public var repository: String
    /// The script.
    public var script: Script

    /// A script with the mirror it finds.
    public init(repository: String, script: Script) {
        self.repository = repository
        self.script = script
    }
}

/// The registration of the languages that the layers below installed (Python by ipykernel, R by IRkernel) as kernels.
///
/// Which these are follows from the layers below; so it has no fields.
public struct KernelContent: Hashable, Sendable {
    /// The registration.
    public init() {}
}

/// The script that runs after the installs, and the only files that it sees.
public struct PostBuildContent: Hashable, Sendable {
    /// The script.
    public var script: Script
    /// The files that `inputs` matched, sorted by path.
    public var inputs: [InputFile]

    /// A script with the files it sees.
    public init(script: Script, inputs: [InputFile] = []) {
        self.script = script
        self.inputs = inputs.sorted { $0.path < $1.path }
    }
}

/// A file of the image's folder that a build step sees.
public struct InputFile: Hashable, Sendable {
    /// The path relative to the image's folder.
    public var path: RepositoryPath
    /// The blob's id.
    public var id: ObjectID
    /// Whether the file has the mode bit.
    public var isExecutable: Bool

    /// A file by its path and blob.
    public init(path: RepositoryPath, id: ObjectID, isExecutable: Bool) {
        self.path = path
        self.id = id
        self.isExecutable = isExecutable
    }
}
