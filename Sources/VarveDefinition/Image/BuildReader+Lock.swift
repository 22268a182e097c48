// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension BuildReader {
    /// The platform that locked packages are taken for.
    ///
    /// The first one; what is wrong with `platforms` is reported by whoever reads the fields, and packages that are not for
    /// the others by the check of platforms.
    var platform: Platform {
        root?["platforms"]?.items?.compactMap { $0.text.flatMap { try? Platform($0) } }.min() ?? image.hostPlatform
    }

    /// The conda content of a lock file; nil where there is none or it cannot be read, which is reported.
    ///
    /// `conda-lock.yml` is asked first, because lists for a platform are made from it and leave out pip's packages.
    func readLock(_ beside: [String: SourceEntry], _ folder: RepositoryPath) throws -> CondaContent? {
        guard let name = lockName(beside), let (bytes, path) = try bytes(name, beside, folder),
            let text = DefinitionFiles.decode(bytes, file: path, findings: findings)
        else { return nil }
        let start = Place(file: path, line: 1, column: 1)
        guard name == DefinitionNames.lock else { return explicitContent(text, from: start) }
        guard let root = YamlReader(file: path, findings: findings).read(text) else { return nil }
        var pip = RequirementsFile(files: image.files, findings: findings, workingFolder: folder)
        return try CondaLockFile(findings: findings, platform: platform).read(root) { lines in
            try pip.read(lines, in: path)
            return pip.content
        }
    }

    /// The lock file that counts, nil where there is none for the platform.
    func lockName(_ beside: [String: SourceEntry]) -> String? {
        [DefinitionNames.lock, DefinitionNames.lock(for: platform.condaSubdir)].first {
            beside[$0] != nil && beside[$0]?.kind != .folder
        }
    }

    /// Reports lists that are there for other platforms alone: nothing of them is installed.
    ///
    /// Where an environment is solved in their place, it is a warning.
    func reportOtherLocks(
        _ beside: [String: SourceEntry], _ folder: RepositoryPath, hasEnvironment: Bool
    ) throws {
        let others = beside.values.filter { $0.kind != .folder }.compactMap { DefinitionNames.lockedSubdir($0.name) }
            .sorted()
        guard let first = others.first else { return }
        let place = Place(file: try folder.appending(DefinitionNames.lock(for: first)))
        let message =
            "the locked packages are for \(others.map { quoted($0) }.joined(separator: ", ")), and the image for "
            + "'\(platform)' takes '\(platform.condaSubdir)'"
        let hint = "lock it again with '--platform \(platform.condaSubdir)'"
        if hasEnvironment {
            findings.warn(.explicitPlatform, at: place, message + "; the environment is solved instead", hint: hint)
        } else {
            findings.report(.explicitPlatform, at: place, message, hint: hint)
        }
    }

    /// The content of an explicit list.
    func explicitContent(_ text: String, from start: Place) -> CondaContent? {
        ExplicitList(findings: findings, platform: platform).read(SourceLine.lines(of: text, from: start))
            .map { CondaContent(channels: [], dependencies: [], explicit: $0) }
    }
}
