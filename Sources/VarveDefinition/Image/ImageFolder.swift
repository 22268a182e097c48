// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// A folder that holds `image.yaml`, with its entries.
struct ImageFolder {
    var path: RepositoryPath
    var tree: ObjectID
    var entries: [SourceEntry]
}

/// What one folder gives: a definition, or what is wrong with it; cross-checks between images come later.
struct ReadImage {
    var name: String
    /// Where the name is given, for diagnostics on it.
    var namePlace: Place
    /// Where the base is given.
    var basePlace: Place
    /// Where the owner is given.
    var ownerPlace: Place
    /// Where the hardware is given.
    var hardwarePlace: Place
    /// Where the platforms are given.
    var platformsPlace: Place
    var folder: ImageFolder
    /// The image that this one is copied from.
    var copy: (name: ImageName, place: Place)?
    /// What the image gives itself.
    var given = GivenFields()
    /// Everything that could be read; only used where `diagnostics` is empty.
    var definition: ImageDefinition?
    var diagnostics: [Diagnostic]
    /// What is no error.
    var warnings: [Diagnostic] = []
}

/// Reads one folder.
struct ImageReader {
    let tree: any SourceTree
    let hostPlatform: Platform
    let folder: ImageFolder
    let findings: Findings
    let files: DefinitionFiles
    /// What holds for all images.
    let fleet: FleetFile
    /// Where image.yaml stands.
    let file: RepositoryPath

    init(tree: any SourceTree, hostPlatform: Platform, folder: ImageFolder, fleet: FleetFile) throws {
        self.fleet = fleet
        self.tree = tree
        self.hostPlatform = hostPlatform
        self.folder = folder
        findings = Findings()
        files = DefinitionFiles(tree: tree)
        file = try folder.path.appending(DefinitionNames.image)
    }

    /// Reads `image.yaml` and the files beside it.
    func read() throws -> ReadImage {
        let start = Place(file: file, line: 1, column: 1)
        let (document, source) = try readDocument()
        var root = document
        var addsLayer = false
        if let document, fleet.defaults != nil {
            let given = try BuildReader(image: self, root: document, source: "").givenKeys()
            (root, addsLayer) = fleet.adding(to: document, given: given)
        }
        var result = ReadImage(
            name: root?["name"]?.text ?? folder.path.name,
            namePlace: root?["name"]?.place ?? start,
            basePlace: (root?["base"] ?? root?["external"])?.place ?? start,
            ownerPlace: root?["owner"]?.place ?? start,
            hardwarePlace: root?["hardware"]?.place ?? start,
            platformsPlace: root?["platforms"]?.place ?? start,
            folder: folder, diagnostics: []
        )
        let build = try BuildReader(image: self, root: root, source: source).read()
        result.given = build.given
        if let root {
            result.copy = ImageFields(root: root, findings: findings).copyFrom()
            result.definition = try definition(root, name: result.name, namePlace: result.namePlace, build: build)
            if addsLayer { result.definition?.sharedInputs = fleet.files.sorted() }
        }
        result.diagnostics = findings.sorted
        result.warnings = findings.warnings
        return result
    }

    private func readDocument() throws -> (YamlValue?, String) {
        let place = Place(file: file)
        guard let entry = folder.entries.first(where: { $0.name == DefinitionNames.image }),
            let bytes = try files.bytes(of: entry, at: file, limit: DefinitionFiles.imageLimit, findings: findings),
            let text = DefinitionFiles.decode(bytes, file: file, findings: findings)
        else { return (nil, "") }
        let defaulted = Set((fleet.defaults?.entries ?? []).filter { !$0.value.isNull }.map(\.key))
        let empty = YamlValue(content: .mapping([]), place: Place(file: file, line: 1, column: 1))
        guard let root = YamlReader(file: file, findings: findings).read(text) else {
            if findings.isEmpty {
                if defaulted.contains("base") { return (empty, text) }
                findings.report(.missingKey, at: place, "the file is empty; expected at least 'base'")
            }
            return (nil, text)
        }
        guard let entries = root.entries else {
            if root.isNull, defaulted.contains("base") { return (empty, text) }
            if root.isNull {
                findings.report(.missingKey, at: place, "the file is empty; expected at least 'base'")
            } else {
                findings.report(
                    .wrongType, at: root.place, "expected a mapping with keys such as 'base', found \(root.kindName)")
            }
            return (nil, text)
        }
        ShapeCheck(findings: findings, defaulted: defaulted)
            .check(entries, at: root.place, against: ImageKeys.all)
        return (root, text)
    }

    /// Checks the values; nil where one that every definition needs is wrong, which is reported.
    private func definition(
        _ root: YamlValue, name: String, namePlace: Place, build: ReadBuild
    ) throws -> ImageDefinition? {
        let fields = ImageFields(root: root, findings: findings)
        // Stands in for the base until it is copied; an image that is not copied into is dropped.
        let copy = fields.copyFrom()
        var base = ExternalReader(root: root, findings: findings).read(build.given)
        if root["external"]?.isNull ?? true {
            base = try fields.base {
                try ContainerfileReader(image: self, definitionFolder: build.definitionFolder).read($0)
            }
            if root["base"] == nil, base == nil { base = copy.map { .image($0.name) } }
        }
        let platforms = fields.platforms() ?? [hostPlatform]
        let environment = fields.environment()
        let imageName: ImageName
        do {
            imageName = try ImageName(name)
        } catch {
            findings.report(
                .name, at: namePlace, "\(quoted(name)) is not an image name: \(error.rule)",
                hint: root["name"] == nil ? "give the image a 'name'" : nil
            )
            return nil
        }
        guard let base else { return nil }
        var image = ImageDefinition(
            name: imageName, folder: folder.path, tree: folder.tree, base: base, platforms: platforms)
        image.description = root["description"]?.text ?? ""
        image.owner = fields.owner()
        image.visibility = root["visibility"]?.text.flatMap(Visibility.init(rawValue:)) ?? .org
        image.hardware = fields.hardware()
        image.supports = fields.supports()
        image.tags = fields.tags()
        image.isSuspended = root["suspend"]?.text?.lowercased() == "true"
        image.environment = environment
        image.build = build.data
        image.copyFrom = copy?.name
        image.start = build.start
        image.verify = build.verify
        image.outsideInputs = build.touched.union(files.linked).filter { !folder.path.contains($0) }.sorted()
        return image
    }
}

/// The names of the files that a definition consists of.
enum DefinitionNames {
    static let image = "image.yaml"
    static let apt = "apt.txt"
    static let environments = ["environment.yml", "environment.yaml"]
    static let requirements = "requirements.txt"
    static let installR = "install.R"
    static let postBuild = "postBuild"
    static let start = "start"
    static let verify = "verify"
    static let runtime = "runtime.txt"
    static let lock = "conda-lock.yml"
    static let condarc = ".condarc"
    static let subfolders = ["binder", ".binder"]

    /// Every file beside `image.yaml`.
    static let build = [
        apt, "environment.yml", "environment.yaml", installR, requirements, postBuild, start, verify, runtime,
    ]

    /// Whether a file of this name is read.
    static func isRead(_ name: String) -> Bool {
        build.contains(name) || [lock, condarc].contains(name) || lockedSubdir(name) != nil
    }

    /// The explicit list for a platform of conda.
    static func lock(for subdir: String) -> String { "conda-\(subdir).lock" }

    /// The platform that an explicit list is for by its name: `linux-64` of `conda-linux-64.lock`.
    static func lockedSubdir(_ name: String) -> String? {
        guard name.hasPrefix("conda-"), name.hasSuffix(".lock") else { return nil }
        let subdir = name.dropFirst("conda-".count).dropLast(".lock".count)
        let words = subdir.split(separator: "-", omittingEmptySubsequences: false)
        guard words.count == 2, ["linux", "osx", "win"].contains(words[0]), !words[1].isEmpty else { return nil }
        return String(subdir)
    }
}
