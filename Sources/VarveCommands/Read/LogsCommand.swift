// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import FoundationEssentials
import Glibc
import VarveModel
import VarveReconcile

/// `varve logs IMAGE`: the log of an image's newest build, or of a build named by its start.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print the log of an image's newest build.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var server: ServerOptions
    @Argument(help: "The image.") var image: String
    @Flag(name: .shortAndLong, help: "Go on until the build ends.") var follow = false
    @Option(help: ArgumentHelp("The build, by the beginning of its start time or its record's id.", valueName: "BUILD"))
    var build: String?

    func run() async throws {
        let name = try ImageName(image)
        let (build, follow) = (build, follow)
        if try await server.ask(global, { try await $0.showLog(of: name, build: build, follow: follow) }) { return }
        let workspace = try await Workspace(global)
        let folder = workspace.state.logs(of: name)
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        let wanted = files.last { file in
            guard let build else { return true }
            return file.hasPrefix(build) || file.contains("-\(build.prefix(12)).log")
        }
        guard let wanted else {
            let which = build.map { " of build '\($0)'" } ?? ""
            throw CommandError("no log\(which) of image '\(name)' in \(folder); logs stay on the machine that built")
        }
        try await print("\(folder)/\(wanted)", image: name, state: workspace.state)
    }

    private func print(_ path: String, image: ImageName, state: StateDirectory) async throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandError("failed to read log '\(path)': \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        while true {
            // Asked before reading: what was written before the build ended is then read for certain.
            let isRunning = follow && RunningImages.read(state)[image.value]?.log == path
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while case let count = read(descriptor, &buffer, buffer.count), count > 0 {
                Output.write(String(decoding: buffer[..<count], as: UTF8.self), to: STDOUT_FILENO)
            }
            guard isRunning else { return }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
