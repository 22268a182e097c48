// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counters, gauges and histograms, written out as Prometheus reads them (text format 0.0.4).
///
/// A family is there, with its help, before it has a value. What labels there are is in the code alone: nothing that a
/// definition or a request says makes a new one without bound.
final class MetricRegistry: Sendable {
    /// What a family counts.
    enum Kind: Sendable {
        case counter
        case gauge
        /// With the upper bounds of its buckets, rising; the last one, `+Inf`, is not among them.
        case histogram([Double])

        fileprivate var name: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        }
    }

    /// A family of values under one name.
    struct Family: Sendable {
        var name: String
        var kind: Kind
        var help: String
        /// The names of the labels, in order.
        var labels: [String]
    }

    private enum Value {
        case number(Double)
        case histogram(counts: [Int], sum: Double)
    }

    private let families: [Family]
    private let values: Mutex<[String: [[String]: Value]]>

    /// A registry of these families.
    init(_ families: [Family]) {
        self.families = families
        values = Mutex([:])
    }

    /// Adds to a counter.
    func add(_ amount: Double = 1, to name: String, _ labels: [String] = []) {
        guard amount.isFinite, amount >= 0 else { return }
        update(name, labels) { value in
            guard case .number(let number) = value else { return .number(amount) }
            return .number(number + amount)
        }
    }

    /// Sets a gauge.
    func set(_ name: String, _ labels: [String] = [], to number: Double) {
        update(name, labels) { _ in .number(number) }
    }

    /// Takes one measurement into a histogram.
    func observe(_ measurement: Double, in name: String, _ labels: [String] = []) {
        guard measurement.isFinite, case .histogram(let bounds) = families.first(where: { $0.name == name })?.kind
        else { return }
        update(name, labels) { value in
            var counts = Array(repeating: 0, count: bounds.count + 1)
            var sum = 0.0
            if case .histogram(let known, let before) = value { (counts, sum) = (known, before) }
            counts[bounds.firstIndex { measurement <= $0 } ?? bounds.count] += 1
            return .histogram(counts: counts, sum: sum + measurement)
        }
    }

    private func update(_ name: String, _ labels: [String], _ change: (Value?) -> Value) {
        values.withLock { $0[name, default: [:]][labels] = change($0[name]?[labels]) }
    }

    /// All families.
    var text: String {
        let values = values.withLock { $0 }
        var result = ""
        for family in families {
            result += "# HELP \(family.name) \(Self.escaped(family.help, quotes: false))\n"
            result += "# TYPE \(family.name) \(family.kind.name)\n"
            let series = (values[family.name] ?? [:]).sorted { $0.key.lexicographicallyPrecedes($1.key) }
            for (labels, value) in series {
                let pairs = zip(family.labels, labels).map { "\($0)=\"\(Self.escaped($1, quotes: true))\"" }
                result += Self.lines(family, pairs, value)
            }
        }
        return result
    }

    private static func lines(_ family: Family, _ pairs: [String], _ value: Value) -> String {
        func line(_ suffix: String, _ pairs: [String], _ number: Double) -> String {
            let labels = pairs.isEmpty ? "" : "{" + pairs.joined(separator: ",") + "}"
            return "\(family.name)\(suffix)\(labels) \(text(number))\n"
        }
        switch (value, family.kind) {
        case (.number(let number), _): return line("", pairs, number)
        case (.histogram(let counts, let sum), .histogram(let bounds)):
            var result = ""
            var total = 0
            for (bound, count) in zip(bounds + [.infinity], counts) {
                total += count
                result += line("_bucket", pairs + ["le=\"\(text(bound))\""], Double(total))
            }
            return result + line("_sum", pairs, sum) + line("_count", pairs, Double(total))
        case (.histogram, _): return ""
        }
    }

    private static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        if let whole = Int(exactly: number) { return String(whole) }
        return String(number)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
