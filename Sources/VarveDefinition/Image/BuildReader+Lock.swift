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
        [DefinitionNames.lock, "conda-\(platform.condaSubdir).lock"].first {
            beside[$0] != nil && beside[$0]?.kind != .folder
        }
    }

    /// The content of an explicit list.
    func explicitContent(_ text: String, from start: Place) -> CondaContent? {
        ExplicitList(findings: findings, platform: platform).read(SourceLine.lines(of: text, from: start))
            .map { CondaContent(channels: [], dependencies: [], explicit: $0) }
    }
}
