// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild

@Suite struct RetryAfterTests {
    struct Header: Sendable, CustomTestStringConvertible {
        var text: String
        var seconds: Int?
        var testDescription: String { text }
    }

    /// Compared with 1994-11-06T08:49:37Z.
    @Test(arguments: [
        Header(text: "0", seconds: 0), Header(text: "120", seconds: 120),
        Header(text: "99999999999999999999999", seconds: 86_400), Header(text: "90000", seconds: 86_400),
        Header(text: "Sun, 06 Nov 1994 08:50:00 GMT", seconds: 23),
        Header(text: "Sun, 06 Nov 1994 08:49:00 GMT", seconds: 0),
        Header(text: "Sat, 05 Nov 2094 08:49:37 GMT", seconds: 86_400),
        Header(text: "Thu, 31 Feb 2000 00:00:00 GMT", seconds: nil), Header(text: "soon", seconds: nil),
        Header(text: "-1", seconds: nil), Header(text: "1.5", seconds: nil), Header(text: "", seconds: nil),
    ])
    func waitIsReadFromSecondsAndDates(_ header: Header) throws {
        let now = try Timestamp("1994-11-06T08:49:37Z")
        #expect(RetryAfter.wait(header.text, now: now) == header.seconds.map { .seconds($0) })
    }
}
