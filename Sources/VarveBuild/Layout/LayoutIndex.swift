// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

/// The `index.json` of a layout: which manifest stands under which name.
///
/// Entries and fields that varve does not know are kept as they are.
struct LayoutIndex: Hashable, Sendable {
    private var document: JSONValue

    /// An index without entries.
    init() {
        document = .object([
            "schemaVersion": .integer(2), "mediaType": .string(MediaType.index), "manifests": .array([]),
        ])
    }

    /// Reads an index.
    ///
    /// - Throws: `BuildFailure` of class `environment` when it is none; such a file is never overwritten.
    init(_ bytes: [UInt8], path: String) throws(BuildFailure) {
        let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        guard let value, case .object = value, value["schemaVersion"] == .integer(2) else {
            throw BuildFailure(
                .environment, message: "failed to read '\(path)': it is not an image index; restore or remove it"
            )
        }
        document = value
    }

    /// The manifest under a name; nil where there is none, or where its entry is not well formed.
    func descriptor(named name: String) -> OCIDescriptor? {
        (document["manifests"]?.elements.first { Self.name(of: $0) == name }).flatMap(Self.descriptor)
    }

    /// The digests of the manifests under each name.
    var digests: [String: Digest] {
        var result: [String: Digest] = [:]
        for entry in document["manifests"]?.elements ?? [] {
            guard let name = Self.name(of: entry), let text = entry["digest"]?.text else { continue }
            result[name] = try? Digest(text)
        }
        return result
    }

    /// Puts a manifest under a name, in place of the one that is there.
    mutating func set(_ name: String, to descriptor: OCIDescriptor) {
        let entry = JSONValue.object([
            "mediaType": .string(descriptor.mediaType), "digest": .string(descriptor.digest.description),
            "size": .integer(descriptor.size),
            "annotations": .object([OCIDescriptor.referenceName: .string(name)]),
        ])
        var entries = document["manifests"]?.elements ?? []
        if let place = entries.firstIndex(where: { Self.name(of: $0) == name }) {
            entries[place] = entry
        } else {
            entries.append(entry)
        }
        document["manifests"] = .array(entries)
    }

    /// The index as it is written.
    ///
    /// - Throws: `BuildFailure` when it cannot be encoded.
    func encoded() throws(BuildFailure) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try Array(encoder.encode(document))
        } catch {
            throw BuildFailure(.unknown, message: "failed to encode the image index: \(error)")
        }
    }

    private static func descriptor(of entry: JSONValue) -> OCIDescriptor? {
        guard let type = entry["mediaType"]?.text, let text = entry["digest"]?.text, let digest = try? Digest(text),
            case .integer(let size) = entry["size"]
        else { return nil }
        return OCIDescriptor(mediaType: type, digest: digest, size: size)
    }

    private static func name(of entry: JSONValue) -> String? {
        entry["annotations"]?[OCIDescriptor.referenceName]?.text
    }
}
