// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Things of which each may follow one other: images and their bases, images and what they are copied from.
struct Succession {
    /// The circles, each from one of its members on.
    private(set) var circles: [[Int]] = []
    /// All that are in no circle, each behind the one it follows.
    private(set) var order: [Int] = []

    /// Follows each index to the end of its chain; `next` gives what each follows, nil where that is nothing.
    init(_ next: [Int?]) {
        var isDone = [Bool](repeating: false, count: next.count)
        for start in next.indices where !isDone[start] {
            var path: [Int] = []
            var positions: [Int: Int] = [:]
            var current: Int? = start
            while let index = current, !isDone[index], positions[index] == nil {
                positions[index] = path.count
                path.append(index)
                current = next[index]
            }
            let end = current.flatMap { positions[$0] } ?? path.count
            if end < path.count { circles.append(Array(path[end...])) }
            order += path[..<end].reversed()
            for index in path { isDone[index] = true }
        }
    }

    /// A circle of names as one of its members sees it: `b -> c -> a -> b`.
    ///
    /// Cut where it is long: the longest circle would fill a message for each of its members.
    static func text(_ names: [String], from offset: Int) -> String {
        let others = (names[offset...] + names[..<offset]).prefix(FleetCheck.namedLimit)
        let circle = others + (others.count < names.count ? ["..."] : []) + [names[offset]]
        return singleLine(circle.joined(separator: " -> "), limit: 400)
    }
}
