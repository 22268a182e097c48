// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension SaturnRecipeReader {
    mutating func readVersions(_ root: YamlValue) -> [Version] {
        guard let list = root["versions"], let items = list.items, !items.isEmpty else {
            refuse("the recipe has no 'versions'", at: root["versions"]?.place ?? root.place)
            return []
        }
        if items.count > SaturnImport.versionLimit {
            refuse(
                "\(items.count) versions are too many; expected at most \(SaturnImport.versionLimit)", at: list.place)
            return []
        }
        var versions: [Version] = []
        for item in items {
            if let version = version(item) { versions.append(version) }
        }
        return versions
    }

    private mutating func version(_ value: YamlValue) -> Version? {
        guard value.entries != nil else {
            refuse("expected a version with keys such as 'name', found \(value.kindName)", at: value.place)
            return nil
        }
        sayUnknown(value, Self.versionKeys)
        guard let name = text(value, "name") else {
            if value["name"] == nil { refuse("a version has no 'name' and is left out", at: value.place) }
            return nil
        }
        let place = value["name"]?.place ?? value.place
        if boolean(value, "archived") == true {
            say("version \(quoted(name)) is archived and is left out", at: place)
            return nil
        }
        let location = text(value, "image_uri")
        let description = text(value, "description").map { ($0, value["description"]?.place ?? place) }
        if let build = value["build_data"] {
            guard let (base, files) = buildData(build, of: name) else { return nil }
            if location != nil, let place = value["image_uri"]?.place {
                say(
                    "the image_uri of version \(quoted(name)) is not carried: varve builds the image from its build_data",
                    at: place)
            }
            return Version(name: name, place: place, description: description, source: .base(base), files: files)
        }
        guard let location, let uri = value["image_uri"] else {
            refuse("version \(quoted(name)) has neither an image_uri nor build_data and is left out", at: place)
            return nil
        }
        guard let reference = reference(location, "image_uri", of: name, at: uri.place) else { return nil }
        return Version(name: name, place: place, description: description, source: .external(reference), files: [])
    }

    private mutating func buildData(
        _ build: YamlValue, of version: String
    ) -> (base: ImageReference, files: [SaturnImport.File])? {
        guard build.entries != nil else {
            refuse("expected a mapping for 'build_data', found \(build.kindName)", at: build.place)
            return nil
        }
        sayUnknown(build, Self.buildKeys)
        guard let text = text(build, "base_image_uri"), let place = build["base_image_uri"]?.place else {
            refuse("version \(quoted(version)) has no base_image_uri and is left out", at: build.place)
            return nil
        }
        guard let base = reference(text, "base_image_uri", of: version, at: place) else { return nil }
        if boolean(build, "use_mamba") == false, let place = build["use_mamba"]?.place {
            say("'use_mamba: false' is not carried: varve takes mamba where the base has it", at: place)
        }
        let names = [
            ("apt_packages", DefinitionNames.apt), ("conda_environment", DefinitionNames.environments[0]),
            ("pip_requirements", DefinitionNames.requirements), ("post_build", DefinitionNames.postBuild),
        ]
        var files: [SaturnImport.File] = []
        for (key, name) in names {
            guard var text = self.text(build, key), let place = build[key]?.place else { continue }
            if name == DefinitionNames.postBuild, text.utf8.contains(0x0D) {
                text = text.replacing("\r\n", with: "\n")
                say("post_build has Windows line ends, which bash does not take; they are left out", at: place)
            }
            files.append(.init(name: name, text: text.utf8.last == 0x0A ? text : text + "\n"))
        }
        return (base, files)
    }

    /// A reference as Docker reads it, whose default registry is Docker Hub.
    private mutating func reference(
        _ text: String, _ key: String, of version: String, at place: Place
    ) -> ImageReference? {
        let text = text.trimmed
        let start = "version \(quoted(version)) is left out: its \(key) "
        let host = text.split(separator: "://").last?.prefix { $0 != "/" } ?? ""
        if UrlCheck.hasCredentials(text) || (host.contains("@") && text.contains("/")) {
            refuse(start + "holds credentials; the operator configures those of a registry", at: place)
            return nil
        }
        let isFull = text.contains("/") && (host.contains(".") || host.contains(":") || host == "localhost")
        let full = isFull ? text : "docker.io/" + (text.contains("/") ? "" : "library/") + text
        do {
            let reference = try ImageReference(full)
            if !isFull { say("the \(key) \(quoted(text)) is written '\(reference)'", at: place) }
            return reference
        } catch {
            refuse(start + "\(quoted(text)) is no reference: \(error.rule)", at: place)
            return nil
        }
    }
}
