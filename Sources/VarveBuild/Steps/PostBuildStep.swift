// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Runs a definition's own script.
enum PostBuildStep {
    /// The step of a content: the script and its inputs stand alone in the working directory.
    static func make(_ content: PostBuildContent) -> Step {
        let folder = Recipe.folder + "/build"
        let script = folder + "/postBuild"
        let inputs = content.inputs.map { input in
            Step.File(path: "build/\(input.path)", content: .blob(input.id), isExecutable: input.isExecutable)
        }
        return Step(
            user: .image,
            arguments: ["/bin/sh", Recipe.folder + "/step/run.sh"]
                + (content.script.hasShebang ? [script] : ["bash", script]),
            files: inputs + [
                Step.text("step/run.sh", program),
                Step.File(path: "build/postBuild", content: .bytes(content.script.bytes), isExecutable: true),
            ],
            cache: .ownStep, workingDirectory: folder
        )
    }

    /// Gives the script a pip cache outside HOME and runs it.
    ///
    /// As a child and not in its own place, here and in the other programs: of a first process that a signal ends,
    /// buildah says "exit status 1" under chroot isolation and nothing at all under runc.
    static let program = #"""
        set -eu
        umask 022
        cache=/run/varve/cache/$(id -u)
        if mkdir -p "$cache/pip"; then export PIP_CACHE_DIR="$cache/pip"; fi
        unset cache
        "$@" || exit $?
        """#
}
