// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension RequirementsFile {
    /// How deep files may include each other.
    private static let depthLimit = 32

    /// Reads what `-r` or `-c` names.
    mutating func include(_ target: String, isConstraint: Bool, from file: RepositoryPath, at place: Place)
        throws
    {
        let option = isConstraint ? "-c" : "-r"
        if target.hasPrefix("file:"), !target.hasPrefix("file:/") {
            // A file URL without slashes is relative to pip's working folder.
            let path = String(target.dropFirst("file:".count))
            try includeFile(path, in: workingFolder, isConstraint: isConstraint, at: place)
            return
        }
        if let scheme = UrlCheck.scheme(of: target), ["http", "https", "file"].contains(scheme) {
            guard checkUrl(target, at: place) else { return }
            if isConstraint, scheme != "file" {
                let line = "--constraint " + ShellWords.quote(target)
                if flags.insert(line).inserted { options.append(line) }
                return
            }
            findings.report(
                .remoteInclude, at: place, "'\(option)' cannot take the URL \(quoted(target))",
                hint: "copy the file into the repository"
            )
            return
        }
        try includeFile(target, in: file.parent ?? .root, isConstraint: isConstraint, at: place)
    }

    private mutating func includeFile(
        _ text: String, in folder: RepositoryPath, isConstraint: Bool, at place: Place
    ) throws {
        let option = isConstraint ? "-c" : "-r"
        guard let path = try files.resolve(text, in: folder, findings: findings, at: place) else { return }
        if open.contains(path) {
            let circle = (open[(open.firstIndex(of: path) ?? 0)...] + [path]).map(\.description).joined(
                separator: " -> ")
            findings.report(
                .includeCycle, at: place, "'\(option)' includes files in a circle: \(singleLine(circle, limit: 400))")
            return
        }
        guard open.count < Self.depthLimit else {
            findings.report(.includeCycle, at: place, "files include each other more than \(Self.depthLimit) deep")
            return
        }
        touched.insert(path)
        guard done.insert(Inclusion(path: path, isConstraint: isConstraint)).inserted else { return }
        switch try files.text(at: path, findings: findings, referrer: place) {
        case .missing:
            findings.report(
                .includeMissing, at: place, "the file \(quoted(path.description)) does not exist",
                hint: try files.nearestFile(to: path).map { "did you mean '\($0)'?" }
            )
        case .unreadable: break
        case .text(let text):
            let start = Place(file: path, line: 1, column: 1)
            try read(SourceLine.lines(of: text, from: start), in: path, isConstraint: isConstraint)
        }
    }
}
