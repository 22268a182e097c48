// SPDX-License-Identifier: Apache-2.0

public import VarveModel

/// Values for tests of records.
public enum Samples {
    /// A number as hexadecimal digits, zeros before it.
    public static func id(_ number: Int, digits: Int = 40) -> String {
        let hex = String(number, radix: 16)
        return String(repeating: "0", count: digits - hex.count) + hex
    }

    /// The record of a build that succeeded.
    public static func record(_ number: Int, image: String = "ds-python", start: Int? = nil) throws -> BuildRecord {
        BuildRecord(
            id: id(number, digits: 32), image: try ImageName(image), commit: try ObjectID(hex: id(number)),
            trigger: "reconcile", status: .built, reasons: [.neverBuilt],
            layers: [LayerRecord(kind: .apt, key: try key(number), action: .built, seconds: 1.5)],
            start: Timestamp(seconds: start ?? 1_795_000_000 + number), seconds: 2, engine: "buildah 1.28.2",
            host: "test")
    }

    /// A key that goes with a number.
    public static func key(_ number: Int) throws -> LayerKey {
        // The digits are spread, as those of a hash are.
        let seed = UInt64(truncatingIfNeeded: number) &* 0x9e37_79b9_7f4a_7c15
        let hex = String(seed, radix: 16)
        return try LayerKey(hex: hex + String(repeating: "0", count: 64 - hex.count))
    }

    /// The same record with its line and its descriptions.
    public static func entry(
        _ number: Int, on commits: [ObjectID], tree: ObjectID, image: String = "ds-python"
    ) throws -> RecordEntry {
        let record = try record(number, image: image)
        return RecordEntry(
            commits: commits, line: "\(record.start) \(image) built in 2s; number \(number)", tree: tree,
            record: record,
            descriptions: [LayerDescription(key: try key(number), recipe: 1, lines: ["curl", "git \(number)"])])
    }
}
