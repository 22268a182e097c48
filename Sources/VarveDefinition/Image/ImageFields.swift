// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads the values of `image.yaml` whose grammar is more than a type.
struct ImageFields {
    let root: YamlValue
    let findings: Findings

    /// What `owner` says.
    func owner() -> Owner {
        guard let value = root["owner"], let text = value.text, text != "all-users" else { return .allUsers }
        if let owner = Self.owner(text) { return owner }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let nearest = nearestWord(to: String(parts[0]), among: ["all-users", "user", "group"])
        let name = parts.dropFirst().first.flatMap { Self.isOwnerName($0) ? $0 : nil } ?? "NAME"
        let hint = nearest.map { $0 == "all-users" ? $0 : $0 + "/" + name }
        findings.report(
            .owner, at: value.place, "\(quoted(text)) is not an owner; expected all-users, user/NAME or group/NAME",
            hint: hint.map { "did you mean '\(singleLine($0, limit: 80))'?" }
        )
        return .allUsers
    }

    /// The owner that a text names: `user/NAME` or `group/NAME`.
    static func owner(_ text: String) -> Owner? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, isOwnerName(parts[1]) else { return nil }
        return switch parts[0] {
        case "user": .user(String(parts[1]))
        case "group": .group(String(parts[1]))
        default: nil
        }
    }

    static func isOwnerName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, isAlphanumeric(first), text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy { isAlphanumeric($0) || "._-@+".utf8.contains($0) }
    }

    /// What `copyFrom` says, and where.
    func copyFrom() -> (name: ImageName, place: Place)? {
        guard let value = root["copyFrom"], let text = value.text else { return nil }
        if let name = try? ImageName(text) { return (name, value.place) }
        findings.report(
            .copyUnknown, at: value.place, "\(quoted(text)) is not the name of an image of this repository")
        return nil
    }

    /// What `supports` says, in the order of the language.
    func supports() -> [ResourceKind] {
        let given = Set((root["supports"]?.items ?? []).compactMap { $0.text.flatMap(ResourceKind.init(rawValue:)) })
        return ResourceKind.allCases.filter(given.contains)
    }

    /// The most tags that an image may have: each is put into the registry by every publishing.
    private static let tagLimit = 16

    /// What `tags` says: in order, without duplicates.
    func tags() -> [String] {
        var result: [String] = []
        var seen: Set<String> = []
        for item in root["tags"]?.items ?? [] where !findings.isFull {
            guard let text = item.text else { continue }
            if !ImageReference.isTag(text) {
                findings.report(
                    .tag, at: item.place, "\(quoted(text)) is not a tag; expected [A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
                )
            } else if text == "latest" || Self.isBuildTag(text) {
                findings.report(.tag, at: item.place, "the tag '\(text)' is reserved: varve puts it there itself")
            } else if seen.insert(text).inserted {
                result.append(text)
                guard result.count == Self.tagLimit + 1 else { continue }
                findings.report(.tag, at: item.place, "expected at most \(Self.tagLimit) tags")
            }
        }
        return result
    }

    /// Whether a tag has the form `YYYY.MM.DD-<12 hexadecimal digits>`.
    static func isBuildTag(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 23, bytes[4] == 0x2E, bytes[7] == 0x2E, bytes[10] == 0x2D else { return false }
        let digits = bytes[0..<4] + bytes[5..<7] + bytes[8..<10]
        return digits.allSatisfy(isDigit) && bytes[11...].allSatisfy { isDigit($0) || (0x61...0x66).contains($0) }
    }

    /// What `hardware` says.
    func hardware() -> Hardware {
        root["hardware"]?.text.flatMap(Hardware.init(rawValue:)) ?? .cpu
    }

    /// What `platforms` says: sorted, without duplicates; nil where it is not given.
    func platforms() -> [Platform]? {
        guard let items = root["platforms"]?.items, !items.isEmpty else { return nil }
        var result: [Platform] = []
        var seen: Set<Platform> = []
        for item in items where !findings.isFull {
            guard let text = item.text else { continue }
            do {
                let platform = try Self.platform(text)
                guard seen.insert(platform).inserted else { continue }
                result.append(platform)
                guard result.count == Self.platformLimit + 1 else { continue }
                findings.report(
                    .platform, at: item.place,
                    "expected at most \(Self.platformLimit) platforms, which one record tells of")
            } catch {
                let known = [
                    "linux/amd64", "linux/arm64", "linux/arm/v7", "linux/ppc64le", "linux/s390x", "linux/riscv64",
                ]
                let aliases = [
                    "linux/x86_64": "linux/amd64", "linux/aarch64": "linux/arm64", "amd64": "linux/amd64",
                    "arm64": "linux/arm64",
                ]
                findings.report(
                    .platform, at: item.place, "\(quoted(text)) is not a platform: \(error.rule)",
                    hint: aliases[text].map { "did you mean '\($0)'?" } ?? suggestion(for: text, among: known)
                )
            }
        }
        return result.isEmpty ? nil : result.sorted()
    }

    /// A platform in the spelling that containerd's `platforms.Normalize` gives it: the variant that an architecture has
    /// anyway is left out, and a 32-bit ARM always has one.
    private static func platform(_ text: String) throws(ValueError) -> Platform {
        let aliases = [
            "linux/amd64/v1": "linux/amd64", "linux/arm64/v8": "linux/arm64", "linux/arm": "linux/arm/v7",
        ]
        return try Platform(aliases[text] ?? text)
    }

    /// The most platforms that an image may have: each takes room in the one line of its records.
    private static let platformLimit = 4

    /// What `env` says.
    func environment() -> [String: String] {
        var result: [String: String] = [:]
        for entry in root["env"]?.entries ?? [] {
            guard VariableName.isValid(entry.key) else {
                findings.report(.variable, at: entry.place, VariableName.expectation(entry.key))
                continue
            }
            if let text = entry.value.text { result[entry.key] = text }
        }
        return result
    }

    // MARK: - Base

    /// What `base` says; nil where it is missing or wrong.
    ///
    /// - Parameter containerfile: Reads the Containerfile that a value names.
    func base(containerfile: (YamlValue) throws -> BaseSpecification?) rethrows -> BaseSpecification? {
        guard let value = root["base"] else { return nil }
        if let text = value.text { return named(text, at: value.place) }
        guard value.entries != nil else { return nil }
        if let named = value["containerfile"] {
            guard value["bootstrap"] == nil else {
                findings.report(.base, at: named.place, "expected either 'bootstrap' or 'containerfile'")
                return nil
            }
            return try containerfile(named)
        }
        guard let bootstrap = value["bootstrap"] else {
            let isKnown = value.entries?.contains { entry in ImageKeys.base.contains { $0.name == entry.key } } ?? false
            if !isKnown {
                findings.report(.base, at: value.place, "the base is empty; expected 'bootstrap' or 'containerfile'")
            }
            return nil
        }
        return bootstrap.entries == nil ? nil : self.bootstrap(bootstrap)
    }

    /// What a base that is a plain text means; nil where it is wrong, which is reported.
    func named(_ text: String, at place: Place) -> BaseSpecification? {
        // `user:password@host/repository` too: a digest stands after the last '/'.
        let host = text.split(separator: "://").last?.prefix { $0 != "/" } ?? ""
        if UrlCheck.hasCredentials(text) || (host.contains("@") && text.contains("/")) {
            findings.report(
                .credentials, at: place, "the base holds credentials",
                hint: "write the reference alone; the operator configures the registry's credentials"
            )
            return nil
        }
        if text.contains("/") {
            do {
                return .registry(try ImageReference(text))
            } catch {
                findings.report(.base, at: place, "\(quoted(text)) is not a base: \(error.rule)", hint: Self.hint(text))
                return nil
            }
        }
        if let name = try? ImageName(text) { return .image(name) }
        findings.report(
            .base, at: place,
            "\(quoted(text)) is not a base; expected the name of an image of this repository, or a reference with its registry",
            hint: Self.hint(text)
        )
        return nil
    }

    private static func hint(_ text: String) -> String? {
        let host = text.split(separator: "/").first ?? ""
        let full: String
        if text.contains("://") {
            full = text.split(separator: "://", maxSplits: 1).last.map(String.init) ?? text
        } else if host.contains(".") || host.contains(":") && text.contains("/") || host == "localhost" {
            return nil
        } else {
            full = "docker.io/" + (text.contains("/") ? "" : "library/") + text
        }
        return (try? ImageReference(full)) == nil ? nil : "did you mean '\(full)'?"
    }

    private func bootstrap(_ value: YamlValue) -> BaseSpecification? {
        var packages: [String] = []
        let list = AptList(findings: findings)
        for item in value["packages"]?.items ?? [] {
            guard let text = item.text, list.check(text, at: item.place) else { continue }
            if text.utf8.contains(0x2F) {
                findings.report(
                    .bootstrap, at: item.place,
                    "a bootstrap has one suite, so \(quoted(text)) can name none; expected name, name:arch or name=version"
                )
            } else {
                packages.append(text)
            }
        }
        var mirror: String?
        if let given = value["mirror"], let text = given.text {
            if UrlCheck.hasCredentials(text) {
                findings.report(
                    .credentials, at: given.place, "the mirror's URL holds credentials", hint: "remove them")
            } else if text.hasPrefix("http://") || text.hasPrefix("https://"), !text.contains("@"),
                text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
            {
                mirror = text
            } else {
                findings.report(
                    .bootstrap, at: given.place, "expected the mirror's http or https URL, found \(quoted(text))")
            }
        }
        let user = user(value["user"])
        guard let distribution = value["distribution"]?.text, let suite = value["suite"], let name = suite.text else {
            return nil
        }
        let isSuite =
            name.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x2E }
            && name.utf8.first.map { (0x61...0x7A).contains($0) } == true
        guard isSuite else {
            findings.report(
                .bootstrap, at: suite.place, "expected a release's code name such as bookworm, found \(quoted(name))")
            return nil
        }
        return .bootstrap(
            BootstrapSpecification(
                distribution: distribution, suite: name, mirror: mirror, packages: packages, user: user)
        )
    }

    private func user(_ value: YamlValue?) -> String? {
        guard let value, let text = value.text else { return nil }
        if BootstrapSpecification.isUserName(text) { return text }
        let lowered = text.lowercased()
        findings.report(
            .bootstrapUser, at: value.place,
            "\(quoted(text)) is not the name of a user: \(BootstrapSpecification.userNameRule)",
            hint: BootstrapSpecification.isUserName(lowered) ? "did you mean '\(lowered)'?" : nil
        )
        return nil
    }
}
