// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The files by which an administrator has other registries asked than those that references name
/// (`containers-registries.conf(5)`); skopeo reads them, and varve does not.
enum RegistriesFile {
    /// Whether anything may be rewritten, mirrored, blocked or be given other credentials.
    static func decides(home: String?) -> Bool {
        let roots = ["/usr/share/containers", "/etc/containers"] + (home.map { [$0 + "/.config/containers"] } ?? [])
        return roots.contains { root in
            let folder = root + "/registries.conf.d"
            let more = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            let paths = [root + "/registries.conf"] + more.filter { $0.hasSuffix(".conf") }.map { folder + "/" + $0 }
            return paths.contains { path in
                guard FileManager.default.fileExists(atPath: path) else { return false }
                guard let data = FileManager.default.contents(atPath: path) else { return true }
                return decides(String(decoding: data, as: UTF8.self))
            }
        }
    }

    /// Whether a file says more than what short names mean, which references of varve never are.
    static func decides(_ text: String) -> Bool {
        var isOfAliases = false
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.drop { $0 == " " || $0 == "\t" }
            if words.isEmpty || words.hasPrefix("#") { continue }
            if words.hasPrefix("[") {
                guard words.hasPrefix("[aliases]") else { return true }
                isOfAliases = true
            } else if !isOfAliases, !words.hasPrefix("unqualified-search-registries"),
                !words.hasPrefix("short-name-mode")
            {
                return true
            }
        }
        return false
    }
}
