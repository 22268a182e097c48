// SPDX-License-Identifier: Apache-2.0

/// The candidate that a person most likely meant, nil where none is near.
///
/// Near is an edit distance of at most a third of the length (at least one), counting a swap of neighbours as one edit.
func nearestWord(to word: String, among candidates: some Sequence<String>) -> String? {
    let lowered = word.lowercased()
    let limit = max(1, min(lowered.utf8.count, 24) / 3)
    guard lowered.utf8.count <= 64 else { return nil }
    var best: (distance: Int, word: String)?
    for candidate in candidates where abs(candidate.utf8.count - lowered.utf8.count) <= limit {
        let distance = editDistance(lowered, candidate.lowercased())
        if distance <= limit, best.map({ (distance, candidate) < ($0.distance, $0.word) }) ?? true {
            best = (distance, candidate)
        }
    }
    return best?.word
}

/// `did you mean 'x'?`, or nil where nothing is near.
func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
    nearestWord(to: word, among: candidates).map { "did you mean '\($0)'?" }
}

/// The optimal string alignment distance.
private func editDistance(_ left: String, _ right: String) -> Int {
    let a = Array(left.utf8)
    let b = Array(right.utf8)
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var beforePrevious = [Int](repeating: 0, count: b.count + 1)
    var previous = Array(0...b.count)
    for i in 1...a.count {
        var current = [i] + [Int](repeating: 0, count: b.count)
        for j in 1...b.count {
            let cost = a[i - 1] == b[j - 1] ? 0 : 1
            current[j] = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost)
            if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                current[j] = min(current[j], beforePrevious[j - 2] + 1)
            }
        }
        beforePrevious = previous
        previous = current
    }
    return previous[b.count]
}
