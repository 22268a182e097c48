// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads the layers of R: `build.cran`, `build.bioconductor`, `build.remotes`, and the mirror that all of them use.
struct RLayers {
    let findings: Findings
    /// The lines of `image.yaml`.
    let sourceLines: SourceLines

    /// The mirror of CRAN where a definition names none.
    static let mirror = "https://cloud.r-project.org"

    /// Reads the keys under `build`; the script comes read.
    func read(_ build: YamlValue?, installR: Script?, into data: inout BuildData) {
        let mirror = mirror(build?["cranMirror"])
        let list = RPackageList(findings: findings)
        if let words = words(build?["cran"]) {
            let packages = list.cran(words)
            if !packages.isEmpty { data.cran = CranContent(repository: mirror, packages: packages) }
        }
        if let words = words(build?["bioconductor"]) {
            let packages = list.bioconductor(words)
            if !packages.isEmpty {
                data.bioconductor = BioconductorContent(repository: mirror, version: nil, packages: packages)
            }
        }
        if let words = words(build?["remotes"]) {
            let packages = list.remotes(words)
            if !packages.isEmpty { data.remotes = RemotesContent(repository: mirror, packages: packages) }
        }
        data.installR = installR.map { InstallRContent(repository: mirror, script: $0) }
    }

    /// The URL of the mirror without a slash at its end.
    private func mirror(_ value: YamlValue?) -> String {
        guard let value, let text = value.text else { return Self.mirror }
        if UrlCheck.hasCredentials(text) {
            findings.report(
                .rMirror, at: value.place, "the mirror's URL holds a password or token",
                hint: "have the operator configure access to the host"
            )
            return Self.mirror
        }
        let scheme = UrlCheck.scheme(of: text)
        let rest = scheme.map { text.utf8.dropFirst($0.utf8.count) } ?? ""[...].utf8
        let host = rest.dropFirst(3)
        let isPlain = host.allSatisfy { isAlphanumeric($0) || "-._~:/[]%+".utf8.contains($0) }
        guard scheme == "http" || scheme == "https", rest.starts(with: "://".utf8), isPlain,
            let first = host.first, isAlphanumeric(first) || first == 0x5B
        else {
            findings.report(
                .rMirror, at: value.place, "expected the http or https URL of a mirror of CRAN, found \(quoted(text))",
                hint: scheme == nil ? "write it as 'https://HOST/PATH'" : nil
            )
            return Self.mirror
        }
        var plain = Substring(text)
        while plain.hasSuffix("/") { plain = plain.dropLast() }
        return String(plain)
    }

    /// The words of a text or a list of texts, each with its place; nil where nothing is given.
    ///
    /// `#` begins a comment at the start of a word; inside one it is kept, because `owner/repository#12` means something.
    private func words(_ value: YamlValue?) -> [RWord]? {
        guard let value else { return nil }
        var result: [RWord] = []
        for item in value.items ?? [value] {
            for line in InlineText(value: item, sourceLines: sourceLines).lines {
                let bytes = Array(line.text.utf8)
                var position = 0
                while position < bytes.count {
                    while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
                    let start = position
                    while position < bytes.count, bytes[position] != 0x20, bytes[position] != 0x09 { position += 1 }
                    guard position > start, bytes[start] != 0x23 else { break }
                    let text = String(decoding: bytes[start..<position], as: UTF8.self)
                    result.append(RWord(text: text, place: line.place(atByte: start)))
                }
            }
        }
        return result
    }
}

/// A word of a list, where it stands.
struct RWord {
    var text: String
    var place: Place
}
