// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Reads `conda-lock.yml` of version 1: the packages of the image's platform, of the category `main`, none optional.
struct CondaLockFile {
    let findings: Findings
    let platform: Platform

    /// One package of conda, for the order in which packages are linked.
    private struct Package {
        var url: String
        var dependencies: [String]
    }

    /// The content of a lock file; nil where it cannot be read, which is reported.
    ///
    /// - Parameter pip: reads the lines of a requirements file.
    func read(_ root: YamlValue, pip: ([SourceLine]) throws -> PipContent?) rethrows -> CondaContent? {
        guard root["version"]?.text == "1", let items = root["package"]?.items else {
            findings.report(
                .condaLock, at: root["version"]?.place ?? root.place,
                "expected a lock file of conda-lock with 'version: 1' and a list 'package'",
                hint: "write it by 'conda-lock lock'")
            return nil
        }
        var packages: [String: Package] = [:]
        var lines: [SourceLine] = []
        var others: Set<String> = []
        let before = findings.count
        for item in items where !findings.isFull {
            guard let given = item["platform"]?.text else {
                findings.report(
                    .condaLock, at: item.place,
                    "expected a package with 'name', 'platform', 'manager' and 'url', found \(item.kindName)")
                continue
            }
            guard given == platform.condaSubdir else {
                others.insert(given)
                continue
            }
            guard item["category"]?.text ?? "main" == "main", item["optional"]?.text?.lowercased() != "true" else {
                continue
            }
            guard let name = item["name"]?.text, let url = item["url"], let text = url.text else {
                findings.report(.condaLock, at: item.place, "expected a package with 'name' and 'url'")
                continue
            }
            let hashes = item["hash"]
            switch item["manager"]?.text {
            case "conda":
                let hash = hashes?["md5"]?.text ?? hashes?["sha256"]?.text.map { "sha256:" + $0 }
                let list = ExplicitList(findings: findings, platform: platform)
                guard let canonical = list.package(text + (hash.map { "#" + $0 } ?? ""), at: url.place) else {
                    continue
                }
                let dependencies = item["dependencies"]?.entries?.map(\.key) ?? []
                packages[name] = Package(url: canonical, dependencies: dependencies)
            case "pip":
                if let line = requirement(name, text, hashes?["sha256"]?.text, at: url.place) { lines += line }
            default:
                findings.report(.condaLock, at: item.place, "expected the manager 'conda' or 'pip' for \(quoted(name))")
            }
        }
        guard !packages.isEmpty else {
            // What is wrong with the packages themselves has been said.
            guard findings.count == before else { return nil }
            let known = others.sorted().prefix(8).map { quoted($0) }.joined(separator: ", ")
            findings.report(
                .explicitPlatform, at: root.place,
                "the lock file has no conda package for '\(platform.condaSubdir)'"
                    + (known.isEmpty ? "" : "; it has some for \(known)"),
                hint: "lock it again with '--platform \(platform.condaSubdir)'")
            return nil
        }
        return CondaContent(
            channels: [], dependencies: [], pip: lines.isEmpty ? nil : try pip(lines), explicit: Self.ordered(packages))
    }

    /// How pip is asked for one package: by its URL, with the hash that pip checks.
    private func requirement(_ name: String, _ url: String, _ hash: String?, at place: Place) -> [SourceLine]? {
        let isVersionControl = UrlCheck.scheme(of: url)?.contains("+") ?? false
        let digest = hash.map { "sha256:" + $0 }.flatMap(ExplicitList.hash)
        guard ExplicitList.isPlain(url), name.utf8.allSatisfy({ isAlphanumeric($0) || "._-".utf8.contains($0) }),
            isVersionControl || digest != nil
        else {
            findings.report(
                .condaLock, at: place, "expected a URL and a hash 'sha256' for the pip package \(quoted(name))")
            return nil
        }
        let fragment = isVersionControl ? "" : "#sha256=" + (digest?.dropFirst(7) ?? "")
        return SourceLine.lines(of: "\(name) @ \(url)\(fragment)", from: place)
    }

    /// The packages, each after those it depends on; what the dependencies leave open is decided by name.
    private static func ordered(_ packages: [String: Package]) -> [String] {
        var waiting: [String: Int] = [:]
        var dependents: [String: [String]] = [:]
        for (name, package) in packages {
            let needed = Set(package.dependencies).filter { $0 != name && packages[$0] != nil }
            waiting[name] = needed.count
            for other in needed { dependents[other, default: []].append(name) }
        }
        var result: [String] = []
        var seen: Set<String> = []
        var ready = waiting.filter { $0.value == 0 }.keys.sorted()
        while !waiting.isEmpty {
            // Packages that depend on each other come in the order of their names.
            if ready.isEmpty, let first = waiting.keys.min() { ready = [first] }
            var next: Set<String> = []
            for name in ready where waiting.removeValue(forKey: name) != nil {
                if let url = packages[name]?.url, seen.insert(url).inserted { result.append(url) }
                for other in dependents[name] ?? [] {
                    guard let count = waiting[other] else { continue }
                    waiting[other] = count - 1
                    if count == 1 { next.insert(other) }
                }
            }
            ready = next.sorted()
        }
        return result
    }
}
