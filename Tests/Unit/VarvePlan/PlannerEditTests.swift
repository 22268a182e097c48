// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarvePlan

/// For each edit, exactly the named layers are executed, and for exactly the named reasons.
@Suite struct PlannerEditTests {
    struct Edit: CustomTestStringConvertible, Sendable {
        var name: String
        /// The layers that are executed.
        var executes: [String] = []
        /// The reasons of the image that is edited, and then of each image that is built because of it.
        var because: [String] = []
        var change: @Sendable (inout Bench) throws -> Void
        var testDescription: String { name }
    }

    private static let all = [
        "parent base", "parent apt", "parent conda", "parent pip", "parent postBuild", "parent config", "child base",
        "child pip", "child config",
    ]
    private static let pipAndLater = [
        "parent pip", "parent postBuild", "parent config", "child base", "child pip", "child config",
    ]

    /// A parent with every layer and a child with some, both built.
    private static func bench() throws -> Bench {
        var bench = Bench()
        try bench.push("debian 1", manifest: "m1")
        try bench.add("parent") { image in
            image.build = BuildData(
                apt: AptContent(packages: ["git", "graphviz"]),
                conda: CondaContent(channels: ["conda-forge"], dependencies: ["python=3.12.*"]),
                pip: PipContent(requirements: ["polars>=0.20", "numpy"]),
                postBuild: PostBuildContent(
                    script: script("echo a"),
                    inputs: [InputFile(path: try RepositoryPath("a.json"), id: try objectID("a"), isExecutable: false)])
            )
            image.environment = ["TZ": "UTC"]
            image.start = script("exec \"$@\"")
            image.verify = script("true")
        }
        try bench.add("child", on: .image(try ImageName("parent"))) { image in
            image.build = BuildData(pip: PipContent(requirements: ["requests"]))
        }
        _ = try bench.build()
        return bench
    }

    static let edits: [Edit] = [
        Edit(name: "nothing") { _ in },
        Edit(name: "a comment: another tree, the same meaning") { bench in
            try bench.edit("parent") { $0.tree = try objectID("9") }
        },
        Edit(name: "reordered and repeated lists") { bench in
            bench.edit("parent") { image in
                image.build.apt = AptContent(packages: ["graphviz", "git", "git"])
                image.build.pip = PipContent(requirements: ["numpy", "polars>=0.20"])
            }
        },
        Edit(name: "description, owner, visibility, supports") { bench in
            bench.edit("parent") { image in
                image.description = "other"
                image.owner = .group("g")
                image.visibility = .account
                image.supports = [.dask]
            }
        },
        Edit(name: "a further tag: published again", because: ["published latest -> latest stable"]) { bench in
            bench.edit("parent") { $0.tags = ["stable"] }
        },
        Edit(name: "edited verify: nothing but the check", because: ["verify changed"]) { bench in
            bench.edit("parent") { $0.verify = script("test -e /etc") }
        },
        Edit(name: "verify taken away") { bench in bench.edit("parent") { $0.verify = nil } },
        Edit(
            name: "one pip line", executes: pipAndLater,
            because: ["pip +polars>=1 -polars>=0.20", "base parent@OLD -> parent@NEW"]
        ) { bench in
            bench.edit("parent") { $0.build.pip = PipContent(requirements: ["polars>=1", "numpy"]) }
        },
        Edit(
            name: "one apt package", executes: all.filter { $0 != "parent base" },
            because: ["apt +curl", "base parent@OLD -> parent@NEW"]
        ) { bench in
            bench.edit("parent") { $0.build.apt = AptContent(packages: ["git", "curl", "graphviz"]) }
        },
        Edit(
            name: "a postBuild byte", executes: pipAndLater.filter { $0 != "parent pip" },
            because: [
                "postBuild +script 1860ea0a80f4 -script ce6da0ed618a", "base parent@OLD -> parent@NEW",
            ]
        ) { bench in
            bench.edit("parent") { $0.build.postBuild?.script = script("echo b") }
        },
        Edit(
            name: "an inputs file", executes: pipAndLater.filter { $0 != "parent pip" },
            because: [
                "postBuild +input a.json bbbbbbbbbb -input a.json aaaaaaaaaa", "base parent@OLD -> parent@NEW",
            ]
        ) { bench in
            try bench.edit("parent") { image in
                image.build.postBuild = PostBuildContent(
                    script: script("echo a"),
                    inputs: [InputFile(path: try RepositoryPath("a.json"), id: try objectID("b"), isExecutable: false)])
            }
        },
        Edit(
            name: "env", executes: ["parent config", "child base", "child pip", "child config"],
            because: ["config +env TZ=CET -env TZ=UTC", "base parent@OLD -> parent@NEW"]
        ) { bench in
            bench.edit("parent") { $0.environment = ["TZ": "CET"] }
        },
        Edit(
            name: "a layer taken away", executes: pipAndLater,
            because: ["conda -channel conda-forge -python=3.12.*", "base parent@OLD -> parent@NEW"]
        ) { bench in
            bench.edit("parent") { $0.build.conda = nil }
        },
        Edit(
            name: "a layer added to the child only", executes: ["child apt", "child pip", "child config"],
            because: ["apt +jq"]
        ) { bench in
            bench.edit("child") { $0.build.apt = AptContent(packages: ["jq"]) }
        },
        Edit(
            name: "parent and child at once",
            executes: ["parent config", "child base", "child pip", "child config"],
            because: [
                "config +env B=1", "base parent@OLD -> parent@NEW, pip +flask -requests",
            ]
        ) { bench in
            bench.edit("parent") { $0.environment["B"] = "1" }
            bench.edit("child") { $0.build.pip = PipContent(requirements: ["flask"]) }
        },
        Edit(
            name: "base moved in the registry", executes: all,
            because: [
                "base docker.io/library/debian:bookworm@OLD -> docker.io/library/debian:bookworm@NEW",
                "base parent@OLD -> parent@NEW",
            ]
        ) { bench in
            try bench.push("debian 2", manifest: "m2")
        },
        Edit(name: "the same base content under another manifest") { bench in
            try bench.push("debian 1", manifest: "m1, compressed again")
        },
        Edit(name: "another reference of the same content") { bench in
            try bench.push("debian 1", manifest: "m1", to: "docker.io/library/debian:12")
            try bench.edit("parent") { $0.base = .registry(try ImageReference("docker.io/library/debian:12")) }
        },
        Edit(
            name: "another platform", executes: all,
            because: [
                "base docker.io/library/debian:bookworm@OLD linux/amd64 -> docker.io/library/debian:bookworm@OLD linux/arm64",
                "base parent@OLD linux/amd64 -> parent@NEW linux/arm64",
            ]
        ) { bench in
            let arm = try Platform("linux/arm64")
            bench.edit("parent") { $0.platforms = [arm] }
            bench.edit("child") { $0.platforms = [arm] }
        },
        Edit(
            name: "registry location moved: published again",
            because: [
                "published r.example.com/parent -> s.example.com/parent",
                "published r.example.com/child -> s.example.com/child",
            ]
        ) { bench in
            bench.location = "s.example.com"
        },
        Edit(name: "artefact missing: published again", because: ["r.example.com/child@sha256:0 is missing"]) { bench in
            bench.missing[try ImageName("child")] = "r.example.com/child@sha256:0"
        },
        Edit(name: "forced", because: ["asked for"]) { bench in bench.forced = [try ImageName("parent")] },
        Edit(
            name: "a parent rebuilt to the same content", executes: ["parent config"],
            because: ["config +env TZ=CET -env TZ=UTC"]
        ) { bench in
            let name = try ImageName("parent")
            let platform = try Platform(Bench.platform)
            bench.contents[name] = History(bench.records).published(name, for: platform)?.configDigest
            bench.edit("parent") { $0.environment = ["TZ": "CET"] }
        },
    ]

    @Test(arguments: edits)
    func executesExactlyTheNamedLayers(_ edit: Edit) throws {
        var bench = try Self.bench()
        #expect(bench.plan.isSettled)
        let before = bench.records.count
        let old = try digests(bench)
        try edit.change(&bench)
        let executed = try bench.build()
        #expect(executed.sorted() == edit.executes.sorted())
        let new = try digests(bench)
        let reasons = bench.records[before...].map { record in
            record.reasons.map(\.description).joined(separator: ", ")
        }
        let expected = edit.because.map { line in
            let subject = line.hasPrefix("base parent") ? "parent" : Bench.reference
            return line.replacing("@OLD", with: "@\(old[subject] ?? "")").replacing(
                "@NEW", with: "@\(new[subject] ?? "")")
        }
        #expect(Array(reasons) == expected)
        #expect(bench.plan.isSettled)
    }

    /// The first digits of the config digests of the parent and of its base.
    private func digests(_ bench: Bench) throws -> [String: String] {
        var result: [String: String] = [:]
        let platform = bench.images.first { $0.name.value == "parent" }?.platforms.first
        let parent = try History(bench.records).published(
            ImageName("parent"), for: platform ?? Platform(Bench.platform))
        result["parent"] = (parent?.configDigest.hex.prefix(12)).map { String($0) }
        if case .success(let image) = bench.bases[try ImageReference(Bench.reference)] {
            result[Bench.reference] = String(image.configDigest.hex.prefix(12))
        }
        return result
    }

    @Test func thereAndBackAgainExecutesOnce() throws {
        var bench = try Self.bench()
        let old = bench.images
        bench.edit("parent") { $0.build.pip = PipContent(requirements: ["polars>=1", "numpy"]) }
        #expect(try bench.build() == Self.pipAndLater)
        bench.images = old
        #expect(try bench.plan(of: "parent").reasons.map(\.description) == ["pip +polars>=0.20 -polars>=1"])
        #expect(try bench.plan(of: "parent").layers.allSatisfy { $0.action == .reuse })
        #expect(try bench.build() == [])
        #expect(bench.plan.isSettled)
    }

    /// Without the words for the old layers, a plan still names the layer that changed.
    @Test func lostDescriptionsStillNameTheLayer() throws {
        var bench = try Self.bench()
        bench.descriptions = [:]
        bench.edit("parent") { $0.build.pip = PipContent(requirements: ["polars>=1", "numpy"]) }
        #expect(try bench.plan(of: "parent").reasons == [.contentChanged(layer: .pip, removed: [], added: [])])
        bench.edit("parent") { $0.build.postBuild = nil }
        #expect(
            try bench.plan(of: "parent").reasons == [
                .contentChanged(layer: .pip, removed: [], added: []),
                .contentChanged(layer: .postBuild, removed: [], added: []),
            ])
    }

    /// The value of a credential is in the key and in no reason.
    @Test func changedSecretIsNamedWithoutItsValue() throws {
        var bench = try Self.bench()
        bench.edit("parent") { $0.environment["API_TOKEN"] = "abc" }
        try bench.build()
        bench.edit("parent") { $0.environment["API_TOKEN"] = "def" }
        #expect(try bench.plan(of: "parent").reasons == [.contentChanged(layer: .config, removed: [], added: [])])
    }

    @Test func recipeChangeIsNamed() throws {
        var bench = try Self.bench()
        let key = try bench.plan(of: "parent").layers.first { $0.kind == .apt }?.key
        guard let key, var old = bench.descriptions[key] else { throw Bench.Missing(name: "apt") }
        // What a record of an older varve looks like: another key, described with another recipe.
        let oldKey = LayerKey(bytes: [7])
        old = LayerDescription(key: oldKey, recipe: 0, lines: old.lines)
        bench.descriptions[oldKey] = old
        for index in bench.records.indices {
            for layer in bench.records[index].layers.indices where bench.records[index].layers[layer].kind >= .apt {
                let isApt = bench.records[index].layers[layer].kind == .apt
                bench.records[index].layers[layer].key = isApt ? oldKey : LayerKey(bytes: [8, UInt8(layer)])
            }
        }
        #expect(try bench.plan(of: "parent").reasons == [.recipeChanged(layer: .apt, old: 0, new: 2)])
    }

    @Test func reasonsComeInTheOrderOfTheLayers() throws {
        var bench = try Self.bench()
        bench.edit("parent") { image in
            image.tags = ["stable"]
            image.verify = script("false")
            image.environment = [:]
            image.build = BuildData(apt: AptContent(packages: ["git"]), pip: PipContent(requirements: ["numpy"]))
        }
        try bench.push("debian 2", manifest: "m2")
        bench.forced = [try ImageName("parent")]
        let reasons = try bench.plan(of: "parent").reasons
        #expect(
            reasons.map { $0.layer?.rawValue ?? $0.kind } == [
                "base", "apt", "conda", "pip", "postBuild", "config", "verify-changed", "publication-changed", "forced",
            ])
        for _ in 0..<5 { #expect(try bench.plan(of: "parent").reasons == reasons) }
    }
}
