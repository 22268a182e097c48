// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// One execution in a working container: a program of varve and its input, both rendered from canonical content.
///
/// Nothing of a definition is ever part of a program's text: it arrives as arguments or as files.
struct Step: Hashable, Sendable {
    /// As whom it runs.
    enum User: Hashable, Sendable {
        case root
        /// The image's USER.
        case image
    }

    /// What it keeps for later steps.
    enum Cache: Hashable, Sendable {
        case none
        /// A folder for the step's tools that goes with the step.
        case ownStep
        /// Between all owners: the tool checks what it takes.
        case shared(String)
        /// Between the images of one user or group; like `ownStep` for images of all users.
        case owned(String)
    }

    /// A file that the step is given.
    struct File: Hashable, Sendable {
        /// What is at the path.
        enum Content: Hashable, Sendable {
            case bytes([UInt8])
            case blob(ObjectID)
            case symlink(ObjectID)
        }

        /// The path below `/run/varve`: `step/…` is read only, `build/…` can be written.
        var path: String
        /// What is there.
        var content: Content
        /// Whether it has the mode bit.
        var isExecutable = false
    }

    /// As whom it runs.
    var user: User
    /// The program and its arguments.
    var arguments: [String]
    /// The files that it is given.
    var files: [File]
    /// Folders of the source that it is given, below `/run/varve/step/src`.
    var sources: [LocalSource] = []
    /// What it keeps for later steps.
    var cache: Cache
    /// Variables beside those of the recipe.
    var environment: [String: String] = [:]
    /// The working directory in the container.
    var workingDirectory = "/"

    /// A text file that the step is given.
    static func text(_ path: String, _ text: String) -> File { File(path: path, content: .bytes(Array(text.utf8))) }
}
