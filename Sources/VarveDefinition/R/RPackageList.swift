// SPDX-License-Identifier: Apache-2.0

/// Checks the packages of the layers of R, by the rules of "Writing R Extensions", section 1.1.1.
struct RPackageList {
    let findings: Findings

    /// The packages of CRAN: `name` or `name@version`; a name that is given with a version too is one package.
    func cran(_ words: [RWord]) -> [String] {
        var versions: [String: String?] = [:]
        for word in words where !findings.isFull {
            let parts = word.text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard checkName(parts[0], of: word) else { continue }
            let name = parts[0]
            guard parts.count == 2 else {
                if versions[name] == nil { versions[name] = .some(nil) }
                continue
            }
            guard Self.isVersion(parts[1]) else {
                findings.report(
                    .rVersion, at: word.place.advanced(by: name.utf8.count + 1),
                    "\(quoted(parts[1])) is not a version of an R package; expected numbers with '.' or '-' between them",
                    hint: Self.versionHint(parts[1], of: name)
                )
                continue
            }
            if let known = versions[name] ?? nil, known != parts[1] {
                findings.report(
                    .rTwoVersions, at: word.place,
                    "the package '\(name)' is asked for as \(known) and as \(quoted(parts[1])); expected one version"
                )
                continue
            }
            versions[name] = parts[1]
        }
        return versions.map { name, version in version.map { "\(name)@\($0)" } ?? name }
    }

    /// The packages of Bioconductor: names.
    func bioconductor(_ words: [RWord]) -> [String] {
        var result: [String] = []
        for word in words where !findings.isFull {
            if let at = word.text.firstIndex(of: "@"), Self.isName(word.text[..<at]) {
                findings.report(
                    .rVersion, at: word.place,
                    "\(quoted(word.text)) names a version; a release of Bioconductor has one version of each package",
                    hint: "write '\(word.text[..<at])'"
                )
            } else if checkName(word.text, of: word) {
                result.append(word.text)
            }
        }
        return result
    }

    /// The packages of Git hosts: `owner/repository` on GitHub, or with `gitlab::` on GitLab, and `@reference`.
    func remotes(_ words: [RWord]) -> [String] {
        words.compactMap { word in
            if findings.isFull { return nil }
            var rest = word.text[...]
            var host = ""
            if let colons = rest.firstRange(of: "::") {
                let prefix = String(rest[..<colons.lowerBound])
                guard prefix == "github" || prefix == "gitlab" else {
                    findings.report(
                        .rRemote, at: word.place,
                        "\(quoted(prefix + "::")) is not a host; expected 'github::' or 'gitlab::'",
                        hint: suggestion(for: prefix, among: ["github", "gitlab"])
                    )
                    return nil
                }
                // GitHub is what a specification without a host means.
                if prefix == "gitlab" { host = "gitlab::" }
                rest = rest[colons.upperBound...]
            }
            guard Self.isRemote(rest) else {
                findings.report(
                    .rRemote, at: word.place,
                    "\(quoted(word.text)) is not a package of a Git host; expected owner/repository or "
                        + "owner/repository@reference",
                    hint: Self.remoteHint(rest)
                )
                return nil
            }
            return host + rest
        }
    }

    // MARK: - Names

    private func checkName(_ name: String, of word: RWord) -> Bool {
        if Self.isName(name) { return true }
        findings.report(
            .rPackage, at: word.place,
            "\(quoted(word.text)) is not an R package; expected letters, digits and '.', a letter first and no '.' last",
            hint: Self.nameHint(word.text)
        )
        return false
    }

    private static func isName(_ text: some StringProtocol) -> Bool {
        let name = Substring(text)
        guard (2...128).contains(name.utf8.count), let first = name.utf8.first, let last = name.utf8.last else {
            return false
        }
        return isLetter(first) && last != 0x2E && name.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2E }
    }

    private static func nameHint(_ word: String) -> String? {
        if word.contains("/") { return "packages of Git hosts stand under 'remotes'" }
        if word.hasSuffix(",") || word.hasSuffix(";") { return "packages are separated by blanks or lines" }
        if let equals = word.firstRange(of: "==") ?? word.firstRange(of: "="), isName(word[..<equals.lowerBound]) {
            return "write '\(word[..<equals.lowerBound])@VERSION' for one version"
        }
        if let open = word.firstIndex(of: "("), ["library", "require"].contains(word[..<open]) {
            return "write the name alone"
        }
        let dotted = String(word.map { $0 == "_" || $0 == "-" ? "." : $0 })
        if dotted != word, isName(dotted) { return "did you mean '\(dotted)'?" }
        let bare = word.filter { $0 != "'" && $0 != "\"" }
        return bare != word && isName(bare) ? "did you mean '\(bare)'?" : nil
    }

    // MARK: - Versions

    /// Two or more numbers with single `.` or `-` between them.
    private static func isVersion(_ version: String) -> Bool {
        let numbers = version.utf8.split(omittingEmptySubsequences: false) { $0 == 0x2E || $0 == 0x2D }
        return version.utf8.count <= 64 && numbers.count >= 2
            && numbers.allSatisfy { !$0.isEmpty && $0.count <= 9 && $0.allSatisfy(isDigit) }
    }

    private static func versionHint(_ version: String, of name: String) -> String? {
        if version.isEmpty { return "leave the '@' out for the newest version" }
        let digits = String(version.drop { "=v<>~".contains($0) })
        if isVersion(digits) { return "did you mean '\(name)@\(digits)'?" }
        return isVersion(version + ".0") ? "did you mean '\(name)@\(version).0'?" : nil
    }

    // MARK: - Git hosts

    private static func isRemote(_ text: Substring) -> Bool {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !isReference(parts[1]) { return false }
        let names = parts[0].split(separator: "/", omittingEmptySubsequences: false)
        return names.count == 2
            && names.allSatisfy { name in
                guard let first = name.utf8.first, name.utf8.count <= 255 else { return false }
                return (isAlphanumeric(first) || first == 0x5F)
                    && name.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F }
            }
    }

    private static func isReference(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 255 else { return false }
        return isAlphanumeric(first) && !text.contains("..") && !text.contains("//") && text.utf8.last != 0x2F
            && text.utf8.allSatisfy { isAlphanumeric($0) || "-._/+".utf8.contains($0) }
    }

    private static func remoteHint(_ text: Substring) -> String? {
        if text.contains("#") { return "name a branch, tag or commit with '@' in place of a pull request" }
        if UrlCheck.scheme(of: text) == "https" || text.hasPrefix("git@") { return "leave the host's address out" }
        if text.contains("@*") { return "name the release's tag" }
        if isName(text.prefix { $0 != "@" }) { return "packages of CRAN stand under 'cran'" }
        return text.split(separator: "/").count > 2 ? "packages in a subfolder are not supported" : nil
    }
}
