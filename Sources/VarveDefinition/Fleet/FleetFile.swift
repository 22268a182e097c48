// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// What `varve.yaml` says, or what is wrong with it.
struct FleetFile {
    /// Where the file stands.
    static var path: RepositoryPath { (try? RepositoryPath(FleetKeys.fileName)) ?? .root }

    /// The document; nil where there is none.
    var root: YamlValue?
    /// The file and, where it is a link, what it leads to.
    var files: Set<RepositoryPath> = [Self.path]
    /// The lines of the file, for the places of texts in it.
    var source = ""
    /// The groups that can own images; nil where any can.
    var groups: Set<String>?
    /// The patterns of the folders that are searched; nil where all are.
    var definitions: [(pattern: InputPattern, value: YamlValue)]?
    /// What images must keep to.
    var policy = FleetPolicy()
    /// What is wrong; a file that is wrong in one place is not used at all.
    var diagnostics: [Diagnostic] = []

    /// The keys that hold for images that do not give them.
    var defaults: YamlValue? { diagnostics.isEmpty ? root?["defaults"] : nil }
}

extension FleetFile {
    /// Reads the file of a tree; an empty one where there is none.
    ///
    /// - Throws: only when the tree itself cannot be read.
    init(tree: any SourceTree, hostPlatform: Platform) throws {
        let findings = Findings()
        let entries = try tree.entries(in: .root)
        if let entry = entries.first(where: { $0.name == FleetKeys.fileName }) {
            let files = DefinitionFiles(tree: tree)
            if let bytes = try files.bytes(
                of: entry, at: Self.path, limit: DefinitionFiles.imageLimit, findings: findings),
                let text = DefinitionFiles.decode(bytes, file: Self.path, findings: findings)
            {
                source = text
                self.files.formUnion(files.linked)
                read(text, findings)
                if findings.isEmpty { try checkDefaults(tree, hostPlatform, findings) }
            }
        } else if let entry = entries.first(where: { Self.isMisnamed($0) }) {
            // A policy that is passed over silently is none.
            findings.report(
                .fileName, at: Place(file: try RepositoryPath(entry.name)),
                "the name '\(singleLine(entry.name))' is not read; expected '\(FleetKeys.fileName)'",
                hint: "rename it to '\(FleetKeys.fileName)'")
        }
        diagnostics = findings.sorted
    }

    private static func isMisnamed(_ entry: SourceEntry) -> Bool {
        guard entry.kind != .folder, entry.name.utf8.count <= 10 else { return false }
        return ["varve.yml", FleetKeys.fileName].contains(entry.name.lowercased())
    }

    private mutating func read(_ text: String, _ findings: Findings) {
        guard let document = YamlReader(file: Self.path, findings: findings).read(text), !document.isNull else {
            return
        }
        guard let entries = document.entries else {
            findings.report(
                .wrongType, at: document.place,
                "expected a mapping with keys such as 'defaults', found \(document.kindName)")
            return
        }
        root = document
        ShapeCheck(findings: findings).check(entries, at: document.place, against: FleetKeys.all)
        readGroups(document["groups"], findings)
        definitions = document["definitions"]?.items?.compactMap { item in
            pattern(item, what: "a folder of the repository", findings).map { ($0, item) }
        }
        if definitions?.isEmpty == true, findings.isEmpty, let place = document["definitions"]?.place {
            findings.report(
                .fleetValue, at: place, "the list of folders is empty, so there would be no image",
                hint: "leave the key out for the whole repository")
        }
        let policy = document["policy"]
        if let bases = policy?["bases"], let items = bases.items {
            self.policy.bases = .init(
                patterns: items.compactMap { pattern($0, what: "a pattern of registry references", findings) },
                place: bases.place)
        }
        if let size = policy?["maximumSize"], let text = size.text {
            if let bytes = Self.bytes(text) {
                self.policy.maximumSize = bytes
            } else {
                findings.report(
                    .fleetValue, at: size.place,
                    "\(quoted(text)) is not a size; expected a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB",
                    hint: ["GB", "B"].first { Self.bytes(text + $0) != nil }.map { "did you mean '\(text)\($0)'?" })
            }
        }
        if policy?["requireOwner"]?.text?.lowercased() == "true" {
            self.policy.requireOwner = policy?["requireOwner"]?.place
        }
    }

    private mutating func readGroups(_ value: YamlValue?, _ findings: Findings) {
        guard let entries = value?.entries, !entries.isEmpty else { return }
        groups = Set(entries.map(\.key))
        for entry in entries where !findings.isFull {
            let members = (entry.value.items ?? []).compactMap { item in item.text.map { ($0, item.place) } }
            for (name, place) in [(entry.key, entry.place)] + members where !ImageFields.isOwnerName(Substring(name)) {
                findings.report(
                    .fleetValue, at: place,
                    "\(quoted(name)) is not the name of a group or user; expected letters, digits, '.', '_', '-', '@', '+'"
                )
            }
        }
    }

    private func pattern(_ item: YamlValue, what: String, _ findings: Findings) -> InputPattern? {
        guard let text = item.text else { return nil }
        let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        if let pattern = InputPattern(trimmed), !UrlCheck.hasCredentials(text) { return pattern }
        findings.report(.fleetValue, at: item.place, "\(quoted(text)) is not \(what)")
        return nil
    }

    /// The bytes that a size means; nil where it is none.
    ///
    /// A number alone is none: who writes `8` means gigabytes.
    static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let units = [
            "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "kib": 1024, "mib": 1_048_576,
            "gib": 1_073_741_824, "tib": 1_099_511_627_776,
        ]
        guard let factor = units[unit], digits.utf8.count <= 16, digits.first?.isNumber == true,
            let number = Double(digits), number * factor >= 1, number * factor < 1e18
        else { return nil }
        return Int(number * factor)
    }

    /// Reads the defaults as an image's own keys would be, so that what is wrong with them is said once.
    private func checkDefaults(_ tree: any SourceTree, _ platform: Platform, _ findings: Findings) throws {
        guard let defaults, let id = try tree.entry(at: .root)?.id else { return }
        let folder = ImageFolder(path: .root, tree: id, entries: [])
        let reader = try ImageReader(tree: tree, hostPlatform: platform, folder: folder, fleet: self)
        let fields = ImageFields(root: defaults, findings: reader.findings)
        _ = (fields.owner(), fields.base { _ in nil }, fields.platforms(), fields.environment(), fields.tags())
        checkGroup(of: fields.owner(), at: defaults["owner"]?.place ?? defaults.place, reader.findings)
        _ = try BuildReader(image: reader, root: defaults, source: source).read()
        // What a requirement names beside the image stands there only for the image.
        let local = [
            DiagnosticCode.includeMissing, .includeCycle, .localPath, .localArchive, .outsideRepository,
        ].map(\.rawValue)
        for found in reader.findings.sorted where !local.contains(found.code) { findings.add(found) }
    }

    /// Reports a group that is not declared, where any is.
    func checkGroup(of owner: Owner, at place: Place, _ findings: Findings) {
        guard case .group(let name) = owner, let groups, !groups.contains(name) else { return }
        let nearest = nearestWord(to: name, among: groups)
        findings.report(
            .unknownGroup, at: place,
            "the group \(quoted(name)) is not among the groups of \(policy.text("groups", root?["groups"]?.place))",
            hint: nearest.map { "did you mean 'group/\(singleLine($0, limit: 80))'?" })
    }
}
