// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveTestSupport

/// What is wrong is shown by each command with all errors at once, and in the forms that other programs read.
@Suite(.limitedParallelism, .temporaryDirectory, .timeLimit(.minutes(60)))
struct DiagnosticsTests {
    private static let broken = [
        "images/a/image.yaml": "base: localhost/x\nhardware: tpu\n",
        "images/a/requirements.txt": "numpy=1.19\nsix\n",
        "images/b/image.yaml": "base: localhost/x\n",
        "images/b/environment.yml": "dependencies:\n  - dask[complete]\n  - pip:\n    - x==\n",
    ]

    /// The lines of each error, with its caret.
    private static let excerpts = [
        "  hardware: tpu\n            ^\n", "  numpy=1.19\n       ^\n", "      - x==\n           ^\n",
    ]

    @Test
    func everyCommandShowsAllErrorsWithACaret() async throws {
        let fleet = try await Fleet()
        try await fleet.git.commit(Self.broken, message: "Break two")
        for command in ["validate", "plan", "reconcile"] {
            let result = try await fleet.varve.run(command)
            #expect(result.status == 1, "\(result)")
            for excerpt in Self.excerpts { #expect(result.stdout.contains(excerpt), "\(command): \(result)") }
        }
        let validated = try await fleet.varve.run("validate")
        #expect(validated.stdout.contains("warning: packages of conda have no extras"), "\(validated)")
        #expect(validated.stdout.hasSuffix("0 images good, 2 invalid, 3 errors, 1 warning\n"), "\(validated)")
    }

    @Test
    func aWarningIsNoError() async throws {
        let fleet = try await Fleet()
        try await fleet.git.commit(
            [
                "images/b/image.yaml": "base: localhost/x\n",
                "images/b/environment.yml": "dependencies: ['dask[complete]']\n",
            ], message: "Warn")
        let result = try await fleet.varve.run("validate")
        #expect(result.status == 0, "\(result)")
        #expect(result.stdout.hasSuffix("1 image good, 0 invalid, 1 warning\n"), "\(result)")
        // A path with a typing error has nothing to check, which is not the same as nothing wrong.
        let nothing = try await fleet.varve.run("validate", "imges")
        #expect(nothing.status == 1 && nothing.stderr.contains("there is nothing at 'imges'"), "\(nothing)")
        let json = try JSONValue(parsing: try await fleet.varve.run("validate", "--format", "json").stdout)
        #expect(json[0]["severity"].string == "warning" && json[0]["code"].string == "VRV136", "\(json)")
    }

    /// Fails where the document is none of SARIF 2.1.0, by the schema of OASIS as SchemaStore hands it out.
    private static let program = """
        import json, pathlib, sys
        import jsonschema, requests_cache, schemastore
        url = "https://json.schemastore.org/sarif-2.1.0.json"
        store = requests_cache.CachedSession(pathlib.Path(schemastore.__file__).parent / "cache").cache.responses
        schema = next(answer.json() for answer in store.values() if answer.url == url)
        assert schema["title"].startswith("Static Analysis Results Format (SARIF) Version 2.1.0")
        jsonschema.Draft7Validator.check_schema(schema)
        checker = jsonschema.FormatChecker()
        errors = list(jsonschema.Draft7Validator(schema, format_checker=checker).iter_errors(json.load(sys.stdin)))
        for error in errors:
            print(error.json_path, error.message)
        sys.exit(1 if errors else 0)
        """

    @Test
    func sarifIsThatOfTheStandard() async throws {
        let fleet = try await Fleet()
        for files in [Self.broken, ["images/é ü/image.yaml": "base: [x]\n"], Self.broken.mapValues { _ in "" }] {
            try await fleet.git.commit(files.merging(["n": files.description]) { $1 }, message: "Next")
            let result = try await fleet.varve.run("validate", "--format", "sarif")
            let verdict = try await Command.result("python3", ["-c", Self.program], input: result.stdout)
            #expect(verdict.status == 0, "\(verdict)")
        }
        let wrong = #"{"version": "2.1.0", "runs": [{}]}"#
        let verdict = try await Command.result("python3", ["-c", Self.program], input: wrong)
        #expect(verdict.status == 1, "the validator takes anything: \(verdict)")
    }
}
