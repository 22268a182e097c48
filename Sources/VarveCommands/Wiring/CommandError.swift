// SPDX-License-Identifier: Apache-2.0

/// An error that is already in the words a person should read.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
