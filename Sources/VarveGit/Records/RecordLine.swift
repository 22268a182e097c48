// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import VarveModel

/// The line of a state note: a record as one JSON object with sorted keys, at most 4 KB with its line break.
enum RecordLine {
    /// The most bytes that a line may have, its line break not counted.
    static let limit = 4_095

    /// Writes a record.
    ///
    /// One that is too long loses, step by step, the tail of its log, the ends of long texts and lists, its reasons, and
    /// in the end what can be told without; never its status, commit, tree, image or keys. However long the parts of a
    /// record are, one line too many would keep all later ones from being written.
    static func encode(_ record: BuildRecord) throws(GitError) -> [UInt8] {
        var record = record
        for step in 0...14 {
            shrink(&record, step)
            let line = try json(record)
            if line.count <= limit { return line }
        }
        throw GitError(.invalid, "write record '\(record.id)'", "it is longer than 4 KB without its texts")
    }

    /// Reads a line; nil where it is no record of a version that this program knows.
    static func decode(_ line: [UInt8]) -> BuildRecord? {
        guard let record = try? JSONDecoder().decode(BuildRecord.self, from: Data(line)),
            record.version <= BuildRecord.currentVersion
        else { return nil }
        return record
    }

    private static func json(_ record: BuildRecord) throws(GitError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(record))
        } catch {
            throw GitError(.invalid, "write record '\(record.id)'", "\(error)")
        }
    }

    private static func shrink(_ record: inout BuildRecord, _ step: Int) {
        switch step {
        case 0:
            // JSON has no word for what is no number.
            if !record.seconds.isFinite { record.seconds = 0 }
            for index in record.layers.indices where !record.layers[index].seconds.isFinite {
                record.layers[index].seconds = 0
            }
            record.reasons = record.reasons.map { $0.mapTexts { $0.map(redacted) } }
            if let message = record.error?.message { record.error?.message = redacted(message) }
            if let tail = record.error?.tail { record.error?.tail = redacted(tail) }
        case 1...4:
            // The end of a log says most.
            let tail = record.error?.tail ?? ""
            record.error?.tail = String(tail.suffix([2_000, 1_000, 400, 0][step - 1]))
        case 5...7:
            let lines = [20, 5, 1][step - 5]
            record.reasons = record.reasons.map { reason in
                reason.mapTexts { $0.prefix(lines).map { shortened($0, 120) } + ($0.count > lines ? ["…"] : []) }
            }
            if let message = record.error?.message { record.error?.message = shortened(message, 400) }
        case 8:
            record.reasons = []
            if let message = record.error?.message { record.error?.message = shortened(message, 100) }
        case 9:
            record.base?.images = nil
            record.reference = record.reference.map { shortened($0, 400) }
            if let reference = record.base?.reference { record.base?.reference = shortened(reference, 200) }
            record.tags = record.tags.prefix(3).map { shortened($0, 130) }
        case 10:
            record.tags = []
            record.engine = shortened(record.engine, 40)
            record.host = shortened(record.host, 40)
            record.trigger = shortened(record.trigger, 40)
        case 11: record.folder = shortened(record.folder, 400)
        case 12:
            record.layers = record.layers.map { layer in
                var short = LayerRecord(kind: layer.kind, key: layer.key, action: layer.action)
                short.platform = layer.platform
                return short
            }
            record.folder = shortened(record.folder, 100)
        case 13:
            // The first platform tells of all of them; of the others, whether they are as defined.
            let last = Dictionary(record.layers.map { ($0.platform, $0.key) }) { $1 }
            record.layers = record.layers.filter { $0.platform == nil || last[$0.platform] == $0.key }
            record.platforms = record.platforms?.map { platform in
                PlatformRecord(
                    platform: platform.platform, manifestDigest: platform.manifestDigest,
                    configDigest: platform.configDigest)
            }
        default:
            // Six bytes for one are what a control character takes in JSON.
            record.error?.message = ""
            record.reference = nil
            record.base = nil
            record.platform = nil
            record.layers = Array(record.layers.prefix(10))
            for text in [\BuildRecord.engine, \.host, \.trigger] { record[keyPath: text] = "" }
        }
    }
}

/// At most `count` bytes or so of a text, with an ellipsis where something was cut.
private func shortened(_ text: String, _ count: Int) -> String {
    text.utf8.count <= count ? text : String(decoding: text.utf8.prefix(count), as: UTF8.self) + "…"
}

/// A path cut to `count` bytes or so; the ellipsis keeps the cut name from being one that no path may have.
private func shortened(_ path: RepositoryPath, _ count: Int) -> RepositoryPath {
    let text = path.description
    if text.utf8.count <= count { return path }
    return (try? RepositoryPath(shortened(text, count))) ?? .root
}

extension RebuildReason {
    /// The reason with its old and new lines replaced by what `body` makes of them.
    fileprivate func mapTexts(_ body: ([String]) -> [String]) -> RebuildReason {
        func one(_ text: String) -> String { body([text]).first ?? "" }
        switch self {
        case .contentChanged(let layer, let removed, let added):
            return .contentChanged(layer: layer, removed: body(removed), added: body(added))
        case .baseChanged(let old, let new): return .baseChanged(old: one(old), new: one(new))
        case .lastBuildFailed(let message): return .lastBuildFailed(message: one(message))
        case .artefactMissing(let reference): return .artefactMissing(reference: one(reference))
        case .publicationChanged(let old, let new): return .publicationChanged(old: one(old), new: one(new))
        case .neverBuilt, .recipeChanged, .verifyChanged, .forced: return self
        }
    }
}
