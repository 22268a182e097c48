// SPDX-License-Identifier: Apache-2.0

import VarveTestSupport

/// A requirements file by its meaning, which can be written in many ways.
struct GeneratedRequirements: GeneratedDefinition {
    struct Line: Hashable {
        var name: String
        var extras: [String] = []
        /// Operator and version each.
        var specifiers: [[String]] = []
        /// Comparisons, joined by `and`.
        var marker: [[String]] = []
        var hashes: [String] = []
    }

    /// Option and value each; the value is empty where there is none.
    var options: [[String]] = []
    var lines: [Line]
    var constraints: [Line] = []

    private static let names = ["numpy", "scikit-learn", "zope-interface", "typing-extensions", "a", "x2"]
    private static let versions = ["1.26", "2", "1.0rc1", "2024.1.5", "1!2.3", "0.9.post1", "1.2.dev3", "3.0a2"]
    private static let markers = [
        ["python_version", "<", "3.12"], ["os_name", "==", "posix"], ["sys_platform", "!=", "win32"],
        ["platform_machine", "in", "x86_64 aarch64"], ["implementation_name", "==", "cpython"],
    ]
    private static let indexes = ["https://a.example/simple", "https://b.example/simple", "https://c.example/p?q=1"]

    /// A definition that depends on the random numbers alone.
    init(_ random: inout SeededRandom) {
        lines = Self.names.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)).map {
            Self.line($0, &random)
        }
        if Bool.random(using: &random) {
            // pip takes hashes of all requirements or of none, and then wants versions.
            for index in lines.indices {
                lines[index].specifiers = [["==", "1.\(index)"]]
                lines[index].hashes = (0...Int.random(in: 0...1, using: &random)).map { _ in Self.hash(&random) }
            }
        }
        for _ in 0..<Int.random(in: 0...2, using: &random) { options.append(Self.option(&random)) }
        if Bool.random(using: &random) {
            constraints = ["c", "d"].prefix(Int.random(in: 1...2, using: &random)).map {
                var line = Self.line($0, &random)
                line.extras = []
                return line
            }
        }
    }

    private static func pick<Value>(_ values: [Value], _ random: inout SeededRandom) -> Value {
        values[Int.random(in: 0..<values.count, using: &random)]
    }

    private static func line(_ name: String, _ random: inout SeededRandom) -> Line {
        var line = Line(name: name)
        if Int.random(in: 0..<3, using: &random) == 0 {
            line.extras = Array(["security", "tls-1"].prefix(Int.random(in: 1...2, using: &random)))
        }
        line.specifiers = (0..<Int.random(in: 0...2, using: &random)).map { _ in specifier(&random) }
        // What follows `===` is all its own, commas too.
        if let text = line.specifiers.first(where: { $0[0] == "===" }) { line.specifiers = [text] }
        line.marker = (0..<Int.random(in: 0...2, using: &random)).map { _ in pick(markers, &random) }
        return line
    }

    private static func specifier(_ random: inout SeededRandom) -> [String] {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: ["~=", pick(["1.4", "1.4.2", "2.0"], &random)]
        case 1: [pick(["==", "!="], &random), pick(["1.*", "1.5.*", "2.0.*"], &random)]
        case 2: ["===", pick(["1.0", "1.0.0", "odd"], &random)]
        default: [pick(["==", ">=", "<", "!=", "<=", ">"], &random), pick(versions, &random)]
        }
    }

    private static func hash(_ random: inout SeededRandom) -> String {
        "sha256:" + (0..<64).map { _ in String(Int.random(in: 0..<16, using: &random), radix: 16) }.joined()
    }

    private static func option(_ random: inout SeededRandom) -> [String] {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: ["--index-url", pick(indexes, &random)]
        case 1: ["--extra-index-url", pick(indexes, &random)]
        case 2: ["--find-links", pick(indexes, &random)]
        case 3: ["--no-binary", pick(["numpy", ":all:", "a,x2"], &random)]
        case 4: ["--pre", ""]
        default: ["--prefer-binary", ""]
        }
    }

    // MARK: - Writing

    /// One file, written as most people would.
    var plain: [String: String] {
        var text = options.map { ($0[0] + " " + $0[1]).trimmed + "\n" }.joined()
        text += lines.map { Self.plain($0) + "\n" }.joined()
        guard !constraints.isEmpty else { return ["requirements.txt": text] }
        return [
            "requirements.txt": text + "-c constraints.txt\n",
            "constraints.txt": constraints.map { Self.plain($0) + "\n" }.joined(),
        ]
    }

    private static func plain(_ line: Line) -> String {
        line.name + (line.extras.isEmpty ? "" : "[" + line.extras.joined(separator: ",") + "]")
            + line.specifiers.map { $0.joined() }.joined(separator: ",")
            + (line.marker.isEmpty
                ? "" : "; " + line.marker.map { "\($0[0]) \($0[1]) '\($0[2])'" }.joined(separator: " and "))
            + line.hashes.map { " --hash=" + $0 }.joined()
    }

    /// The same in other words: order, duplicates, names, versions, quotes, blanks, comments, continuations, line ends, byte-order
    /// mark, options, and part of it in a file of its own.
    func respelt(_ random: inout SeededRandom) -> [String: String] {
        let end = Bool.random(using: &random) ? "\r\n" : "\n"
        func isChosen() -> Bool { Bool.random(using: &random) }
        func block(_ lines: [Line]) -> String {
            var text = ""
            for line in (lines + lines.prefix(isChosen() ? 1 : 0)).shuffled(using: &random) {
                if isChosen() { text += Self.pick(["", "   ", "# a comment; a==1", "\t#"], &random) + end }
                text += respelt(line, end, &random)
                // A comment after hashes or a marker ends the line for pip as well.
                text += (isChosen() ? "  # " + Self.pick(["why", "b>=2", "é ü"], &random) : "") + end
            }
            return text
        }
        var files: [String: String] = [:]
        var text = isChosen() ? "\u{FEFF}" : ""
        for option in options { text += respelt(option: option, &random) + end }
        let split = isChosen() ? Int.random(in: 0...lines.count, using: &random) : lines.count
        text += block(Array(lines[..<split]))
        if split < lines.count {
            files["more.txt"] = block(Array(lines[split...]))
            text += Self.pick(["-r more.txt", "--requirement=./more.txt", "-rmore.txt # twice"], &random) + end
        }
        if !constraints.isEmpty {
            files["constraints.txt"] = block(constraints)
            text += Self.pick(["-c constraints.txt", "--constraint constraints.txt"], &random) + end
        }
        // The last line may lack its end.
        files["requirements.txt"] = isChosen() ? text : String(text.dropLast())
        return files
    }

    private func respelt(option: [String], _ random: inout SeededRandom) -> String {
        let short = ["--index-url": "-i", "--find-links": "-f"]
        guard !option[1].isEmpty else { return option[0] + (Bool.random(using: &random) ? "  " : "") }
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return option[0] + "=" + option[1]
        case 1: return (short[option[0]] ?? option[0]) + " '" + option[1] + "'"
        default: return option[0] + "   " + option[1]
        }
    }

    private func respelt(_ line: Line, _ end: String, _ random: inout SeededRandom) -> String {
        func isChosen() -> Bool { Bool.random(using: &random) }
        func blank() -> String { Self.pick(["", " ", "  ", " \\" + end + "  "], &random) }
        var name = line.name
        if isChosen() { name = name.replacing("-", with: Self.pick(["_", ".", "--", "_."], &random)) }
        if isChosen() { name = name.uppercased() }
        var text = name
        if !line.extras.isEmpty {
            var extras = (line.extras + line.extras.prefix(isChosen() ? 1 : 0)).shuffled(using: &random)
            if isChosen() { extras = extras.map { $0.uppercased().replacing("-", with: "_") } }
            text += Self.pick(["", " "], &random) + "[" + extras.joined(separator: isChosen() ? "," : " , ") + "]"
        }
        var parts: [String] = []
        for specifier in line.specifiers.shuffled(using: &random) {
            parts.append(specifier[0] + blank() + respelt(version: specifier[1], after: specifier[0], &random))
        }
        let specifiers = parts.joined(separator: Self.pick([",", ", ", " , "], &random))
        // `===` takes all that follows it, a parenthesis too in some versions.
        let isPlain = line.specifiers.contains { $0[0] == "===" }
        if !parts.isEmpty { text += blank() + (!isPlain && isChosen() ? "(" + specifiers + ")" : specifiers) }
        if !line.marker.isEmpty {
            let quote = isChosen() ? "'" : "\""
            let comparisons = line.marker.map { part -> String in
                let variable =
                    isChosen() && part[0] == "os_name" ? "os.name" : part[0]
                let sign = part[1] == "in" ? " in " : Self.pick([part[1], " \(part[1])  "], &random)
                return variable + sign + quote + part[2] + quote
            }
            text += Self.pick([" ; ", " ;", " ;  "], &random) + comparisons.joined(separator: "  and ")
        }
        for hash in (line.hashes + line.hashes.prefix(isChosen() ? 1 : 0)).shuffled(using: &random) {
            let digits = isChosen() ? "sha256:" + hash.dropFirst(7).uppercased() : hash
            text +=
                Self.pick([" ", " \\" + end + "    "], &random) + Self.pick(["--hash=", "--hash "], &random) + digits
        }
        return text
    }

    private func respelt(version: String, after sign: String, _ random: inout SeededRandom) -> String {
        guard sign != "===", !version.hasSuffix(".*"), Bool.random(using: &random) else { return version }
        if sign == "~=" { return Self.pick(["v" + version, "0!" + version, version], &random) }
        switch version {
        case "1.26": return Self.pick(["1.26.0", "01.26", "v1.26.0.0"], &random)
        case "2": return Self.pick(["2.0", "02", "2.0.0"], &random)
        case "1.0rc1": return Self.pick(["1rc1", "1.0-c.1", "1.0.RC1", "1.0preview1"], &random)
        case "0.9.post1": return Self.pick(["0.9-1", "0.9.rev1", "0.9post01"], &random)
        case "1.2.dev3": return Self.pick(["1.2dev3", "1.2-DEV-3", "1.2.0.dev3"], &random)
        case "3.0a2": return Self.pick(["3alpha2", "3.0.a2", "3.0-A-2"], &random)
        case "1!2.3": return Self.pick(["1!2.3.0", "01!2.3"], &random)
        case "2024.1.5": return Self.pick(["2024.01.05", "2024.1.5.0"], &random)
        default: return version
        }
    }

    // MARK: - Changing

    /// The names of the edits that `changed` makes.
    static let edits = [
        "version", "operator", "extra", "marker", "option", "option order", "hash", "requirement", "constraint", "name",
    ]

    /// The definition with one thing changed that pip would act on, and what that is.
    func changed(_ random: inout SeededRandom) -> (edit: String, GeneratedRequirements) {
        var result = self
        // With hashes, each requirement has one and an exact version; without, none has.
        let isHashed = lines.contains { !$0.hashes.isEmpty }
        let edit = Self.pick(
            Self.edits.filter { isHashed ? $0 != "operator" && $0 != "requirement" : $0 != "hash" }, &random)
        let index = Int.random(in: 0..<lines.count, using: &random)
        switch edit {
        case "version": result.lines[index].specifiers = [["==", "77.1"]]
        case "operator":
            var all = lines[index].specifiers
            let last = all.popLast() ?? ["==", "5"]
            result.lines[index].specifiers =
                all + [last[0] == ">=" ? ["<=", "5"] : [">=", last[1].filter { $0.isNumber || $0 == "." } + "7"]]
        case "extra": result.lines[index].extras.append("more")
        case "marker": result.lines[index].marker.append(["python_full_version", ">", "3.\(index).1"])
        case "option": result.options.append(["--extra-index-url", "https://d.example/"])
        case "option order":
            // Two indexes in the other order, or, where there are none to change, two more in an order.
            if options.count > 1, options[0] != options[1] {
                result.options.swapAt(0, 1)
            } else {
                result.options += [["--find-links", "https://e.example/"], ["--find-links", "https://f.example/"]]
            }
        case "hash":
            result.lines[index].hashes = [Self.hash(&random)]
        case "requirement": result.lines.append(Line(name: "one-more"))
        case "constraint": result.constraints.append(Line(name: "held", specifiers: [["<", "9"]]))
        default: result.lines[index].name += "2"
        }
        return (edit, result)
    }
}

extension String {
    /// The text without blanks at its ends.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
