// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import VarveModel
import VarveReconcile

/// `varve rebuild IMAGE`: builds an image although it is as defined.
struct RebuildCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebuild", abstract: "Build an image although it is as defined.",
        discussion: """
            With --server the daemon is asked and this command does not wait. Without it, one pass over the image and \
            those that it stands on is made here, as by 'varve reconcile'.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var server: ServerOptions
    @Argument(help: "The image.") var image: String
    @Option(
        help: ArgumentHelp(
            "Execute this layer and those above it anew, although they are there.",
            valueName: "KIND"))
    var layer: String?
    @Option(help: "text, or json for one object an event.") var format: OutputFormat = .text

    func validate() throws {
        guard let layer, LayerKind(rawValue: layer) == nil else { return }
        let kinds = LayerKind.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(singleLine(layer, limit: 80))' is not a kind of layer; expected one of \(kinds)")
    }

    func run() async throws {
        let name = try ImageName(image)
        let (layer, format) = (layer, format)
        let isAsked = try await server.ask(global) { daemon in
            try await daemon.act("rebuild", on: name, layer: layer, format, "will be built")
        }
        if isAsked { return }
        var pass = try ReconcileCommand.parse([name.value])
        pass.rebuild = Rebuild(from: layer.flatMap(LayerKind.init(rawValue:)))
        pass.global = global
        pass.format = format
        try await pass.run()
    }
}
