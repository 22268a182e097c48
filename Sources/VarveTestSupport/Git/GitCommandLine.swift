// SPDX-License-Identifier: Apache-2.0

import Foundation
public import VarveModel

/// The `git` command line on one repository: the reference that the product is compared with.
///
/// No configuration of the machine or of the user reaches it, and names and dates are fixed, so equal calls give equal
/// commits.
public struct GitCommandLine: Sendable {
    /// The working folder, or the bare repository.
    public var folder: String
    /// Author and committer, `NAME <ADDRESS>`.
    public var identity = "Test Author <author@example.org>"
    /// The date of commits, in any form git reads; a commit may say otherwise.
    public var date = "2026-11-23T11:00:00Z"
    /// Variables on top of the isolated ones, for instance `GIT_SSH_COMMAND`.
    public var environment: [String: String?] = [:]

    /// The command line on a repository that exists.
    public init(_ folder: String) { self.folder = folder }

    /// Makes an empty repository whose branch is `main`.
    ///
    /// - Throws: `FixtureError` when git fails.
    public static func initialize(_ folder: String, bare: Bool = false) async throws -> GitCommandLine {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let git = GitCommandLine(folder)
        try await git.run(["init", "--quiet", "--initial-branch=main"] + (bare ? ["--bare"] : []))
        return git
    }

    /// Clones a repository; `environment` serves the clone and what is run in it.
    ///
    /// - Throws: `FixtureError` when git fails.
    public static func clone(
        _ address: String, to folder: String, bare: Bool = false, environment: [String: String?] = [:]
    ) async throws -> GitCommandLine {
        var git = GitCommandLine(NSTemporaryDirectory())
        git.environment = environment
        try await git.run(["clone", "--quiet"] + (bare ? ["--bare"] : []) + ["--", address, folder])
        git.folder = folder
        return git
    }

    /// The variables that every call sees.
    public func variables(date: String? = nil) -> [String: String?] {
        let parts = identity.split(separator: "<", maxSplits: 1)
        let name = parts.first.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
        let address = parts.count > 1 ? parts[1].trimmingCharacters(in: CharacterSet(charactersIn: "> ")) : ""
        let isolated: [String: String?] = [
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": address, "GIT_AUTHOR_DATE": date ?? self.date,
            "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": address, "GIT_COMMITTER_DATE": date ?? self.date,
            "GIT_EDITOR": "true", "LC_ALL": "C.UTF-8", "TZ": "UTC", "GIT_DIR": nil, "GIT_WORK_TREE": nil,
        ]
        return isolated.merging(environment) { $1 }
    }

    /// Runs git to its end, whatever its exit status.
    ///
    /// - Throws: `FixtureError` when git is not there.
    public func result(_ arguments: [String], date: String? = nil, input: String? = nil) async throws -> CommandResult {
        try await Command.result("git", arguments, in: folder, environment: variables(date: date), input: input)
    }

    /// Runs git, which must succeed, and returns its output without the line ends at its end.
    ///
    /// - Throws: `FixtureError` when git fails.
    @discardableResult
    public func run(_ arguments: [String], date: String? = nil, input: String? = nil) async throws -> String {
        let environment = variables(date: date)
        return try await Command.run("git", arguments, in: folder, environment: environment, input: input).trimmed
    }

    /// Runs git, which must succeed, and returns its output without the line ends at its end.
    ///
    /// - Throws: `FixtureError` when git fails.
    @discardableResult
    public func callAsFunction(_ arguments: String...) async throws -> String { try await run(arguments) }
}

extension GitCommandLine {
    /// Writes files into the working folder; a nil text removes the file.
    ///
    /// - Throws: when a file cannot be written.
    public func write(_ files: [String: String?]) throws {
        for (name, text) in files {
            if let text {
                try TemporaryDirectory.write(text, to: folder + "/" + name)
            } else {
                try FileManager.default.removeItem(atPath: folder + "/" + name)
            }
        }
    }

    /// Writes files, stages everything and commits; an empty commit is allowed.
    ///
    /// - Throws: `FixtureError` when git fails.
    @discardableResult
    public func commit(
        _ files: [String: String?] = [:], message: String = "Change definitions", date: String? = nil
    ) async throws -> ObjectID {
        try write(files)
        try await run(["add", "--all"])
        try await run(["commit", "--quiet", "--allow-empty", "-m", message], date: date)
        return try await head()
    }

    /// Replaces the last commit by one with the same parents, another message, and what is in the working folder.
    ///
    /// - Throws: `FixtureError` when git fails.
    @discardableResult
    public func amend(
        _ files: [String: String?] = [:], message: String = "Amended", date: String? = nil
    ) async throws -> ObjectID {
        try write(files)
        try await run(["add", "--all"])
        try await run(["commit", "--quiet", "--amend", "--allow-empty", "-m", message], date: date)
        return try await head()
    }

    /// Makes a branch at a revision and checks it out.
    ///
    /// - Throws: `FixtureError` when git fails.
    public func branch(_ name: String, at revision: String = "HEAD") async throws {
        try await run(["checkout", "--quiet", "-B", name, revision])
    }

    /// Checks out a revision.
    ///
    /// - Throws: `FixtureError` when git fails.
    public func checkout(_ revision: String) async throws { try await run(["checkout", "--quiet", revision]) }

    /// Merges one branch or several (an octopus) with a commit of its own.
    ///
    /// - Throws: `FixtureError` when git fails or the merge conflicts.
    @discardableResult
    public func merge(_ branches: [String], options: [String] = [], date: String? = nil) async throws -> ObjectID {
        try await run(["merge", "--quiet", "--no-ff", "--no-edit"] + options + branches, date: date)
        return try await head()
    }

    /// The id that a revision stands for.
    ///
    /// - Throws: `FixtureError` when there is no such revision.
    public func revision(_ name: String) async throws -> ObjectID {
        try ObjectID(hex: await run(["rev-parse", "--verify", "--quiet", name]))
    }

    /// The id of the checked out commit.
    ///
    /// - Throws: `FixtureError` where there is no commit yet.
    public func head() async throws -> ObjectID { try await revision("HEAD") }

    /// The id that a ref holds, nil where there is none.
    ///
    /// - Throws: `FixtureError` when git is not there.
    public func reference(_ name: String) async throws -> ObjectID? {
        let result = try await result(["rev-parse", "--verify", "--quiet", name])
        return result.status == 0 ? try ObjectID(hex: result.trimmed) : nil
    }

    /// What `git log -1` names for a path, nil where it names nothing.
    ///
    /// - Throws: `FixtureError` when git fails.
    public func lastCommit(touching paths: [String], from revision: String = "HEAD") async throws -> ObjectID? {
        let text = try await run(["log", "-1", "--format=%H", revision, "--"] + paths)
        return text.isEmpty ? nil : try ObjectID(hex: text)
    }

    /// The note on an object, nil where there is none.
    ///
    /// - Throws: `FixtureError` when git is not there.
    public func note(_ ref: String, on object: String) async throws -> String? {
        let result = try await result(["notes", "--ref", ref, "show", object])
        return result.status == 0 ? result.trimmed : nil
    }
}
