// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Glibc
import VarveDefinition
import VarveModel

/// `varve new NAME --base B`: writes a definition folder.
///
/// Asks nothing; everything is a flag.
struct NewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Write the folder of a new image.",
        discussion: """
            Asks nothing: every key of image.yaml has a flag. What was written is checked as validate does; where anything is \
            wrong, nothing is written.
            """)

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The image's name.") var name: String
    @Option(help: "The folder that gets the image's folder, relative to the repository.") var folder = "images"
    @OptionGroup(title: "What the image stands on") var base: BaseOptions
    @OptionGroup(title: "What the image stands on") var source: Source
    @OptionGroup(title: "Who and what it is for") var people: People
    @OptionGroup(title: "What is installed") var layers: Layers
    @OptionGroup(title: "Scripts and files") var files: Files

    struct Source: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "An image of this repository whose configuration this one starts from.", valueName: "IMAGE"))
        var copyFrom: String?
        @Option(help: ArgumentHelp("An image built elsewhere that is only registered.", valueName: "REFERENCE"))
        var external: String?
    }

    struct People: ParsableArguments {
        @Option(help: "Text for people.") var description: String?
        @Option(help: "all-users, user/NAME or group/NAME.") var owner: String?
        @Option(help: "owner, org or account.") var visibility: String?
        @Option(help: "cpu, or gpu for a base with CUDA.") var hardware: String?
        @Option(
            help: ArgumentHelp(
                "jupyterlab, rstudio-opensource, rstudio-workbench or dask; may be repeated.", valueName: "RESOURCE"))
        var supports: [String] = []
        @Option(help: "A further tag; may be repeated.") var tag: [String] = []
        @Option(help: "A platform to build for; may be repeated.") var platform: [String] = []
        @Flag(help: "Leave the image as it is.") var suspend = false
    }

    struct Layers: ParsableArguments {
        @Option(help: ArgumentHelp("A Debian package; may be repeated.", valueName: "PACKAGE")) var apt: [String] = []
        @Option(help: ArgumentHelp("A conda match spec; may be repeated.", valueName: "SPEC")) var conda: [String] = []
        @Option(help: "A conda channel, in order; may be repeated.") var channel: [String] = []
        @Option(help: ArgumentHelp("A package of CRAN; may be repeated.", valueName: "PACKAGE")) var cran: [String] = []
        @Option(help: ArgumentHelp("A package of Bioconductor; may be repeated.", valueName: "PACKAGE"))
        var bioconductor: [String] = []
        @Option(help: ArgumentHelp("An R package of a Git host; may be repeated.", valueName: "OWNER/REPOSITORY"))
        var remote: [String] = []
        @Option(help: ArgumentHelp("The mirror of CRAN.", valueName: "URL")) var cranMirror: String?
        @Option(help: ArgumentHelp("A Python requirement; may be repeated.", valueName: "REQUIREMENT"))
        var pip: [String] = []
        @Flag(help: "Register Python and R as Jupyter kernels.") var registerKernel = false
    }

    struct Files: ParsableArguments {
        @Option(help: ArgumentHelp("A variable of the finished image; may be repeated.", valueName: "NAME=VALUE"))
        var env: [String] = []
        @Option(help: ArgumentHelp("A pattern of files that postBuild sees; may be repeated.", valueName: "PATTERN"))
        var input: [String] = []
        @Option(help: ArgumentHelp("The text of the postBuild script.", valueName: "SCRIPT")) var postBuild: String?
        @Option(help: ArgumentHelp("The text of the R script.", valueName: "SCRIPT")) var installR: String?
        @Option(help: ArgumentHelp("The text of the start script.", valueName: "SCRIPT")) var start: String?
        @Option(help: ArgumentHelp("The text of the verify script.", valueName: "SCRIPT")) var verify: String?
        @Option(
            help: ArgumentHelp(
                "A file to copy into the folder, such as apt.txt or postBuild=setup.sh; may be repeated.",
                valueName: "[NAME=]FILE"))
        var file: [String] = []
    }

    func validate() throws {
        guard base.base != nil || source.copyFrom != nil || source.external != nil else {
            throw ValidationError("--base, --copy-from or --external is needed")
        }
        let lists = [
            layers.apt, layers.conda, layers.channel, layers.cran, layers.bioconductor, layers.remote, layers.pip,
            files.env, files.input, people.tag,
        ]
        let isBuilt = base.base != nil || source.copyFrom != nil || !lists.allSatisfy(\.isEmpty)
        if source.external != nil, isBuilt {
            throw ValidationError("--external is an image built elsewhere: nothing says how to build or tag it")
        }
        guard layers.channel.isEmpty || !layers.conda.isEmpty else {
            throw ValidationError("--channel says where the packages of --conda come from: give one")
        }
    }

    func run() async throws {
        let image = try ImageName(name)
        let place = try RepositoryPath(folder).appending(image.value)
        let copies = try files.file.map(Self.copy)
        let root = try Workspace.workingFolder(global)
        let text = try template(in: place).text
        let target = try RepositoryFolder(place, in: root, isNew: true)
        var written = ["image.yaml"]
        do {
            try target.write(Array(text.utf8), to: "image.yaml")
            for copy in copies {
                try target.write(copy.bytes, to: copy.name, isExecutable: copy.isExecutable)
                written.append(copy.name)
            }
            try check(place)
        } catch {
            target.remove(written)
            rmdir("\(root)/\(place)")
            throw error
        }
        try SchemaCommand.write(to: root)
        Output.line("wrote \(root)/\(place)/image.yaml")
    }

    // MARK: - image.yaml

    private func template(in place: RepositoryPath) throws -> DefinitionTemplate {
        var template = DefinitionTemplate(base: base.text, description: people.description)
        template.schema = DefinitionTemplate.schemaPath(from: place)
        template.fields = [
            ("owner", people.owner), ("visibility", people.visibility), ("hardware", people.hardware),
            ("copyFrom", source.copyFrom),
        ]
        template.external = source.external
        (template.supports, template.platforms, template.tags) = (people.supports, people.platform, people.tag)
        template.isSuspended = people.suspend
        (template.apt, template.conda, template.channels, template.pip) =
            (layers.apt, layers.conda, layers.channel, layers.pip)
        (template.cran, template.bioconductor, template.remotes) = (layers.cran, layers.bioconductor, layers.remote)
        (template.cranMirror, template.registersKernel) = (layers.cranMirror, layers.registerKernel)
        template.inputs = files.input
        let scripts = [
            ("postBuild", files.postBuild), ("installR", files.installR), ("start", files.start),
            ("verify", files.verify),
        ]
        for (key, script) in scripts { template.scripts[key] = script }
        template.environment = try files.env.map { pair in
            guard let separator = pair.firstIndex(of: "="), separator > pair.startIndex else {
                throw ValidationError("--env takes NAME=VALUE, not '\(pair)'")
            }
            return (String(pair[..<separator]), String(pair[pair.index(after: separator)...]))
        }
        return template
    }

    // MARK: - Files

    private struct Copy {
        var name: String
        var bytes: [UInt8]
        var isExecutable: Bool
    }

    /// A file to be copied: under its own name, which must be one that definitions have, or under the one given.
    private static func copy(_ argument: String) throws -> Copy {
        let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
        let path = parts.count == 2 ? parts[1] : argument
        let name = parts.count == 2 ? parts[0] : String(path.split(separator: "/").last ?? "")
        guard name != "image.yaml", (try? RepositoryPath.root.appending(name)) != nil else {
            throw ValidationError("--file takes the name of a file beside image.yaml, not '\(singleLine(name))'")
        }
        if parts.count < 2, !DefinitionFileNames.all.contains(name) {
            let hint = DefinitionFileNames.suggestion(for: name).map { "; \($0)" } ?? ""
            throw ValidationError(
                "'\(singleLine(name))' is no file of a definition\(hint); NAME=FILE copies a file under any name")
        }
        let bytes = try RepositoryFolder.read(path, limit: DefinitionFileNames.sizeLimit)
        guard bytes.count <= DefinitionFileNames.sizeLimit else {
            throw CommandError("'\(singleLine(path))' has more than \(DefinitionFileNames.sizeLimit) bytes")
        }
        let isScript = DefinitionFileNames.scripts.contains(name) || access(path, X_OK) == 0
        return Copy(name: name, bytes: bytes, isExecutable: isScript)
    }

    /// Reports what is wrong with what was written.
    private func check(_ place: RepositoryPath) throws {
        let tree = try Workspace.workingTree(global)
        let reader = DefinitionReader(tree: tree.files, hostPlatform: try Workspace.hostPlatform())
        let diagnostics = try reader.readFleet(below: [place]).invalid.flatMap(\.diagnostics)
        guard !diagnostics.isEmpty else { return }
        for diagnostic in diagnostics {
            Output.note(diagnostic.description)
            guard let excerpt = SourceExcerpt(diagnostic, in: tree.files) else { continue }
            Output.note("  " + excerpt.line)
            Output.note("  " + excerpt.caret)
        }
        Output.note("nothing was written")
        throw ExitCode(1)
    }
}
