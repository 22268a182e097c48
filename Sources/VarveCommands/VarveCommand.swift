// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser

/// The `varve` command line.
public struct VarveCommand: AsyncParsableCommand {
    /// Name, summary and subcommands.
    public static let configuration = CommandConfiguration(
        commandName: "varve",
        abstract: "Keeps container images equal to definitions in a Git repository.",
        discussion: """
            Exit status: 0 done, 1 an image failed or something could not be read, 2 (plan) something is to be built, \
            64 wrong usage, 130 stopped.
            """,
        version: "0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "Define",
                subcommands: [
                    InitCommand.self, NewCommand.self, ImportCommand.self, ExportCommand.self, ValidateCommand.self,
                    ExplainCommand.self, SchemaCommand.self,
                ]),
            CommandGroup(
                name: "Build",
                subcommands: [PlanCommand.self, ReconcileCommand.self, DaemonCommand.self, TokenCommand.self]),
            CommandGroup(
                name: "Act",
                subcommands: [RebuildCommand.self, StopCommand.self, SuspendCommand.self, ResumeCommand.self]),
            CommandGroup(
                name: "Read",
                subcommands: [
                    StatusCommand.self, HistoryCommand.self, WhyCommand.self, LogsCommand.self, GraphCommand.self,
                    QueueCommand.self,
                ]),
            CommandGroup(name: "Keep", subcommands: [DoctorCommand.self, GcCommand.self]),
        ])

    /// Parsed by the library.
    public init() {}
}
