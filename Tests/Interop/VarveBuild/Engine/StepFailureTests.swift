// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild

@Suite struct StepFailureTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var content: LayerContent
        var failureClass: BuildFailure.Class
        var message: String
    }

    private static func script(_ text: String) -> LayerContent {
        .postBuild(PostBuildContent(script: Script(bytes: Array(text.utf8))))
    }

    static let cases = [
        Case(
            testDescription: "an apt package that does not exist",
            content: .apt(AptContent(packages: ["tree", "varve-no-such-package"])), failureClass: .definition,
            message: "failed to build layer 'apt': Unable to locate package varve-no-such-package"
        ),
        Case(
            testDescription: "an apt package that looks like an option",
            content: .apt(AptContent(packages: ["--allow-unauthenticated"])), failureClass: .definition,
            message: "failed to build layer 'apt': Unable to locate package --allow-unauthenticated"
        ),
        Case(
            testDescription: "a pip requirement that does not exist",
            content: .pip(PipContent(requirements: ["six==999"])), failureClass: .definition,
            message: "failed to build layer 'pip': No matching distribution found for six==999"
        ),
        Case(
            testDescription: "a python that the image does not have",
            content: .pip(PipContent(requirements: ["six==1.16.0"], python: "3.1")), failureClass: .definition,
            message: "failed to build layer 'pip': runtime.txt asks for python 3.1, but the image has python 3.11.2; "
                + "choose a base that has python 3.1, or change runtime.txt"
        ),
        Case(
            testDescription: "a failing script", content: script("echo doing; exit 3"), failureClass: .definition,
            message: "failed to build layer 'postBuild': it ended with exit status 3"
        ),
        Case(
            testDescription: "a script that was killed", content: script("kill -9 $$"), failureClass: .outOfMemory,
            message: "failed to build layer 'postBuild': it was killed by signal 9, most likely for lack of memory; "
                + "give the machine more or the step less to do"
        ),
        Case(
            testDescription: "a full disk", content: script("echo 'cp: No space left on device' >&2; exit 1"),
            failureClass: .diskFull, message: "failed to build layer 'postBuild': no space left on device"
        ),
        Case(
            testDescription: "a script that says the words of a network error",
            content: script("echo 'E: Failed to fetch it'; exit 1"), failureClass: .definition,
            message: "failed to build layer 'postBuild': it ended with exit status 1"
        ),
        Case(
            testDescription: "a base without conda",
            content: .conda(CondaContent(channels: ["conda-forge"], dependencies: ["xarray"])),
            failureClass: .definition,
            message: "failed to build layer 'conda': the image has no mamba, micromamba or conda; "
                + "environment.yml needs a base that has one"
        ),
    ]

    @Test(arguments: cases) func failureNamesLayerAndCause(_ expected: Case) async throws {
        let bench = EngineBench.shared
        let engine = try await bench.makeEngine()
        let base = try await bench.base()
        let failure = await #expect(throws: BuildFailure.self) {
            try await engine.build(EngineBench.request(expected.content, parent: base), log: Lines())
        }
        #expect(failure?.failureClass == expected.failureClass)
        #expect(failure?.message == expected.message)
        #expect(failure?.layer == expected.content.kind)
    }

    @Test func unreachableIndexIsTransient() async throws {
        let bench = EngineBench.shared
        let engine = try await bench.makeEngine()
        let base = try await bench.base()
        let content = PipContent(
            options: ["--index-url http://user:hunter22@127.0.0.1:9/simple"], requirements: ["six"]
        )
        let failure = await #expect(throws: BuildFailure.self) {
            try await engine.build(EngineBench.request(.pip(content), parent: base), log: Lines())
        }
        #expect(failure?.failureClass == .transient)
        #expect(failure?.tail.contains("hunter22") == false)
    }

    @Test func tailHoldsTheLastLinesWithoutCredentials() async throws {
        let bench = EngineBench.shared
        let engine = try await bench.makeEngine(environment: ["CI_JOB_TOKEN": "abcdef123456"])
        let base = try await bench.base()
        let text = """
            for i in $(seq 100); do echo line $i; done
            echo 'GET https://user:hunter22@example.com/x'; echo 'Authorization: Bearer xyz'; echo abcdef123456; exit 1
            """
        let failure = await #expect(throws: BuildFailure.self) {
            try await engine.build(EngineBench.request(Self.script(text), parent: base), log: Lines())
        }
        let lines = failure?.tail.split(separator: "\n").map(String.init) ?? []
        #expect((36...40).contains(lines.count) && lines.contains("line 100") && !lines.contains("line 1"))
        #expect(lines.contains("GET https://***@example.com/x"))
        #expect(!["hunter22", "xyz", "abcdef123456"].contains { failure?.tail.contains($0) == true })
    }
}
