// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Variables that stand for keys of the daemon's configuration: `VARVE_` and the key in capitals, words parted by `_`.
///
/// `layerTimeout` is `VARVE_LAYER_TIMEOUT`, and `reserve` of `disk` is `VARVE_DISK_RESERVE`. A variable beats the file. Only
/// keys with one value have one: what is in a list is told apart by the file alone.
public enum EnvironmentOverrides {
    /// The variables of some keys, each with the key's path, for the documentation and `varve doctor`.
    public static func names(of keys: [KeyDescription] = DaemonKeys.all) -> [(variable: String, path: [String])] {
        names(of: keys, below: [])
    }

    private static func names(
        of keys: [KeyDescription], below path: [String]
    ) -> [(variable: String, path: [String])] {
        keys.flatMap { key -> [(variable: String, path: [String])] in
            switch key.type {
            case .text, .boolean, .word: [(variable(path + [key.name]), path + [key.name])]
            case .record(let inner): names(of: inner, below: path + [key.name])
            case .textOrRecord(let inner):
                // What is inside comes second, and counts where the value is no text.
                [(variable(path + [key.name]), path + [key.name])] + names(of: inner, below: path + [key.name])
            default: []
            }
        }
    }

    /// The variable of a key.
    static func variable(_ path: [String]) -> String {
        path.reduce(into: "VARVE") { result, word in
            result += "_"
            var wasUpper = true
            for letter in word {
                if letter.isUppercase, !wasUpper { result += "_" }
                wasUpper = letter.isUppercase
                result += letter.uppercased()
            }
        }
    }

    /// A document with the values of the variables that are set and not empty.
    static func apply(_ environment: [String: String], to root: YamlValue) -> YamlValue {
        names().reduce(root) { root, name in
            guard let text = environment[name.variable], !text.isEmpty else { return root }
            return root.setting(name.path[...], to: text)
        }
    }
}

extension YamlValue {
    /// The value with a text under a path of keys, which are made where they are missing.
    fileprivate func setting(_ path: ArraySlice<String>, to text: String) -> YamlValue {
        guard let key = path.first else {
            return YamlValue(content: .scalar(text, style: .plain), place: place)
        }
        // What is no mapping is wrong, and is said where it stands.
        guard isNull || entries != nil else { return self }
        var entries = entries ?? []
        let index = entries.firstIndex { $0.key == key }
        let old = index.map { entries[$0].value } ?? YamlValue(content: .scalar("", style: .plain), place: place)
        let value = old.setting(path.dropFirst(), to: text)
        if let index {
            entries[index].value = value
        } else {
            entries.append(Entry(key: key, place: place, value: value))
        }
        return YamlValue(content: .mapping(entries), place: place)
    }
}
