// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarveTestSupport

@testable import VarveBuild

/// Real R of Debian, with packages from a repository on loopback in the place of CRAN.
@Suite(.temporaryDirectory) struct RTests {
    /// The layers of R on one apt layer, which takes the most time.
    @Test func layersOfRInstallForEveryUserAndFailClearly() async throws {
        let bench = EngineBench.shared
        let engine = try await bench.makeEngine()
        let apt = try await engine.build(
            EngineBench.request(
                .apt(AptContent(packages: ["r-base-core", "r-cran-remotes", "r-cran-irkernel"])),
                parent: try await bench.base()), log: Lines()
        )
        // The second package imports the first. Nothing listens on the closed port.
        let mirror = try await CranMirror(
            [
                CranMirror.Package("varveone", "1.2-3", code: "plus <- function(a, b) a + b"),
                CranMirror.Package(
                    "varvetwo", "0.1.0", imports: "varveone", code: "twice <- function(x) varveone::plus(x, x)"),
            ], in: TemporaryDirectory.required())
        let closed = "http://127.0.0.1:\(try Loopback.freePort())"

        let cran = CranContent(repository: mirror.url, packages: ["varveone@1.2-3", "varvetwo"])
        let installed = try await build(.cran(cran), on: apt, engine)
        let again = try await build(.cran(cran), on: apt, engine)
        #expect(installed.diffID == again.diffID)
        let paths = try await EngineBench.listing(of: installed, store: engine.buildah.store)
        #expect(paths.contains { $0.hasSuffix(" usr/local/lib/R/site-library/varvetwo/DESCRIPTION") })
        let stray = paths.filter { !$0.hasPrefix("d ") && !$0.contains(" usr/local/lib/R/site-library/") }
        #expect(stray == [])

        let text = """
            stopifnot(getwd() == "/run/varve/build", identical(list.files(all.files = TRUE, no.. = TRUE), "install.R"))
            install.packages("varvetwo")\r
            stopifnot(varvetwo::twice(2) == 4)

            """
        let script = InstallRContent(repository: mirror.url, script: Script(bytes: Array(text.utf8)))
        let scripted = try await build(.installR(script), on: apt, engine)
        #expect(try await build(.installR(script), on: apt, engine).diffID == scripted.diffID)

        let failures: [(LayerContent, BuildFailure.Class, String)] = [
            (.cran(CranContent(repository: mirror.url, packages: ["varvethree"])), .definition, "'varvethree' is not"),
            (.cran(CranContent(repository: mirror.url, packages: ["varveone@9.9"])), .definition, "'varveone' is not"),
            (.cran(CranContent(repository: mirror.url + "/no", packages: ["varveone"])), .definition, "'varveone'"),
            (.cran(CranContent(repository: closed, packages: ["varveone"])), .transient, closed),
            (.kernel(KernelContent()), .definition, "needs the program jupyter"),
        ]
        for (content, expected, words) in failures {
            let failure = await #expect(throws: BuildFailure.self) { try await build(content, on: apt, engine) }
            #expect(failure?.failureClass == expected, "\(failure?.tail ?? "")")
            #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
        }

        let pip = try await build(.pip(PipContent(requirements: ["ipykernel"])), on: installed, engine)
        let kernel = try await build(.kernel(KernelContent()), on: pip, engine)
        let log = Lines()
        let check = """
            #!/bin/bash
            setpriv --reuid 1234 --clear-groups Rscript -e 'cat(varvetwo::twice(21), "\\n")' \
                -e 'cat(format(packageVersion("varveone")), packageDescription("varveone")$Built, "\\n")'
            jupyter kernelspec list --json | python3 -c 'import json, sys; print(*sorted(json.load(sys.stdin)["kernelspecs"]))'
            """
        try await engine.verify(kernel, script: Script(bytes: Array(check.utf8)), timeout: .seconds(120), log: log)
        #expect(log.all.first?.trimmingSuffix() == "42")
        #expect(log.all.dropFirst().first?.hasPrefix("1.2.3 R 4") == true)
        #expect(log.all.dropFirst().first?.contains("; 1980-01-02 00:00:00 UTC; unix") == true)
        #expect(log.all.last == "ir python3")
    }

    @Test func imageWithoutLanguagesSaysWhatIsMissing() async throws {
        let bench = EngineBench.shared
        let base = try await bench.base()
        let engine = try await bench.makeEngine()
        for (content, words) in [
            (LayerContent.cran(CranContent(repository: "http://localhost:1", packages: ["aa"])), "add r-base-core"),
            (.kernel(KernelContent()), "neither ipykernel"),
        ] {
            let failure = await #expect(throws: BuildFailure.self) { try await build(content, on: base, engine) }
            #expect(failure?.failureClass == .definition)
            #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
        }
    }

    @discardableResult
    private func build(
        _ content: LayerContent, on parent: BuiltLayer, _ engine: BuildahEngine
    ) async throws -> BuiltLayer {
        try await engine.build(EngineBench.request(content, parent: parent), log: Lines())
    }
}

extension String {
    /// Without blanks at the end.
    fileprivate func trimmingSuffix() -> String { String(reversed().drop { $0 == " " }.reversed()) }
}
