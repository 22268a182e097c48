// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveTestSupport

@Suite struct HistoryTests {
    /// Records of several images with every status, layers of every action, bases with and without a platform.
    private static func records() throws -> [BuildRecord] {
        let statuses: [ImageStatus] = [.built, .error, .adopted, .invalid, .retired, .blocked]
        let base = try Digest(hex: String(repeating: "c", count: 64))
        return try (0..<24).map { number in
            // Two of each start, so that the id has to decide.
            var record = try Samples.record(number, image: "image-\(number % 3)", start: 1_795_000_000 + number / 2)
            record.status = statuses[number % statuses.count]
            record.folder = try RepositoryPath("images/\(number % 4)")
            record.tree = try ObjectID(hex: Samples.id(number % 5))
            record.layers[0].action = number % 7 == 0 ? .failed : .built
            record.base = BaseRecord(
                reference: "registry.example.com/base:\(number % 2)", manifestDigest: base,
                configDigest: try Digest(hex: Samples.id(number, digits: 64)))
            if number % 3 > 0 { record.platform = try Platform("linux/amd64") }
            return record
        }
    }

    @Test
    func orderAndRepetitionOfRecordsDoNotMatter() throws {
        let records = try Self.records()
        let history = History(records)
        var generator = SeededRandom(seed: 7)
        for _ in 0..<50 {
            let shuffled = records.shuffled(using: &generator)
            #expect(History(shuffled + shuffled.prefix(9)) == history)
        }
        #expect(History(records.dropLast()) != history)
    }

    @Test
    func newestRecordsOfAnImageAreKept() throws {
        let records = try Self.records()
        let history = History(records)
        for name in Set(records.map(\.image)) {
            let own = records.filter { $0.image == name }
            #expect(history.latest[name] == own.last)
            #expect(history.lastGood[name] == own.last { $0.status == .built || $0.status == .adopted })
        }
        #expect(Set(history.newest.map(\.id)).isSubset(of: records.map(\.id)))
        for (number, record) in records.enumerated() {
            #expect(history.hasFinished(record.layers[0].key) == (number % 7 != 0))
        }
    }

    @Test
    func baseIsWhatTheNewestRecordOfItsPlatformSays() throws {
        let records = try Self.records()
        let history = History(records)
        let (host, other) = try (Platform("linux/amd64"), Platform("linux/arm64"))
        for text in ["registry.example.com/base:0", "registry.example.com/base:1", "registry.example.com/none"] {
            let reference = try ImageReference(text)
            // A record that names no platform was made on the host's.
            let last = records.last { $0.base?.reference == text }
            let found = history.base(PlatformReference(reference, for: host), host: host)
            #expect(found?.configDigest == last?.base?.configDigest)
            let unnamed = records.last { $0.base?.reference == text && $0.platform == nil }
            let elsewhere = history.base(PlatformReference(reference, for: other), host: other)
            #expect(elsewhere?.configDigest == unnamed?.base?.configDigest)
            #expect(history.base(PlatformReference(reference, for: other), host: host) == nil)
        }
    }
}
