// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads requirements files as pip's `req_file` does, and everything they include, into canonical form.
///
/// One reader reads one layer: it remembers what was included, so that a file named twice is read once.
struct RequirementsFile {
    let files: DefinitionFiles
    let findings: Findings
    /// Where local paths start: pip takes them from its working folder, not from the file that names them.
    let workingFolder: RepositoryPath

    var options: [String] = []
    /// Options that have an effect only once.
    var flags: Set<String> = []
    var requirements: [String] = []
    var constraints: [String] = []
    /// Folders of the repository; their names are given once all are known.
    var localSources: Set<LocalSource> = []
    /// Files read and folders named, for `outsideInputs`.
    var touched: Set<RepositoryPath> = []

    /// What pip's check of hashes sees.
    var hashes = HashCheck()

    /// Files that were read, and as what.
    var done: Set<Inclusion> = []
    /// The files that are being read, each included by the one before it.
    var open: [RepositoryPath] = []

    /// How many words the options of a line can have.
    private static let wordLimit = 2_000

    /// A file, as requirements or as constraints.
    struct Inclusion: Hashable {
        var path: RepositoryPath
        var isConstraint: Bool
    }

    init(files: DefinitionFiles, findings: Findings, workingFolder: RepositoryPath) {
        self.files = files
        self.findings = findings
        self.workingFolder = workingFolder
    }

    /// All that was read; nil where pip would have nothing to install.
    var content: PipContent? {
        let content = PipContent(
            options: options, requirements: requirements, constraints: constraints,
            localSources: namedSources
        )
        return content.isEmpty ? nil : content
    }

    /// Reads lines that stand in a file; relative paths start at that file's folder.
    mutating func read(_ lines: [SourceLine], in file: RepositoryPath, isConstraint: Bool = false) throws {
        open.append(file)
        for line in LogicalLine.join(lines) where !findings.isFull {
            try read(line, in: file, isConstraint: isConstraint)
        }
        open.removeLast()
        if open.isEmpty { hashes.report(to: findings) }
    }

    private mutating func read(_ line: LogicalLine, in file: RepositoryPath, isConstraint: Bool) throws {
        if line.text.holdsControlCharacter {
            findings.report(.controlCharacter, at: line.place(atByte: 0), "the line holds a control character")
            return
        }
        guard line.text.utf8.count <= SourceLine.limit else {
            findings.report(.tooLarge, at: line.place(atByte: 0), "the line has more than \(SourceLine.limit) bytes")
            return
        }
        if let name = line.variable {
            findings.report(
                .environmentVariable, at: line.place(atByte: name.offset),
                "environment variables ('${\(name.text)}') are not allowed, because they would leave no trace in the layer's key",
                hint: "write the value; credentials belong into a netrc file that the operator configures"
            )
            return
        }
        let bytes = Array(line.text.utf8)
        let split = LogicalLine.startOfOptions(bytes)
        let arguments = String(decoding: bytes[..<split], as: UTF8.self).trimmed
        guard let words = ShellWords.split(bytes[split...]), words.count <= Self.wordLimit else {
            findings.report(
                .pipOptionValue, at: line.place(atByte: split),
                "a quote is not closed, or there are more than \(Self.wordLimit) words")
            return
        }
        guard let options = parseOptions(words, line) else { return }
        if arguments.isEmpty {
            try readOptions(options, line, in: file, isConstraint: isConstraint)
        } else {
            try readRequirement(arguments, options, line, in: file, isConstraint: isConstraint)
        }
    }

    // MARK: - Options

    struct GivenOption {
        var option: PipOption
        var value: String
        var offset: Int
    }

    private func parseOptions(_ words: [ShellWords.Word], _ line: LogicalLine) -> [GivenOption]? {
        var result: [GivenOption] = []
        var index = 0
        while index < words.count {
            let word = words[index]
            index += 1
            var name = word.text
            var value: String?
            if name.hasPrefix("--") {
                if let equals = name.firstIndex(of: "=") {
                    value = String(name[name.index(after: equals)...])
                    name = String(name[..<equals])
                }
            } else if name.hasPrefix("-"), name.utf8.count > 2 {
                value = String(name.dropFirst(2))
                name = String(name.prefix(2))
            }
            let place = line.place(atByte: word.offset)
            guard name.hasPrefix("-") else {
                findings.warn(
                    .pipIgnored, at: place, "pip passes over \(quoted(name)), which stands after an option",
                    hint: "a requirement stands on a line of its own"
                )
                continue
            }
            guard let option = PipOption.find(name) else {
                findings.report(
                    .pipOption, at: place, "pip takes no \(quoted(name)) in a requirements file",
                    hint: name.hasPrefix("--") ? suggestion(for: name, among: PipOption.all.map(\.name)) : nil
                )
                return nil
            }
            if case .none = option.value {
                guard value == nil else {
                    findings.report(.pipOptionValue, at: place, "'\(option.name)' takes no value")
                    return nil
                }
                result.append(GivenOption(option: option, value: "", offset: word.offset))
                continue
            }
            if value == nil, index < words.count {
                value = words[index].text
                index += 1
            }
            guard let value, !value.isEmpty else {
                findings.report(.pipOptionValue, at: place, "'\(option.name)' needs a value")
                return nil
            }
            result.append(GivenOption(option: option, value: value, offset: word.offset))
        }
        return result
    }

    private mutating func readOptions(
        _ given: [GivenOption], _ line: LogicalLine, in file: RepositoryPath, isConstraint: Bool
    ) throws {
        for option in given {
            let place = line.place(atByte: option.offset)
            switch option.option.role {
            case .perRequirement:
                if given.contains(where: { $0.option.role == .editable }) { continue }
                findings.report(.pipOption, at: place, "'\(option.option.name)' must stand after a requirement")
            case .global: readGlobal(option, at: place)
            case .requirement: try include(option.value, isConstraint: false, from: file, at: place)
            case .constraint: try include(option.value, isConstraint: true, from: file, at: place)
            case .editable: try readEditable(option.value, in: file, isConstraint: isConstraint, at: place)
            }
        }
    }

    private mutating func readGlobal(_ given: GivenOption, at place: Place) {
        let name = given.option.canonicalName
        switch given.option.value {
        case .none:
            if flags.insert(name).inserted { options.append(name) }
            if name == "--require-hashes", hashes.demand == nil { hashes.demand = place }
        case .text:
            options.append(name + " " + ShellWords.quote(given.value))
        case .url, .urlOrFolder:
            guard checkUrl(given.value, at: place) else { return }
            guard let scheme = UrlCheck.scheme(of: given.value), scheme == "https" || scheme == "http" else {
                findings.report(
                    .pipOptionValue, at: place,
                    "expected an http or https URL for '\(name)', found \(quoted(given.value))"
                )
                return
            }
            options.append(name + " " + ShellWords.quote(given.value))
        }
    }

    /// Whether a URL is free of credentials; if not, it is reported without them.
    func checkUrl(_ url: String, at place: Place) -> Bool {
        guard UrlCheck.hasCredentials(url) else { return true }
        findings.report(
            .credentials, at: place, "the URL holds credentials, which everyone who reads the repository would see",
            hint: "remove them; the operator configures a netrc file or a secret for the host"
        )
        return false
    }
}
