// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

@Suite struct TimestampTests {
    /// Foundation is the oracle, over the years that the form can write.
    @Test func agreesWithFoundation() throws {
        var random = SeededRandom(seed: 20_261_123)
        let style = Date.ISO8601FormatStyle(timeZone: .gmt)
        for _ in 0..<20_000 {
            let seconds = Int.random(in: -2_208_988_800...253_402_300_799, using: &random)
            let moment = Timestamp(seconds: seconds)
            #expect(moment.description == style.format(Date(timeIntervalSince1970: Double(seconds))))
            #expect(try Timestamp(moment.description) == moment)
        }
    }

    @Test func knowsLeapDaysAndTheEpoch() throws {
        #expect(Timestamp(seconds: 0).description == "1970-01-01T00:00:00Z")
        #expect(Timestamp(seconds: -1).description == "1969-12-31T23:59:59Z")
        #expect(try Timestamp("2000-02-29T00:00:00Z").seconds == 951_782_400)
        #expect(try Timestamp("2026-11-23T11:05:08Z").dottedDate == "2026.11.23")
    }

    static let bad = [
        "", "2026-11-23", "2026-11-23T11:05:08", "2026-11-23T11:05:08+00:00", "2026-11-23 11:05:08Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-12-31T23:59:60Z", "2O26-01-01T00:00:00Z",
        "-026-01-01T00:00:00Z",
        "2026-01-01T00:00:00é",
    ]

    @Test(arguments: bad)
    func refusesWhatIsNoMoment(_ text: String) {
        #expect(throws: ValueError.self) { try Timestamp(text) }
    }

    @Test func sortsAsText() {
        var random = SeededRandom(seed: 7)
        let moments = (0..<500).map { _ in Timestamp(seconds: Int.random(in: 0...4_000_000_000, using: &random)) }
        #expect(moments.sorted().map(\.description) == moments.map(\.description).sorted())
    }
}
