// SPDX-License-Identifier: Apache-2.0

import VarveModel

extension BuildReader {
    /// Reads `runtime.txt`.
    ///
    /// Its python is a condition on the pip layer; a conda environment has a python of its own, so that the file does not
    /// count beside one, as in repo2docker.
    func readRuntime(
        _ beside: [String: SourceEntry], _ folder: RepositoryPath, into result: inout ReadBuild
    ) throws {
        guard let (bytes, path) = try bytes(DefinitionNames.runtime, beside, folder),
            let text = DefinitionFiles.decode(bytes, file: path, findings: findings)
        else { return }
        let runtime = RuntimeFile(findings: findings).read(text, from: Place(file: path, line: 1, column: 1))
        guard case .python(let version) = runtime, result.data.conda == nil else { return }
        result.data.pip = result.data.pip ?? PipContent(requirements: [])
        result.data.pip?.python = version
    }
}
