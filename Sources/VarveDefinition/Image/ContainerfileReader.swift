// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads a Containerfile of an image's folder, and finds what its build sees.
struct ContainerfileReader {
    let image: ImageReader
    let definitionFolder: RepositoryPath

    private static let sizeLimit = 1 << 20
    private static let keywords = [
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "RUN",
        "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    ]
    /// The transports of container images that a name with a port could be taken for.
    private static let transports = [
        "containers-storage", "dir", "docker", "docker-archive", "docker-daemon", "oci", "oci-archive", "ostree", "sif",
        "tarball",
    ]

    private var findings: Findings { image.findings }

    /// What the value of `base.containerfile` means; nil where it is wrong, which is reported.
    func read(_ value: YamlValue) throws -> BaseSpecification? {
        guard let text = value.text else { return nil }
        guard let relative = try? RepositoryPath(text), relative != .root,
            let path = try image.files.resolve(text, in: image.folder.path, findings: findings, at: value.place)
        else {
            if findings.isEmpty {
                findings.report(
                    .containerfile, at: value.place,
                    "\(quoted(text)) is not a file of this folder; expected a path such as Containerfile")
            }
            return nil
        }
        guard let entry = try image.tree.entry(at: path) else {
            findings.report(
                .containerfile, at: value.place, "the file \(quoted(text)) does not exist in this folder",
                hint: try image.files.nearestFile(to: path).map { "did you mean '\($0)'?" })
            return nil
        }
        guard
            let bytes = try image.files.bytes(
                of: entry, at: path, limit: Self.sizeLimit, findings: findings, referrer: value.place),
            let content = DefinitionFiles.decode(bytes, file: path, findings: findings)
        else { return nil }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            findings.report(
                .encoding, at: Place(file: path), "a Containerfile is UTF-8, found UTF-16",
                hint: "save the file as UTF-8")
            return nil
        }
        let images = check(ContainerfileText(content), in: path)
        let context = try InputFinder(image: image, definitionFolder: definitionFolder)
            .context(with: relative, at: value.place)
        return .containerfile(ContainerfileSpecification(path: relative, files: context, images: images))
    }

    private func check(_ text: ContainerfileText, in file: RepositoryPath) -> [ImageReference] {
        func place(_ word: ContainerfileText.Word) -> Place {
            Place(file: file, line: word.line + 1, column: word.offset + 1)
        }
        for (number, line) in text.lines.enumerated() where line.holdsControlCharacter {
            findings.report(
                .controlCharacter, at: Place(file: file, line: number + 1, column: 1),
                "the line holds a control character")
        }
        for directive in text.directives {
            if directive.name == "syntax" || directive.name == "escape" && directive.value != "\\" {
                findings.report(
                    .containerfileSyntax, at: Place(file: file, line: directive.line + 1, column: 1),
                    "'# \(directive.name)=' is not supported", hint: "remove the line")
            }
        }
        if let first = text.instructions.first(where: { $0.keyword != "ARG" }) {
            if first.keyword != "FROM", let word = first.words.first {
                findings.report(
                    .containerfileSyntax, at: place(word), "expected FROM before \(quoted(word.text))")
            }
        } else {
            findings.report(
                .containerfileSyntax, at: Place(file: file, line: 1, column: 1),
                "the file has no FROM; expected at least one")
        }
        for instruction in text.instructions where !findings.isFull { check(instruction, place) }
        return text.imageUses.compactMap { use in
            guard !use.isStage else { return nil }
            guard let name = use.name else {
                findings.report(
                    .containerfileImage, at: place(use.word),
                    "\(quoted(use.word.text)) has a variable without a default",
                    hint: "give it one before the first FROM: ARG NAME=DEFAULT")
                return nil
            }
            do {
                let reference = try ImageReference(name)
                if let scheme = reference.host.split(separator: ":").first.map(String.init),
                    reference.host.contains(":"),
                    Self.transports.contains(scheme)
                {
                    throw ValueError(type: "image reference", value: name, rule: "expected a registry")
                }
                return reference
            } catch {
                findings.report(
                    .containerfileImage, at: place(use.word),
                    "\(quoted(name)) is neither an earlier stage nor an image: \((error as? ValueError)?.rule ?? "")")
                return nil
            }
        }
    }

    private func check(
        _ instruction: ContainerfileText.Instruction, _ place: (ContainerfileText.Word) -> Place
    ) {
        guard let keyword = instruction.words.first else { return }
        if instruction.keyword == "ONBUILD" {
            findings.report(
                .containerfileInput, at: place(keyword), "ONBUILD is not supported: an OCI image cannot keep it")
            return
        }
        guard Self.keywords.contains(instruction.keyword) else {
            findings.report(
                .containerfileSyntax, at: place(keyword), "\(quoted(keyword.text)) is not an instruction",
                hint: suggestion(for: instruction.keyword, among: Self.keywords))
            return
        }
        if ["FROM", "RUN"].contains(instruction.keyword), let option = instruction.options.first {
            findings.report(
                .containerfileInput, at: place(option), "\(instruction.keyword) takes no option here",
                hint: instruction.keyword == "FROM"
                    ? "the platform is that of the image; remove the option" : "use COPY in place of a mount")
        }
        if instruction.keyword == "FROM" {
            let arguments = instruction.arguments
            if arguments.count != 1, arguments.count != 3 || arguments[1].text.uppercased() != "AS" {
                findings.report(.containerfileSyntax, at: place(keyword), "expected FROM IMAGE or FROM IMAGE AS STAGE")
            }
        }
        if instruction.isCut {
            findings.report(
                .containerfileSyntax, at: place(keyword), "the instruction ends in a '\\' that continues nothing")
        }
        guard ["FROM", "RUN", "COPY", "ADD"].contains(instruction.keyword) else { return }
        // buildah takes any blank of Unicode for the end of a word, and so for the beginning of an option.
        let words = instruction.keyword == "RUN" ? instruction.words.prefix(2) : instruction.words[...]
        if let word = words.first(where: { $0.text.unicodeScalars.contains { $0.properties.isWhitespace } }) {
            findings.report(
                .containerfileSyntax, at: place(word), "\(quoted(word.text)) holds a blank other than space and tab")
        }
        guard instruction.keyword != "FROM" else { return }
        if let word = instruction.arguments.first(where: Self.isHereDocument) {
            findings.report(
                .containerfileSyntax, at: place(word), "here-documents are not supported",
                hint: "put the text into a file of this folder and COPY it")
        }
        if instruction.keyword != "RUN" { checkCopy(instruction, place) }
    }

    private func checkCopy(
        _ instruction: ContainerfileText.Instruction, _ place: (ContainerfileText.Word) -> Place
    ) {
        let isAdd = instruction.keyword == "ADD"
        let known = ["--chown=", "--chmod="] + (isAdd ? [] : ["--from="])
        for option in instruction.options
        where !known.contains(where: option.text.hasPrefix) || option.text.contains(where: { "\\\"'".contains($0) }) {
            findings.report(
                .containerfileInput, at: place(option),
                "\(quoted(option.text)) is not an option that \(instruction.keyword) takes here; expected "
                    + known.joined(separator: ", "))
        }
        // A list of JSON can be one word.
        let isList = instruction.arguments.first?.text.hasPrefix("[") ?? false
        for word in isList ? instruction.arguments : instruction.arguments.dropLast() {
            let source = word.text.filter { !"[\"',]".contains($0) }
            if source.contains("://") || isAdd && source.contains(where: { "$\\@".contains($0) }) {
                findings.report(
                    .containerfileInput, at: place(word),
                    "\(instruction.keyword) of \(quoted(source)) would be part of no key",
                    hint: "put the file into this folder, or fetch it with RUN and check its checksum")
            } else if source.split(separator: "/").contains("..") {
                findings.report(
                    .containerfileInput, at: place(word), "\(quoted(source)) is outside the context, the image's folder"
                )
            }
        }
    }

    private static func isHereDocument(_ word: ContainerfileText.Word) -> Bool {
        let text = word.text.drop { $0.isASCII && $0.isNumber }
        guard text.hasPrefix("<<"), !text.hasPrefix("<<<") else { return false }
        let name = text.dropFirst(text.hasPrefix("<<-") ? 3 : 2)
        return name.first.map { $0.isLetter || $0 == "_" || $0 == "\"" || $0 == "'" } ?? false
    }
}
