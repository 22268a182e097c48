// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Judges whether pip would take a set of requirements with hashes: it takes them of all requirements or of none.
struct HashCheck {
    /// A requirement as pip's check of hashes sees it.
    struct Requirement {
        var place: Place
        var text: String
        /// Whether it has `--hash`.
        var hasOption = false
        /// Whether its URL ends in a hash, which counts as one but asks for none elsewhere.
        var hasFragment = false
        /// Whether pip may skip it on the machine that builds.
        var hasMarker = false
        var kind = Kind.index
    }

    /// Where a requirement comes from.
    enum Kind {
        /// An index, in exactly one version.
        case pinned
        /// An index, in one of several versions.
        case index
        /// The URL of an archive.
        case archive
        /// A version control system or a folder, of which there is no hash.
        case unhashable
    }

    var requirements: [Requirement] = []
    /// Where `--require-hashes` stands.
    var demand: Place?
    /// Whether nothing can be said, because constraints have hashes.
    var isOpen = false

    /// Reports each requirement for which pip would refuse to install anything.
    func report(to findings: Findings) {
        guard !isOpen, let cause = demand ?? requirements.first(where: \.hasOption)?.place else { return }
        let line = "line \(cause.line) of \(quoted(cause.file.name))"
        let why = demand == nil ? "the requirement in \(line) has one" : "'--require-hashes' stands in \(line)"
        for requirement in requirements where !requirement.hasMarker && !findings.isFull {
            switch requirement.kind {
            case .unhashable:
                findings.report(
                    .hashImpossible, at: requirement.place,
                    "\(quoted(requirement.text)) can have no hash, and pip takes hashes of all requirements or of none; \(why)",
                    hint: "name an archive or a version of an index, or remove the hashes")
            case _ where !requirement.hasOption && !requirement.hasFragment:
                findings.report(
                    .hashMissing, at: requirement.place,
                    "\(quoted(requirement.text)) has no hash, and pip takes hashes of all requirements or of none; \(why)",
                    hint: "write the hashes of all, such as by 'pip-compile --generate-hashes'")
            case .index:
                findings.report(
                    .hashMissing, at: requirement.place,
                    "\(quoted(requirement.text)) has a hash and no exact version, which pip refuses",
                    hint: "write the version after '=='")
            case .pinned, .archive: break
            }
        }
    }
}
