// SPDX-License-Identifier: Apache-2.0

/// Reads `runtime.txt`, which names the language of a repo2docker folder: `python-3.10`, `r-4.3.2-2024-01-10`.
struct RuntimeFile {
    /// What the file asks for.
    enum Runtime: Hashable {
        /// A version of Python, of one to three numbers (`3.10`), or of PyPy, with its own release where that counts
        /// (`pypy3.10-7.3.12`).
        case python(version: String)
        /// R, of a version (`4.3.2`), of the day of a snapshot of CRAN (`2024-01-10`), or of both; at least one is there.
        case r(version: String?, snapshot: String?)
    }

    let findings: Findings

    /// What the text asks for; nil where it is blank, or where it is not understood, which is reported.
    func read(_ text: String, from start: Place) -> Runtime? {
        let lines = SourceLine.lines(of: text, from: start).filter { !$0.text.trimmed.isEmpty }
        guard let line = lines.first else { return nil }
        if lines.count > 1 {
            findings.report(.runtimeFile, at: lines[1].place, "expected one line, such as 'python-3.10'")
            return nil
        }
        let value = line.text.trimmed
        if value.hasPrefix("oci-image:") {
            let image = value.dropFirst("oci-image:".count)
            findings.warn(
                .runtimeImage, at: line.place(atByte: Self.blanks(line)),
                "the image \(quoted(image)) has no effect here; 'base' in image.yaml says what the image stands on",
                hint: "remove the file, and write the image, with its registry, as the base")
            return nil
        }
        let parts = value.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        switch parts[0] {
        case "python":
            if parts.count == 2, Self.isVersion(parts[1]) { return .python(version: parts[1]) }
            if let name = parts.dropFirst().first, name.hasPrefix("pypy"), parts.count <= 3,
                Self.isVersion(String(name.dropFirst(4))), parts.dropFirst(2).allSatisfy(Self.isVersion)
            {
                return .python(version: parts.dropFirst().joined(separator: "-"))
            }
            report(line, value, "expected 'python-' and a version of up to three numbers", hint: "write 'python-3.10'")
        case "r":
            let version = parts.count == 2 || parts.count == 5 ? parts[1] : nil
            let date = parts.count >= 4 ? Array(parts.suffix(3)) : nil
            let isWellFormed = parts.count == 2 || parts.count == 4 || parts.count == 5
            if isWellFormed, version.map(Self.isVersion) ?? true, date.map(Self.isDate) ?? true {
                return .r(version: version, snapshot: date?.joined(separator: "-"))
            }
            report(
                line, value, "expected 'r-', a version, and the day of a snapshot that the calendar has",
                hint: "write 'r-4.3.2-2024-01-10' or 'r-2024-01-10'")
        default:
            let nearest = suggestion(for: parts[0], among: ["python", "r"])
            report(line, value, "expected 'python-' or 'r-' with a version", hint: nearest)
        }
        return nil
    }

    private func report(_ line: SourceLine, _ value: String, _ expectation: String, hint: String?) {
        findings.report(
            .runtimeFile, at: line.place(atByte: Self.blanks(line)),
            "\(quoted(value)) is not a runtime; \(expectation)",
            hint: hint)
    }

    private static func blanks(_ line: SourceLine) -> Int {
        line.text.utf8.prefix { $0 == 0x20 || $0 == 0x09 }.count
    }

    private static func isVersion(_ text: String) -> Bool {
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count <= 3
            && numbers.allSatisfy { (1...4).contains($0.utf8.count) && $0.utf8.allSatisfy(isDigit) }
    }

    private static func isDate(_ parts: [String]) -> Bool {
        guard parts.map(\.utf8.count) == [4, 2, 2], parts.allSatisfy({ $0.utf8.allSatisfy(isDigit) }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), (1...12).contains(month)
        else { return false }
        let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...days[month - 1]).contains(day)
    }
}
