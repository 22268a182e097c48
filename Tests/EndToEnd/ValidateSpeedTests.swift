// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// `varve validate` is fast enough to run before each commit: as a release, 1,000 definitions in a second and one in a tenth.
///
/// The program of the tests is a debug build, which takes some ten times as long, and the machine has other things to do. So
/// the bounds are in seconds of CPU, and thirty times those of a release: they fail where validating grows with the square of
/// the definitions, or does for each image what needs doing once. `Tests/run bench` prints the figures of a release.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct ValidateSpeedTests {
    struct Size: Sendable, CustomTestStringConvertible {
        var count: Int
        var seconds: Double
        var testDescription: String { "\(count)" }
    }

    @Test(arguments: [Size(count: 1, seconds: 3), Size(count: 1_000, seconds: 30)])
    func validateKeepsToItsTime(_ size: Size) async throws {
        let directory = try TemporaryDirectory.required()
        let git = try await GitCommandLine.initialize(directory.path("fleet"))
        var files: [String: String?] = ["varve.yaml": "defaults: {env: {TZ: UTC}}\npolicy: {bases: ['quay.io/**']}\n"]
        for number in 0..<size.count {
            let folder = "images/i\(number)/"
            let base = number.isMultiple(of: 10) ? "quay.io/a/b:\(number)" : "i\(number / 10 * 10)"
            files[folder + "image.yaml"] = "description: x\nowner: group/a\nbase: \(base)\ninputs: ['*.csv']\n"
            files[folder + "apt.txt"] = "git\njq\n"
            files[folder + "environment.yml"] = "channels: [c]\ndependencies: [python=3.12, 'xarray>=2024.\(number)']\n"
            files[folder + "requirements.txt"] = (0..<20).map { "package-\($0)>=1.\(number),<3\n" }.joined()
            files[folder + "postBuild"] = "cat table.csv\n"
            files[folder + "table.csv"] = "\(number)\n"
        }
        try git.write(files)
        let result = try await Command.result(
            "/usr/bin/time",
            ["--format", "%U %S %e", try VarveProcess.binary(), "validate", "--repo", git.folder])
        let noun = size.count == 1 ? "image" : "images"
        try #require(result.stdout == "\(size.count) \(noun) good, 0 invalid\n", "\(result)")
        let times = (result.stderr.split(separator: "\n").last ?? "").split(separator: " ").compactMap { Double($0) }
        try #require(times.count == 3, "\(result)")
        print("validate of \(size.count) \(noun), a debug build: \(times[0] + times[1]) s of CPU, \(times[2]) s in all")
        #expect(times[0] + times[1] < size.seconds)
    }
}
