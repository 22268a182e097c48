// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// The layers of R: what is read, what is equal, and what is refused with its place.
@Suite("R layers")
struct RLayerTests {
    private func build(_ text: String, _ files: [String: String] = [:]) throws -> BuildData {
        try DefinitionFixture.image("base: localhost/x\nbuild:\n" + text, files).build
    }

    @Test
    func everyLayerIsReadInItsPlace() throws {
        let data = try build(
            """
              cran: [jsonlite, MASS@7.3-60]
              bioconductor: [limma]
              remotes: [r-lib/cli@v3.6.1, 'gitlab::group/package']
              installR: |
                install.packages("x")
              pip: [ipykernel]
              registerKernel: true

            """
        )
        let mirror = "https://cloud.r-project.org"
        #expect(data.cran == CranContent(repository: mirror, packages: ["MASS@7.3-60", "jsonlite"]))
        #expect(data.bioconductor == BioconductorContent(repository: mirror, version: nil, packages: ["limma"]))
        #expect(
            data.remotes == RemotesContent(repository: mirror, packages: ["gitlab::group/package", "r-lib/cli@v3.6.1"]))
        #expect(data.installR?.script == Script(bytes: Array("install.packages(\"x\")\n".utf8)))
        #expect(
            data.contents.map(\.kind) == [.cran, .bioconductor, .remotes, .installR, .pip, .kernel])
    }

    @Test
    func mirrorIsThatOfEveryLayer() throws {
        let data = try build(
            "  cranMirror: https://r.example/cran/\n  cran: [aa]\n  bioconductor: [bb]\n  remotes: [c/d]\n",
            ["install.R": "1\r\n"])
        let mirrors = [
            data.cran?.repository, data.bioconductor?.repository, data.remotes?.repository, data.installR?.repository,
        ]
        #expect(mirrors == Array(repeating: "https://r.example/cran", count: 4))
        #expect(data.installR?.script.bytes == Array("1\r\n".utf8))
    }

    static let equal = [
        ("cran: [aa, bb]", "cran: |\n    # both\n    bb aa  # twice\n    aa\n"),
        ("cran: [aa@1.0]", "cran: [aa, aa@1.0, aa]"),
        ("cran: [aa]", "cran: [aa]\n  cranMirror: https://cloud.r-project.org/"),
        ("bioconductor: [aa, bb]", "bioconductor: bb aa"),
        ("remotes: [a/b, c/d@e]", "remotes: ['github::c/d@e', a/b, 'github::a/b']"),
        ("cran: []", "registerKernel: false"),
    ]

    @Test(arguments: equal)
    func spellingDoesNotCount(_ one: String, _ other: String) throws {
        #expect(try build("  \(one)\n") == build("  \(other)\n"))
    }

    static let different = [
        ("cran: [aa]", "cran: [AA]"), ("cran: [aa@1.0]", "cran: [aa@1.1]"), ("cran: [aa]", "bioconductor: [aa]"),
        ("cran: [aa]", "cran: [aa]\n  cranMirror: https://r.example"), ("remotes: [a/b]", "remotes: [a/b@c]"),
        ("remotes: [a/b]", "remotes: ['gitlab::a/b']"), ("pip: [a]", "pip: [a]\n  registerKernel: true"),
    ]

    @Test(arguments: different)
    func meaningCounts(_ one: String, _ other: String) throws {
        #expect(try build("  \(one)\n") != build("  \(other)\n"))
    }

    static let wrong = [
        ("cran: [aa, data_table]", "VRV081 3:14", "did you mean 'data.table'?"),
        ("cran: [dplyr==1.0]", "VRV081 3:10", "write 'dplyr@VERSION' for one version"),
        ("cran: ['library(aa)']", "VRV081 3:11", "write the name alone"),
        ("cran: aa, bb", "VRV081 3:9", "packages are separated by blanks or lines"),
        ("cran: [r-lib/cli]", "VRV081 3:10", "packages of Git hosts stand under 'remotes'"),
        ("cran: [a]", "VRV081 3:10", nil), ("cran: [1a]", "VRV081 3:10", nil), ("cran: [aa.]", "VRV081 3:10", nil),
        ("cran: |\n    aa\n    bb $(reboot)", "VRV081 5:8", nil),
        ("cran: [aa@1]", "VRV082 3:13", "did you mean 'aa@1.0'?"),
        ("cran: [aa@v1.2]", "VRV082 3:13", "did you mean 'aa@1.2'?"),
        ("cran: [aa@1..2]", "VRV082 3:13", nil),
        ("cran: [aa@1.0, aa@1.1]", "VRV083 3:18", nil),
        ("bioconductor: [limma@3.5]", "VRV082 3:18", "write 'limma'"),
        ("remotes: [cli]", "VRV084 3:13", "packages of CRAN stand under 'cran'"),
        ("remotes: ['gihub::a/b']", "VRV084 3:14", "did you mean 'github'?"),
        ("remotes: ['url::https://a/b']", "VRV084 3:14", nil),
        ("remotes: ['https://github.com/a/b']", "VRV084 3:14", "leave the host's address out"),
        ("remotes: ['a/b#12']", "VRV084 3:14", "name a branch, tag or commit with '@' in place of a pull request"),
        ("remotes: [a/b/c]", "VRV084 3:13", "packages in a subfolder are not supported"),
        ("remotes: [a/b@--x]", "VRV084 3:13", nil), ("remotes: [../b]", "VRV084 3:13", nil),
        ("cranMirror: r.example", "VRV085 3:15", "write it as 'https://HOST/PATH'"),
        ("cranMirror: file:///etc", "VRV085 3:15", nil),
        ("cranMirror: 'https://r.example/\"x'", "VRV085 3:15", nil),
        ("cranMirror: https://u:secret@r.example", "VRV085 3:15", "have the operator configure access to the host"),
        ("registerKernel: maybe", "VRV011 3:19", nil),
    ]

    @Test(arguments: wrong)
    func errorsHaveAPlaceAndAHint(_ text: String, _ place: String, _ hint: String?) throws {
        let found = try DefinitionFixture.diagnostics("base: localhost/x\nbuild:\n  \(text)\n")
        #expect(places(found) == [place + " image.yaml"])
        #expect(found.first?.hint == hint)
        #expect(found.allSatisfy { !$0.description.contains("secret") })
    }

    @Test
    func installRIsOneScript() throws {
        let yaml = "base: localhost/x\nbuild:\n  installR: |\n    1\n"
        #expect(
            places(try DefinitionFixture.diagnostics(yaml, ["install.R": "2\n"])) == ["VRV014 3:13 image.yaml"])
        let plain = "base: localhost/x\n"
        #expect(places(try DefinitionFixture.diagnostics(plain, ["install.r": "2\n"])) == ["VRV009 0:0 install.r"])
        #expect(
            places(try DefinitionFixture.diagnostics(plain, ["install.R": "\u{FEFF}1\n"])) == ["VRV038 1:1 install.R"])
    }

    @Test
    func manyErrorsStayFew() throws {
        let lines = (0..<5000).map { "    _\($0)\n" }.joined()
        let found = try DefinitionFixture.diagnostics("base: localhost/x\nbuild:\n  cran: |\n" + lines)
        #expect(found.count <= 200)
    }
}
