// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveFuzz

/// Broken and nearly right files end in a definition or in findings; `varve-bench fuzz` does the same for longer.
@Suite("Fuzzing")
struct FuzzTests {
    @Test(arguments: [1, 2] as [UInt64])
    func everyInputIsReadOrRefused(_ seed: UInt64) throws {
        var fuzzer = Fuzzer(seed: seed)
        let report = try fuzzer.run(2_000)
        #expect(report.failures == [])
        #expect(report.inputs == 2_000)
        #expect(report.accepted > 100)
    }
}
