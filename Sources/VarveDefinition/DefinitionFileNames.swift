// SPDX-License-Identifier: Apache-2.0

/// The files that a definition can consist of, for commands that write them.
public enum DefinitionFileNames {
    /// Every file beside `image.yaml`.
    public static let all: [String] = DefinitionNames.build + [DefinitionNames.lock]
    /// Those that are run.
    public static let scripts: [String] = [DefinitionNames.postBuild, DefinitionNames.start, DefinitionNames.verify]
    /// How large each can be.
    public static let sizeLimit: Int = DefinitionFiles.fileLimit

    /// `did you mean 'apt.txt'?`, or nil where no name is near.
    public static func suggestion(for name: String) -> String? { VarveDefinition.suggestion(for: name, among: all) }
}
