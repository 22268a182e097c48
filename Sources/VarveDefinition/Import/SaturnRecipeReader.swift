// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads a recipe, and collects what of it cannot be carried.
struct SaturnRecipeReader {
    private(set) var remarks: [SaturnImport.Remark] = []

    /// The keys of schema version 2022.08.01, which is in `Tests` compared with the schema itself.
    static let recipeKeys = [
        "name", "description", "owner", "visibility", "hardware_type", "supports", "versions", "schema_version",
    ]
    static let versionKeys = ["name", "description", "build_data", "archived", "image_uri"]
    static let buildKeys = [
        "base_image_uri", "pip_requirements", "conda_environment", "apt_packages", "post_build", "use_mamba",
    ]
    /// The version of the schema that is read and written.
    static let schemaVersion = "2022.08.01"

    /// A version that becomes an image.
    struct Version {
        var name: String
        var place: Place
        var description: (text: String, place: Place)?
        var source: SaturnImport.Source
        var files: [SaturnImport.File]
    }

    // MARK: - Remarks

    mutating func say(_ message: String, at place: Place, isError: Bool = false) {
        // As many as a folder can have diagnostics: a hostile recipe could have millions.
        guard remarks.count < 200 else { return }
        remarks.append(.init(line: place.line, column: place.column, message: message, isError: isError))
    }

    mutating func refuse(_ message: String, at place: Place) { say(message, at: place, isError: true) }

    /// Says why nothing of the file is carried.
    mutating func refuse(_ message: String) { refuse(message, at: Place(file: .root)) }

    // MARK: - The recipe

    mutating func read(_ bytes: [UInt8], taken: inout Set<String>) -> [SaturnImport.Image] {
        guard let root = document(bytes) else { return [] }
        guard root.entries != nil else {
            refuse("expected a recipe with keys such as 'name' and 'versions', found \(root.kindName)", at: root.place)
            return []
        }
        sayUnknown(root, Self.recipeKeys)
        if let version = root["schema_version"], version.text != Self.schemaVersion {
            say(
                "the recipe's schema_version is not \(Self.schemaVersion); what that version does not have is not read",
                at: version.place)
        }
        guard let name = text(root, "name") else {
            if root["name"].map({ $0.text != nil }) ?? true {
                refuse("the recipe has no 'name'", at: root["name"]?.place ?? root.place)
            }
            return []
        }
        let versions = readVersions(root)
        let description = text(root, "description")
        let (owner, visibility) = (owner(root), word(root, "visibility", Visibility.allCases))
        let (hardware, supports) = (hardware(root), supports(root))
        var result: [SaturnImport.Image] = []
        // The last version has the first claim to the name.
        for (index, version) in versions.enumerated().reversed() {
            let isLast = index == versions.count - 1
            let wanted = isLast ? name : name + "-" + version.name
            let valid = FolderImport.validName(wanted)
            let place = isLast ? root["name"]?.place ?? root.place : version.place
            guard taken.insert(valid).inserted else {
                refuse(
                    "version \(quoted(version.name)) is left out: there is an image '\(valid)' already", at: place)
                continue
            }
            if !isLast {
                say(
                    "version \(quoted(version.name)) becomes the image '\(valid)', because a later one has the name",
                    at: version.place)
            } else {
                if valid != name { say("the name \(quoted(name)) is written '\(valid)'", at: place) }
                say(
                    "the version's name \(quoted(version.name)) is not carried: each build has a tag of its own",
                    at: version.place)
            }
            if let description, let own = version.description, own.text != description {
                say("the description of version \(quoted(version.name)) is not carried", at: own.place)
            }
            result.append(
                SaturnImport.Image(
                    name: valid, description: description ?? version.description?.text, owner: owner,
                    visibility: visibility, hardware: hardware, supports: supports, source: version.source,
                    files: version.files))
        }
        return result.reversed()
    }

    private mutating func document(_ bytes: [UInt8]) -> YamlValue? {
        let findings = Findings()
        var root: YamlValue?
        if let text = DefinitionFiles.decode(bytes, file: .root, findings: findings) {
            root = YamlReader(file: .root, findings: findings).read(Self.joiningSurrogates(in: text))
            if root == nil, findings.isEmpty { refuse("the file is empty; expected a recipe") }
        }
        for finding in findings.sorted {
            refuse(
                finding.message + (finding.hint.map { " (\($0))" } ?? ""),
                at: Place(file: .root, line: finding.line, column: finding.column))
        }
        return findings.isEmpty ? root : nil
    }

    /// JSON writes a character outside the first plane as two escapes, which YAML does not read: `\ud83d\ude00` becomes
    /// `\U0001f600`.
    static func joiningSurrogates(in text: String) -> String {
        guard text.utf8.first(where: { !($0 == 0x20 || (0x09...0x0D).contains($0)) }) == 0x7B else { return text }
        let bytes = Array(text.utf8)
        func unit(at index: Int) -> UInt32? {
            guard index + 6 <= bytes.count, bytes[index] == 0x5C, bytes[index + 1] == 0x75 else { return nil }
            return UInt32(String(decoding: bytes[index + 2..<index + 6], as: UTF8.self), radix: 16)
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            guard bytes[index] == 0x5C else {
                result.append(bytes[index])
                index += 1
                continue
            }
            if let high = unit(at: index), (0xD800...0xDBFF).contains(high), let low = unit(at: index + 6),
                (0xDC00...0xDFFF).contains(low)
            {
                let scalar = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
                let digits = String(scalar, radix: 16)
                result += Array(("\\U" + String(repeating: "0", count: 8 - digits.count) + digits).utf8)
                index += 12
            } else {
                result += bytes[index..<min(index + 2, bytes.count)]
                index += 2
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    // MARK: - Fields

    mutating func sayUnknown(_ value: YamlValue, _ known: [String]) {
        for entry in value.entries ?? [] where !known.contains(entry.key) {
            let hint = suggestion(for: entry.key, among: known).map { "; \($0)" } ?? ""
            say("the key \(quoted(entry.key)) is unknown and is not carried\(hint)", at: entry.place)
        }
    }

    /// The text of a key; nil where there is none, or something else, which is said.
    mutating func text(_ value: YamlValue, _ key: String) -> String? {
        guard let given = value[key] else { return nil }
        guard let text = given.text else {
            refuse("expected a text for '\(key)', found \(given.kindName)", at: given.place)
            return nil
        }
        return text.allSatisfy(\.isWhitespace) ? nil : text
    }

    mutating func boolean(_ value: YamlValue, _ key: String) -> Bool? {
        guard let given = value[key] else { return nil }
        switch given.text?.lowercased() {
        case "true": return true
        case "false": return false
        default:
            refuse(
                "expected true or false for '\(key)', found \(given.text.map { quoted($0) } ?? given.kindName)",
                at: given.place)
            return nil
        }
    }

    private mutating func word<Word: RawRepresentable<String>>(
        _ value: YamlValue, _ key: String, _ words: [Word]
    ) -> Word? {
        guard let text = text(value, key), let place = value[key]?.place else { return nil }
        return word(text, key, words, at: place)
    }

    private mutating func word<Word: RawRepresentable<String>>(
        _ text: String, _ key: String, _ words: [Word], at place: Place
    ) -> Word? {
        if let word = Word(rawValue: text) { return word }
        let known = words.map(\.rawValue)
        let hint = suggestion(for: text, among: known).map { "; \($0)" } ?? ""
        say(
            "\(quoted(text)) is none of the words of '\(key)' (\(known.joined(separator: ", "))) and is not carried\(hint)",
            at: place)
        return nil
    }

    private mutating func hardware(_ root: YamlValue) -> Hardware {
        if root["hardware_type"] == nil {
            say("the recipe has no 'hardware_type'; the image is for cpu", at: root.place)
        }
        return word(root, "hardware_type", Hardware.allCases) ?? .cpu
    }

    private mutating func supports(_ root: YamlValue) -> [ResourceKind] {
        guard let given = root["supports"] else { return [] }
        guard let items = given.items else {
            say("expected a list for 'supports', found \(given.kindName); it is not carried", at: given.place)
            return []
        }
        var found: Set<ResourceKind> = []
        for item in items {
            guard let text = item.text else {
                say("an item of 'supports' is no text and is not carried", at: item.place)
                continue
            }
            if let kind = word(text, "supports", ResourceKind.allCases, at: item.place) { found.insert(kind) }
        }
        return ResourceKind.allCases.filter(found.contains)
    }

    /// A recipe names a user or a group, and does not say which.
    private mutating func owner(_ root: YamlValue) -> String? {
        guard let text = text(root, "owner"), let place = root["owner"]?.place, text != Owner.allUsers.text else {
            return nil
        }
        if let owner = ImageFields.owner(text) { return owner.text }
        if let owner = ImageFields.owner("user/" + text) {
            say("the owner \(quoted(text)) is written '\(owner.text)'; a group is 'group/NAME'", at: place)
            return owner.text
        }
        say("the owner \(quoted(text)) is not carried: it can be no owner of a definition", at: place)
        return nil
    }
}
