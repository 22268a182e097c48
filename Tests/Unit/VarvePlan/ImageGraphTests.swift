// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel
import VarvePlan
import VarveTestSupport

@Suite struct ImageGraphTests {
    /// A random forest: each image stands on an earlier one, on an unknown one or on a registry.
    private static func randomImages(_ random: inout SeededRandom) throws -> [ImageDefinition] {
        var bench = Bench()
        let count = Int.random(in: 1...40, using: &random)
        for index in 0..<count {
            switch Int.random(in: 0..<5, using: &random) {
            case 0: try bench.add("i\(index)")
            case 1: try bench.add("i\(index)", on: .image(try ImageName("nowhere")))
            default:
                let parent = Int.random(in: 0...max(0, index - 1), using: &random)
                if index == 0 {
                    try bench.add("i0")
                } else {
                    try bench.add("i\(index)", on: .image(try ImageName("i\(parent)")))
                }
            }
        }
        return bench.images
    }

    @Test func parentsComeFirstWhateverTheOrderOfTheDefinitions() throws {
        var random = SeededRandom(seed: 11)
        for _ in 0..<200 {
            let images = try Self.randomImages(&random)
            let graph = ImageGraph(images)
            #expect(graph.order.count == images.count)
            let place = Dictionary(uniqueKeysWithValues: graph.order.enumerated().map { ($1, $0) })
            for image in images {
                guard case .image(let parent) = image.base, let above = place[parent] else { continue }
                #expect(above < place[image.name] ?? -1)
                #expect(graph.children[parent]?.contains(image.name) == true)
                #expect(graph.descendants(of: parent).contains(image.name))
            }
            let again = ImageGraph(images.shuffled(using: &random))
            #expect(again.order == graph.order)
            #expect(again.children == graph.children)
        }
    }

    @Test func descendantsAreTheTransitiveChildren() throws {
        var random = SeededRandom(seed: 12)
        for _ in 0..<50 {
            let images = try Self.randomImages(&random)
            let graph = ImageGraph(images)
            for image in images {
                let below = graph.descendants(of: image.name)
                let expected = Set((graph.children[image.name] ?? []).flatMap { [$0] + graph.descendants(of: $0) })
                #expect(Set(below) == expected)
                #expect(below == below.sorted())
                #expect(!below.contains(image.name))
            }
        }
    }

    /// Reading refuses cycles; should one get here, nothing hangs and nothing is lost.
    @Test func cycleEndsAndLosesNothing() throws {
        var bench = Bench()
        try bench.push("debian", manifest: "m")
        try bench.add("x")
        try bench.add("a", on: .image(try ImageName("b")))
        try bench.add("b", on: .image(try ImageName("a")))
        try bench.add("s", on: .image(try ImageName("s")))
        let graph = ImageGraph(bench.images)
        #expect(graph.order.map(\.value) == ["x", "a", "b", "s"])
        #expect(graph.descendants(of: try ImageName("a")).map(\.value) == ["b"])
        #expect(try bench.build() == ["x base", "x config"])
    }

    @Test func planIsTheSameInEveryOrder() throws {
        var random = SeededRandom(seed: 13)
        for _ in 0..<20 {
            var bench = Bench()
            try bench.push("debian", manifest: "m")
            bench.images = try Self.randomImages(&random)
            let first = bench.plan.images.map { "\($0.definition.name) \($0.action) \($0.key?.hex ?? "-")" }
            bench.images.shuffle(using: &random)
            #expect(bench.plan.images.map { "\($0.definition.name) \($0.action) \($0.key?.hex ?? "-")" } == first)
        }
    }

    /// One change executes the image itself and what stands on it, and nothing else.
    @Test func oneChangeRebuildsOnlyItsDescendants() throws {
        var random = SeededRandom(seed: 14)
        for _ in 0..<20 {
            var bench = Bench()
            try bench.push("debian", manifest: "m")
            bench.images = try Self.randomImages(&random).map { image in
                var image = image
                image.environment = ["NAME": image.name.value]
                return image
            }
            try bench.build()
            let built = bench.plan.images.filter { $0.action == .none }
            guard let chosen = built.randomElement(using: &random) else { continue }
            bench.edit(chosen.definition.name.value) { $0.environment["CHANGED"] = "1" }
            let before = bench.records.count
            try bench.build()
            let rebuilt = Set(bench.records[before...].map(\.image))
            let name = chosen.definition.name
            #expect(rebuilt == Set([name] + ImageGraph(bench.images).descendants(of: name)))
        }
    }
}
