// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads package lists: `apt.txt`, `build.apt` and the packages of a bootstrap.
///
/// As in repo2docker `#` begins a comment anywhere, and several packages may stand on one line.
struct AptList {
    let findings: Findings

    /// The content of a list; nil where it names no package.
    func read(_ lines: [SourceLine]) -> AptContent? {
        var packages: [String] = []
        for line in lines where !findings.isFull {
            let bytes = Array(line.text.utf8)
            let end = bytes.firstIndex(of: 0x23) ?? bytes.count
            var position = 0
            while position < end, !findings.isFull {
                while position < end, Self.isBlank(bytes[position]) { position += 1 }
                let start = position
                while position < end, !Self.isBlank(bytes[position]) { position += 1 }
                guard position > start else { break }
                let word = String(decoding: bytes[start..<position], as: UTF8.self)
                if check(word, at: line.place(atByte: start)) { packages.append(word) }
            }
        }
        return packages.isEmpty ? nil : AptContent(packages: packages)
    }

    /// Whether a word is one package; if not, it is reported.
    func check(_ word: String, at place: @autoclosure () -> Place) -> Bool {
        if word.hasPrefix("-") {
            let removal = word.utf8.count > 1 && word.utf8.dropFirst().allSatisfy(Self.isNameByte)
            findings.report(
                .aptOption, at: place(), "expected a package, found \(quoted(word)), which apt would read as an option",
                hint: removal ? "begin the line with '#' to leave a package out" : nil
            )
            return false
        }
        if let (what, hint) = Self.pattern(word) {
            findings.report(
                .aptPattern, at: place(), "expected one package, found \(quoted(word)), \(what)", hint: hint)
            return false
        }
        if Self.isPackage(word) { return true }
        var hint: String?
        if word.contains("==") {
            hint = "apt writes name=version"
        } else if word.lowercased() != word, Self.isPackage(word.lowercased()) {
            hint = "did you mean '\(word.lowercased())'?"
        } else if word.hasSuffix(",") {
            hint = "packages are separated by blanks or lines"
        }
        findings.report(
            .aptPackage, at: place(),
            "\(quoted(word)) is not a package; expected name, name:arch, name=version or name/suite", hint: hint
        )
        return false
    }

    /// What apt would make of a word that is more than one package.
    private static func pattern(_ word: String) -> (what: String, hint: String?)? {
        let selector = word.utf8.prefix { $0 != 0x3D && $0 != 0x2F }
        if selector.last == 0x5E { return ("which apt would read as a task", "name the task's packages") }
        if selector.contains(where: { "?*^$|[](){}\\~!".utf8.contains($0) }) {
            return ("which apt would read as a pattern", nil)
        }
        if word.hasSuffix("-") { return ("which apt would read as a removal", nil) }
        if word.hasSuffix("+"), !word.hasSuffix("++") {
            return ("which apt would read as a forced installation", "leave the '+' out")
        }
        return nil
    }

    private static func isPackage(_ word: String) -> Bool {
        var name = word.utf8[...]
        if let separator = name.firstIndex(where: { $0 == 0x3D || $0 == 0x2F }) {
            let qualifier = name[name.index(after: separator)...]
            let isVersion = name[separator] == 0x3D
            let valid = qualifier.allSatisfy {
                isAlphanumeric($0) || $0 == 0x2E || $0 == 0x2B || $0 == 0x2D || $0 == 0x7E
                    || (isVersion ? $0 == 0x3A : $0 == 0x5F || $0 == 0x2F)
            }
            guard !qualifier.isEmpty, valid, let first = qualifier.first, isAlphanumeric(first) else { return false }
            name = name[..<separator]
        }
        if let colon = name.firstIndex(of: 0x3A) {
            let architecture = name[name.index(after: colon)...]
            guard let first = architecture.first, isLowerOrDigit(first),
                architecture.allSatisfy({ isLowerOrDigit($0) || $0 == 0x2D })
            else { return false }
            name = name[..<colon]
        }
        guard name.count >= 2, let first = name.first, isLowerOrDigit(first) else { return false }
        return name.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isLowerOrDigit(byte) || byte == 0x2B || byte == 0x2D || byte == 0x2E
    }

    private static func isLowerOrDigit(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x7A).contains(byte) }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0B || byte == 0x0C }
}
