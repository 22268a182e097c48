// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarveTestSupport

/// Random numbers from a seed, the same on every machine (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

/// A history with merges, octopus merges, unrelated roots, skewed dates and deletions, as `git fast-import` reads it.
struct RandomHistory {
    static let paths = [
        "a", "images/x/image.yaml", "images/x/pip.txt", "images/y/image.yaml", "images/y/sub/deep.txt",
        "shared/common.txt",
        "images/z", "images/z/image.yaml",
    ]
    static let pathSets = [
        ["a"], ["images/x"], ["images/y"], ["images/z"], ["images"], ["images/x", "shared/common.txt"],
        ["images/y/sub/deep.txt", "a"], ["missing"], ["shared", "images/x/pip.txt"],
    ]

    let branch: String
    let stream: String

    init(seed: UInt64, firstMark: Int) {
        var generator = SeededGenerator(state: seed)
        branch = "refs/heads/h\(seed)"
        var snapshots: [[String: String]] = []
        var text = ""
        let count = Int.random(in: 3...24, using: &generator)
        for index in 0..<count {
            let isRoot = index == 0 || Int.random(in: 0..<12, using: &generator) == 0 && index < count - 1
            let parentCount = isRoot ? 0 : [1, 1, 1, 2, 2, 3].randomElement(using: &generator) ?? 1
            // Recent commits are likelier parents, so that branches live side by side for a while.
            let recent = Array(max(0, index - 6)..<index)
            let parents = Array(recent.shuffled(using: &generator).prefix(parentCount))
            var files: [String: String] = [:]
            if let first = parents.first { files = snapshots[first] }
            for path in Self.paths {
                if parents.count > 1, Bool.random(using: &generator),
                    let other = parents.randomElement(using: &generator)
                {
                    files[path] = snapshots[other][path]
                }
            }
            for path in Self.paths where Int.random(in: 0..<(parents.count > 1 ? 20 : 4), using: &generator) == 0 {
                let text = Int.random(in: 0..<4, using: &generator)
                files[path] = text == 0 ? nil : "content \(text)\n"
                // A file cannot stand where a folder does.
                if path == "images/z" { files["images/z/image.yaml"] = nil }
                if path == "images/z/image.yaml" { files["images/z"] = nil }
            }
            if files["images/z"] != nil { files["images/z/image.yaml"] = nil }
            snapshots.append(files)
            let time = 1_700_000_000 + index * 60 + Int.random(in: -600...600, using: &generator)
            text += "commit refs/heads/tmp\(seed)-\(index)\nmark :\(firstMark + index)\n"
            text += "committer T <t@example.org> \(time) +0000\ndata <<END\nh\(seed) \(index)\nEND\n"
            for (position, parent) in parents.enumerated() {
                text += "\(position == 0 ? "from" : "merge") :\(firstMark + parent)\n"
            }
            text += "deleteall\n"
            for (path, content) in files.sorted(by: { $0.key < $1.key }) {
                text += "M 100644 inline \(path)\ndata <<END\n\(content)END\n"
            }
            text += "\n"
        }
        text += "reset \(branch)\nfrom :\(firstMark + count - 1)\n\n"
        stream = text
    }
}
