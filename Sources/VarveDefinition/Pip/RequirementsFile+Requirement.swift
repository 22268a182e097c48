// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension RequirementsFile {
    private static let urlSchemes: Set<String> = [
        "http", "https", "ftp", "file", "ssh", "git", "git+http", "git+https", "git+ssh", "git+git", "git+file",
        "hg+http",
        "hg+https", "hg+ssh", "hg+static-http", "hg+file", "svn", "svn+http", "svn+https", "svn+ssh", "svn+svn",
        "svn+file",
        "bzr+http", "bzr+https", "bzr+ssh", "bzr+sftp", "bzr+ftp", "bzr+lp", "bzr+file",
    ]

    private static let archiveSuffixes = [
        ".whl", ".zip", ".tar.gz", ".tgz", ".tar", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tlz", ".tar.lz",
        ".tar.lzma",
    ]

    /// Reads a line that begins with a requirement.
    mutating func readRequirement(
        _ text: String, _ options: [GivenOption], _ line: LogicalLine, in file: RepositoryPath, isConstraint: Bool
    ) throws {
        let place = line.place(atByte: 0)
        guard let suffix = perRequirementOptions(options, line) else { return }
        if let scheme = UrlCheck.scheme(of: text), Self.urlSchemes.contains(scheme) {
            guard let requirement = try urlRequirement(text, at: place) else { return }
            if !isConstraint { note(text, url: text, marker: requirement.contains(" ; "), suffix, at: place) }
            add(requirement + suffix, isConstraint: isConstraint)
            return
        }
        let (path, extras) = Self.splitExtras(text.prefix { $0 != ";" }.trimmed)
        let beforeAt = path.prefix { $0 != "@" }
        let isDirect = path.contains("@") && !Self.looksLikePath(beforeAt)
        let isArchive = Self.archiveSuffixes.contains(where: path.lowercased().hasSuffix)
        if !isDirect, isArchive, !path.hasSuffix(".whl") {
            findings.report(
                .localArchive, at: place, "the archive \(quoted(path)) in the repository is not supported",
                hint: "build a wheel of it, publish it to an index, or name its source folder"
            )
            return
        }
        if !isDirect, isArchive || Self.looksLikePath(path) {
            if text.contains(";") {
                findings.report(.localPath, at: place, "a marker after the local path \(quoted(path)) is not supported")
            } else if isConstraint || !suffix.isEmpty {
                findings.report(
                    .localPath, at: place, "the local path \(quoted(path)) can be neither a constraint nor have options"
                )
            } else {
                try addLocal(path, extras: extras, isEditable: false, at: place)
            }
            return
        }
        guard let requirement = parse(text, line) else { return }
        if let url = requirement.url {
            guard checkUrl(url, at: place) else { return }
            guard let scheme = UrlCheck.scheme(of: url), Self.urlSchemes.contains(scheme) else {
                findings.report(.requirement, at: place, "expected a URL after '@', found \(quoted(url))")
                return
            }
            guard checkRemote(scheme, at: place) else { return }
        }
        if isConstraint, !requirement.extras.isEmpty {
            findings.report(.requirement, at: place, "a constraint cannot have extras")
            return
        }
        if isConstraint {
            // Hashes of constraints count as well, in ways that changed from one pip to the next.
            if suffix.contains("--hash=") { hashes.isOpen = true }
        } else {
            note(
                requirement.text, url: requirement.url, marker: requirement.marker != nil, suffix, at: place,
                isPinned: requirement.specifiers.count == 1 && requirement.specifiers[0].hasPrefix("=="))
        }
        add(requirement.text + suffix, isConstraint: isConstraint)
    }

    /// Remembers a requirement for the check of hashes.
    private mutating func note(
        _ text: String, url: String?, marker: Bool, _ suffix: String, at place: Place, isPinned: Bool = false
    ) {
        let isVersionControl = url.flatMap(UrlCheck.scheme)?.contains("+") ?? false
        let fragment = url?.split(separator: "#").dropFirst().last ?? ""
        hashes.requirements.append(
            HashCheck.Requirement(
                place: place, text: text, hasOption: suffix.contains("--hash="),
                hasFragment: fragment.split(separator: "&").contains { part in
                    ["sha256=", "sha384=", "sha512="].contains { part.hasPrefix($0) }
                }, hasMarker: marker,
                kind: isVersionControl ? .unhashable : url != nil ? .archive : isPinned ? .pinned : .index))
    }

    private mutating func add(_ requirement: String, isConstraint: Bool) {
        if isConstraint { constraints.append(requirement) } else { requirements.append(requirement) }
    }

    private func parse(_ text: String, _ line: LogicalLine) -> PythonRequirement? {
        do {
            return try PythonRequirement(text)
        } catch {
            findings.report(
                .requirement, at: line.place(atByte: error.offset),
                "\(error.message) in the requirement \(quoted(text))",
                hint: error.hint
            )
            return nil
        }
    }

    /// The options after a requirement in canonical form; nil where one is wrong.
    private func perRequirementOptions(_ options: [GivenOption], _ line: LogicalLine) -> String? {
        var hashes: Set<String> = []
        var others: [String] = []
        for given in options {
            let place = line.place(atByte: given.offset)
            guard given.option.role == .perRequirement else {
                findings.report(
                    .pipOption, at: place, "'\(given.option.name)' has no effect after a requirement",
                    hint: "put it on a line of its own; it then holds for the whole file"
                )
                return nil
            }
            if given.option.name == "--hash" {
                guard let hash = Self.hash(given.value) else {
                    findings.report(
                        .pipOptionValue, at: place,
                        "expected sha256:, sha384: or sha512: and hexadecimal digits, found \(quoted(given.value))"
                    )
                    return nil
                }
                hashes.insert("--hash=" + hash)
            } else {
                others.append(given.option.canonicalName + "=" + ShellWords.quote(given.value))
            }
        }
        let all = hashes.sorted() + others
        return all.isEmpty ? "" : " " + all.joined(separator: " ")
    }

    private static func hash(_ text: String) -> String? {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...].lowercased()
        guard ["sha256", "sha384", "sha512"].contains(String(text[..<colon])), !digits.isEmpty,
            digits.utf8.allSatisfy({ isDigit($0) || (0x61...0x66).contains($0) })
        else { return nil }
        return text[...colon] + digits
    }

    // MARK: - URLs

    private func urlRequirement(_ text: String, at place: Place) throws -> String? {
        var url = text
        var marker: String?
        if let separator = text.firstRange(of: "; ") {
            url = text[..<separator.lowerBound].trimmed
            let given = text[separator.upperBound...].trimmed
            do {
                marker = try PythonMarker.normalised(given)
            } catch {
                findings.report(
                    .requirement, at: place, "\(error.message) in the marker \(quoted(given))", hint: error.hint)
                return nil
            }
        }
        guard checkUrl(url, at: place) else { return nil }
        guard !url.utf8.contains(0x20), !url.utf8.contains(0x09) else {
            findings.report(.requirement, at: place, "the URL \(quoted(url)) holds a blank")
            return nil
        }
        // In no URL (RFC 3986), and at the end of a line it would join the next one to it.
        guard !url.utf8.contains(0x5C) else {
            findings.report(.requirement, at: place, "the URL \(quoted(url)) holds a backslash")
            return nil
        }
        // With the blank before a marker it would begin the marker.
        guard !url.hasSuffix(";") else {
            findings.report(.requirement, at: place, "the URL \(quoted(url)) ends in a semicolon")
            return nil
        }
        guard checkRemote(UrlCheck.scheme(of: url) ?? "", at: place) else { return nil }
        return url + (marker.map { " ; " + $0 } ?? "")
    }

    private func checkRemote(_ scheme: String, at place: Place) -> Bool {
        guard scheme == "file" || scheme.hasSuffix("+file") else { return true }
        findings.report(
            .outsideRepository, at: place, "a file: URL names a file outside of the repository",
            hint: "write the path relative to this folder"
        )
        return false
    }

    /// Reads the value of `-e`.
    mutating func readEditable(_ value: String, in file: RepositoryPath, isConstraint: Bool, at place: Place) throws {
        if isConstraint {
            findings.report(.requirement, at: place, "a constraint cannot be editable")
            return
        }
        if let scheme = UrlCheck.scheme(of: value), Self.urlSchemes.contains(scheme) || scheme.contains("+") {
            guard let url = try urlRequirement(value, at: place) else { return }
            guard scheme.contains("+") else {
                findings.report(
                    .requirement, at: place, "'-e' takes a folder or a version control URL, found \(quoted(url))",
                    hint: "git+https://..."
                )
                return
            }
            hashes.requirements.append(
                HashCheck.Requirement(
                    place: place, text: value, hasMarker: url.contains(" ; "), kind: .unhashable))
            requirements.append("-e " + url)
            return
        }
        let (path, extras) = Self.splitExtras(value)
        try addLocal(path, extras: extras, isEditable: true, at: place)
    }

    private static func looksLikePath(_ text: some StringProtocol) -> Bool {
        text.utf8.contains(0x2F) || text.hasPrefix(".")
    }

    /// Splits `path[extra]`.
    private static func splitExtras(_ text: String) -> (path: String, extras: String) {
        guard text.hasSuffix("]"), let open = text.lastIndex(of: "["), open != text.startIndex else {
            return (text, "")
        }
        return (text[..<open].trimmed, String(text[open...]))
    }
}
