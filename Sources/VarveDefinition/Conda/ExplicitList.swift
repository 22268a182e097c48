// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads explicit lists: `@EXPLICIT` and a URL a line, as `conda list --explicit` and `conda-lock` write them.
struct ExplicitList {
    let findings: Findings
    let platform: Platform

    /// Whether a text is an explicit list and not an environment file.
    static func isExplicit(_ text: String) -> Bool {
        text.hasPrefix("@EXPLICIT") || text.contains("\n@EXPLICIT")
    }

    /// The packages of a list in order; nil where there are none.
    func read(_ lines: [SourceLine]) -> [String]? {
        var result: [String] = []
        var seen: Set<String> = []
        var isMarked = false
        for line in lines where !findings.isFull {
            let text = line.text.trimmed
            if text.isEmpty || text.hasPrefix("#") { continue }
            if text == "@EXPLICIT" {
                isMarked = true
            } else if let url = package(text, at: line.place), seen.insert(url).inserted {
                result.append(url)
            }
        }
        if !isMarked, let first = lines.first {
            findings.report(
                .explicitList, at: first.place, "the line '@EXPLICIT' is missing, without which a solver would choose",
                hint: "write the list by 'conda list --explicit --md5' or 'conda-lock render'")
        }
        return result.isEmpty ? nil : result
    }

    /// The canonical form of one package, `URL`, `URL#MD5` or `URL#sha256:SHA256`; nil where it is none, which is reported.
    func package(_ text: String, at place: Place) -> String? {
        guard !UrlCheck.hasCredentials(text) else {
            findings.report(
                .credentials, at: place, "the URL holds credentials, which everyone who reads the repository would see",
                hint: "remove them; the operator configures a netrc file or a secret for the host")
            return nil
        }
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard text.utf8.count <= 2_000, Self.isPlain(parts[0]), let scheme = UrlCheck.scheme(of: text),
            ["http", "https", "file"].contains(scheme), parts[0].hasPrefix(scheme + "://"), Self.isArchive(parts[0])
        else {
            findings.report(
                .explicitList, at: place, "\(quoted(text)) is not a package of an explicit list",
                hint: "expected a URL that ends in SUBDIR/NAME-VERSION-BUILD.conda or .tar.bz2")
            return nil
        }
        guard parts.count == 1 || Self.hash(parts[1]) != nil else {
            findings.report(
                .explicitList, at: place, "\(quoted(parts[1])) is not a hash; expected 32 hexadecimal digits of MD5",
                hint: "or 'sha256:' and 64 digits")
            return nil
        }
        let subdir = parts[0].split(separator: "/").dropLast().last.map(String.init) ?? ""
        guard subdir == "noarch" || subdir == platform.condaSubdir else {
            findings.report(
                .explicitPlatform, at: place,
                "the package is for \(quoted(subdir)), and the image for '\(platform)' takes "
                    + "'\(platform.condaSubdir)' and 'noarch'",
                hint: "make the list on the image's platform, or give the image 'platforms'")
            return nil
        }
        return parts[0] + (parts.count == 1 ? "" : "#" + (Self.hash(parts[1]) ?? ""))
    }

    /// Whether a text holds only what stands in a URL as it is, and nothing that a tool replaces.
    static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { isAlphanumeric($0) || "-._~:/?@!&'()*+,;=%".utf8.contains($0) }
            && !text.split(separator: "/", omittingEmptySubsequences: false).contains("..")
    }

    private static func isArchive(_ url: String) -> Bool {
        let name = url.split(separator: "/").last ?? ""
        guard let suffix = [".conda", ".tar.bz2"].first(where: name.hasSuffix) else { return false }
        return name.dropLast(suffix.count).split(separator: "-", omittingEmptySubsequences: false).count >= 3
    }

    /// A hash in lower case, nil where it is none that conda, mamba and micromamba all know.
    static func hash(_ text: String) -> String? {
        let lowered = text.lowercased()
        let digits = lowered.hasPrefix("sha256:") ? lowered.dropFirst(7) : lowered[...]
        guard digits.utf8.allSatisfy({ isDigit($0) || (0x61...0x66).contains($0) }) else { return nil }
        return digits.utf8.count == (digits.utf8.count == lowered.utf8.count ? 32 : 64) ? lowered : nil
    }
}

extension Platform {
    /// conda's name for the platform: `linux-64`.
    var condaSubdir: String {
        switch description {
        case "linux/amd64": "linux-64"
        case "linux/arm64", "linux/arm64/v8": "linux-aarch64"
        case "linux/arm/v7": "linux-armv7l"
        default: description.split(separator: "/").prefix(2).joined(separator: "-")
        }
    }
}
