// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import VarveDefinition
import VarveModel

/// `varve new NAME --base B`: writes a definition folder.
///
/// Asks nothing; everything is a flag.
struct NewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Write the folder of a new image.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The image's name.") var name: String
    @Option(help: "An image of this repository, a registry reference, or bootstrap:SUITE for a Debian base.")
    var base: String?
    @Option(
        name: .customLong("copy-from"),
        help: ArgumentHelp("An image of this repository whose configuration this one starts from.", valueName: "IMAGE"))
    var copyFrom: String?
    @Option(help: "The folder that gets the image's folder, relative to the repository.") var folder = "images"
    @Option(help: "Text for people.") var description: String?
    @Option(help: "all-users, user/NAME or group/NAME.") var owner: String?
    @Option(help: "owner, org or account.") var visibility: String?
    @Option(help: "cpu, or gpu for a base with CUDA.") var hardware: String?
    @Option(help: "A Debian package; may be repeated.") var apt: [String] = []
    @Option(help: "A conda match spec; may be repeated.") var conda: [String] = []
    @Option(help: "A conda channel, in order; may be repeated.") var channel: [String] = []
    @Option(help: "A Python requirement; may be repeated.") var pip: [String] = []
    @Option(help: "A variable of the finished image, NAME=VALUE; may be repeated.") var env: [String] = []
    @Option(help: "A further tag; may be repeated.") var tag: [String] = []
    @Option(help: "A kind of resource that can use the image; may be repeated.") var supports: [String] = []
    @Option(help: "A platform to build for; may be repeated.") var platform: [String] = []

    func validate() throws {
        guard base != nil || copyFrom != nil else { throw ValidationError("--base or --copy-from is needed") }
    }

    func run() async throws {
        let image = try ImageName(name)
        let place = try RepositoryPath(folder)
        var template = DefinitionTemplate(base: try base.map(Self.baseText), description: description)
        template.fields = [("owner", owner), ("visibility", visibility), ("hardware", hardware)]
        if let copyFrom { template.fields.append(("copyFrom", try ImageName(copyFrom).value)) }
        template.supports = supports
        template.platforms = platform
        template.apt = apt
        template.conda = conda
        template.channels = channel
        template.pip = pip
        template.tags = tag
        template.environment = try env.map { pair in
            guard let separator = pair.firstIndex(of: "="), separator > pair.startIndex else {
                throw ValidationError("--env takes NAME=VALUE, not '\(pair)'")
            }
            return (String(pair[..<separator]), String(pair[pair.index(after: separator)...]))
        }
        let root = try Workspace.workingFolder(global)
        let path = "\(root)/\(place)/\(image)"
        guard !FileManager.default.fileExists(atPath: path) else { throw CommandError("\(path) is there already") }
        let depth = try place.appending(image.value).components.count
        template.schema = String(repeating: "../", count: depth) + JSONSchema.imagePath
        try template.write(to: path)
        try SchemaCommand.write(to: root)
        Output.line("wrote \(path)/image.yaml")
        try check(path, global)
    }

    /// Reports what is wrong with what was written, which stays for the person to correct.
    private func check(_ path: String, _ global: GlobalOptions) throws {
        let tree = try Workspace.workingTree(global)
        let reader = DefinitionReader(tree: tree.files, hostPlatform: try Workspace.hostPlatform())
        let diagnostics = try reader.readFleet(below: [tree.path(of: path)]).diagnostics
        for diagnostic in diagnostics { Output.note(diagnostic.description) }
        if !diagnostics.isEmpty { throw ExitCode(1) }
    }

    /// The base as YAML.
    private static func baseText(_ base: String) throws -> String {
        if base.hasPrefix("bootstrap:") {
            let suite = base.dropFirst("bootstrap:".count)
            return "{bootstrap: {distribution: debian, suite: \(DefinitionTemplate.quoted(String(suite)))}}"
        }
        if base.contains("/") { return DefinitionTemplate.quoted(try ImageReference(base).description) }
        return DefinitionTemplate.quoted(try ImageName(base).value)
    }
}
