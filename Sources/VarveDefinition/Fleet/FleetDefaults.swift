// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension FleetFile {
    /// The keys that an image with `copyFrom` does not copy; the defaults of all others came to the image it is copied
    /// from.
    private static let notCopied: Set<String> = ["description", "owner", "visibility", "tags", "suspend"]

    /// The document of an image with the defaults of all keys that it does not have, and whether a layer's may be among
    /// them.
    ///
    /// A layer of `build` and a script that stands in a file is had too: `given` tells, with `build.` before layers.
    func adding(to root: YamlValue, given: Set<String>) -> (root: YamlValue, addsLayer: Bool) {
        guard let defaults, case .mapping(var entries) = root.content else { return (root, false) }
        let isCopy = root["copyFrom"] != nil
        let isExternal = root["external"].map { !$0.isNull } ?? false
        var addsLayer = false
        for entry in defaults.entries ?? [] where !entry.value.isNull {
            // Nothing is built, so that what says how is no default of it.
            if isExternal, ExternalReader.excluded.contains(entry.key) { continue }
            if entry.key == "build" {
                let added = Self.adding(entry, to: &entries, given: given, isCopy: isCopy)
                addsLayer = addsLayer || added
            } else if !given.contains(entry.key), !isCopy || Self.notCopied.contains(entry.key) {
                entries.removeAll { $0.key == entry.key }
                entries.append(entry)
                addsLayer = addsLayer || Self.countsInAKey(entry.key)
            }
        }
        return (YamlValue(content: .mapping(entries), place: root.place), addsLayer)
    }

    /// Adds the layers of `build`, one by one.
    private static func adding(
        _ defaults: YamlValue.Entry, to entries: inout [YamlValue.Entry], given: Set<String>, isCopy: Bool
    ) -> Bool {
        let missing = (defaults.value.entries ?? []).filter { layer in
            !layer.value.isNull && !given.contains("build." + layer.key) && (!isCopy || layer.key == "cranMirror")
        }
        guard !missing.isEmpty else { return false }
        let index = entries.firstIndex { $0.key == "build" && !$0.value.isNull }
        guard let index else {
            entries.removeAll { $0.key == "build" }
            let value = YamlValue(content: .mapping(missing), place: defaults.value.place)
            entries.append(.init(key: "build", place: defaults.place, value: value))
            return true
        }
        guard var layers = entries[index].value.entries else { return false }
        layers.removeAll { layer in missing.contains { $0.key == layer.key } }
        entries[index].value.content = .mapping(layers + missing)
        return true
    }

    private static func countsInAKey(_ key: String) -> Bool {
        ImageKeys.all.contains { $0.name == key && !$0.layers.isEmpty } || key == "verify"
    }
}

/// The lines of the files that the texts of one image stand in: `image.yaml`, and `varve.yaml` for defaults.
struct SourceLines {
    private let lines: [RepositoryPath: [Substring.UTF8View]]

    init(_ texts: [RepositoryPath: String]) {
        lines = texts.mapValues { text in
            text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { Substring($0).utf8 }
        }
    }

    /// The lines of a file.
    subscript(file: RepositoryPath) -> [Substring.UTF8View] { lines[file] ?? [] }
}
