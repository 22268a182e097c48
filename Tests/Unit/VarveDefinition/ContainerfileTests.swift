// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

@Suite("Containerfile")
struct ContainerfileTests {
    private static let yaml = "base: {containerfile: Containerfile}\n"

    private func specification(
        _ text: String, _ files: [String: String] = [:], yaml: String = yaml
    ) throws -> ContainerfileSpecification {
        let image = try DefinitionFixture.image(
            yaml, ["Containerfile": text].merging(files) { _, own in own })
        guard case .containerfile(let specification) = image.base else {
            Issue.record("the base is \(image.base)")
            return ContainerfileSpecification(path: .root, files: [], images: [])
        }
        return specification
    }

    @Test func imagesAreFoundWithDefaultsAndStagesAreNone() throws {
        let text = """
            # a comment
            ARG TAG=1.2
            ARG IMAGE="quay.io/a/b:${TAG}"
            from ${IMAGE} as build
            RUN echo \\
                # a comment inside
                FROM nothing
            FROM scratch
            COPY --from=build /a /a
            COPY --from=0 /a /a
            COPY --chown=0:0 --from=localhost:5000/tool:1 /t /t
            FROM build

            """
        #expect(try specification(text).images.map(\.description) == ["localhost:5000/tool:1", "quay.io/a/b:1.2"])
    }

    @Test func contextIsTheFolderWithoutTheDefinition() throws {
        let files = ["data/x": "x", "apt.txt": "git\n", "verify": "#!/bin/sh\n", "start.txt": "s"]
        let first = try specification("FROM localhost/x\n", files)
        #expect(first.files.map(\.path.description) == ["Containerfile", "data/x", "start.txt"])
        let described = try specification("FROM localhost/x\n", files, yaml: "description: other\n" + Self.yaml)
        #expect(described == first)
        let edited = try specification("FROM localhost/x\n", files.merging(["data/x": "y"]) { _, own in own })
        #expect(edited != first)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var expected: String
        var testDescription: String { text }
    }

    @Test(arguments: [
        Case(text: "FROM debian\n", expected: "VRV123 1:6"),
        Case(text: "FROM docker-archive:5/x\n", expected: "VRV123 1:6"),
        Case(text: "FROM oci:/etc/passwd\n", expected: "VRV123 1:6"),
        Case(text: "ARG A\nFROM $A\n", expected: "VRV123 2:6"),
        Case(text: "ARG A=b.c/d\nFROM ${A:-x.y/z}\n", expected: "VRV123 2:6"),
        Case(text: "FROM a.b/c AS d\nCOPY --from=e /x /\n", expected: "VRV123 2:13"),
        Case(text: "FROM a.b/c\nARG E=x.y/z\nCOPY --from=$E /x /\n", expected: "VRV123 3:13"),
        Case(text: "FROM a.b/c\nCOPY ../x /\n", expected: "VRV124 2:6"),
        Case(text: "FROM a.b/c\nCOPY [\"a/../../x\", \"/\"]\n", expected: "VRV124 2:6"),
        Case(text: "FROM a.b/c\nADD https://x.y/z /\n", expected: "VRV124 2:5"),
        Case(text: "FROM a.b/c\nADD git@x.y:z /\n", expected: "VRV124 2:5"),
        Case(text: "FROM a.b/c\nARG U\nADD \\\n  $U /\n", expected: "VRV124 4:3"),
        Case(text: "FROM a.b/c\nRUN --mount=type=bind,from=x.y/z,target=/m ls\n", expected: "VRV124 2:5"),
        Case(text: "FROM a.b/c\nRUN --network=host ls\n", expected: "VRV124 2:5"),
        Case(text: "FROM --platform=linux/s390x a.b/c\n", expected: "VRV124 1:6"),
        Case(text: "FROM a.b/c\nONBUILD ADD x /\n", expected: "VRV124 2:1"),
        Case(text: "FROM a.b/c\nRUM ls\n", expected: "VRV122 2:1"),
        Case(text: "FROM a.b/c\nRUN cat <<EOF\n", expected: "VRV122 2:9"),
        Case(text: "# syntax=x.y/z\nFROM a.b/c\n", expected: "VRV122 1:1"),
        Case(text: "RUN ls\nFROM a.b/c\n", expected: "VRV122 1:1"),
        Case(text: "# nothing\n", expected: "VRV122 1:1"),
        Case(text: "FROM a.b/c\nRUN a\u{1b}[2J\n", expected: "VRV008 2:1"),
        // What only buildah's own way of reading would show.
        Case(text: "FROM a.b/c\nRUN -\\\n-mount=type=bind,from=x,target=/m ls\n", expected: "VRV124 2:5"),
        Case(text: "FROM a.b/c\nRUN \u{a0}--mount=type=bind,from=x,target=/m ls\n", expected: "VRV122 2:5"),
        Case(text: "FROM a.b/c\nCOPY --fr\\om=x /a /b\n", expected: "VRV124 2:6"),
        Case(text: "FROM a.b/c\nCOPY --from= /a /b\n", expected: "VRV123 2:13"),
        Case(text: "FROM a.b/c\nCOPY --fr\\\nom=x /a /b\n", expected: "VRV123 2:13"),
        Case(text: "FROM a.b/c\nCOPY --chmod=\"0755\" /a /b\n", expected: "VRV124 2:6"),
        Case(text: "FROM a.b/c\nADD --from=x.y/z /a /b\n", expected: "VRV124 2:5"),
        Case(text: "FROM a.b/c\nADD ht\\\ntp://x.y/z /\n", expected: "VRV124 2:5"),
        Case(text: "FROM a.b/c\nADD [\"http://x.y/z\",\"/\"]\n", expected: "VRV124 2:5"),
        Case(text: "FROM a.b/c\nADD [\"http:\\u002f/x.y/z\",\"/\"]\n", expected: "VRV124 2:5"),
        Case(text: "FROM a.b/c\nADD http:\\/\\/x.y/z /\n", expected: "VRV124 2:5"),
        Case(text: "FROM a.b/c\nRUN ls \\\\\n", expected: "VRV122 2:1"),
        Case(text: "FROM 0123456789ab\n", expected: "VRV123 1:6"),
    ])
    func hostileOrWrongFileIsRefusedAtItsPlace(_ example: Case) throws {
        let found = try DefinitionFixture.diagnostics(Self.yaml, ["Containerfile": example.text])
        #expect(places(found) == [example.expected + " Containerfile"], "\(found)")
    }

    @Test(arguments: ["../x/Containerfile", "/etc/passwd", "image.yaml/x", "Containerfil", "."])
    func fileMustBeInTheFolder(_ path: String) throws {
        let files = ["Containerfile": "FROM a.b/c\n"]
        let yaml = "base: {containerfile: '\(path)'}\n"
        let outside = ["x/Containerfile": "FROM a.b/c\n"]
        let found = try DefinitionFixture.diagnostics(yaml, files, outside: outside)
        #expect(found.map(\.code) == ["VRV121"], "\(found)")
    }

    @Test func linksInTheContextAreRefusedWhereverTheyLead() throws {
        let tree = try MemorySourceTree([
            "i/image.yaml": .file(Array(Self.yaml.utf8)), "i/Containerfile": .file(Array("FROM a.b/c\n".utf8)),
            "i/data/out": .symlink("../../../etc/passwd"), "i/data/in": .symlink("../Containerfile"),
        ])
        let fleet = try DefinitionReader(tree: tree, hostPlatform: Platform("linux/amd64")).readFleet()
        let found = fleet.invalid.flatMap(\.diagnostics)
        #expect(found.map(\.code) == ["VRV125", "VRV125"])
        #expect(found.allSatisfy { $0.message.contains("symbolic link") })
    }

    @Test func whatIsRenderedNamesThePinnedImagesAlone() {
        let text = ContainerfileText(
            "ARG T=1\r\nFROM a.b/c:$T \\\n  AS x\nCOPY --from=d.e/f /a /a\nFROM x\nRUN a.b/c:1\n")
        let rendered = text.rendered(images: ["a.b/c:1": "L1", "d.e/f": "L2"], variables: ["Z": "1", "A": "2"])
        #expect(
            rendered == """
                ARG T=1
                FROM L1   AS x
                ARG A=2
                ARG Z=1
                COPY --from=L2 /a /a
                FROM x
                ARG A=2
                ARG Z=1
                RUN a.b/c:1

                """)
    }
}
