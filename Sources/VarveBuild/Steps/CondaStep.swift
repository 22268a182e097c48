// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Updates a conda environment.
enum CondaStep {
    /// The step of a content: the tool reads an environment file that is rendered from it.
    static func make(_ content: CondaContent) -> Step {
        var step = Step(
            user: .image, arguments: ["/bin/sh", Recipe.folder + "/step/conda.sh"],
            files: [Step.text("step/conda.sh", program)] + files(content),
            sources: content.pip?.localSources ?? [], cache: .owned("conda")
        )
        if let pip = content.pip, !pip.constraints.isEmpty {
            step.files.append(Step.text("step/constraints.txt", PipStep.constraintsFile(pip)))
        }
        if let priority = content.channelPriority {
            // micromamba and mamba 2 read variables of their own.
            for name in ["CONDA", "MAMBA"] { step.environment[name + "_CHANNEL_PRIORITY"] = priority }
        }
        if let version = content.cudaOverride { step.environment["CONDA_OVERRIDE_CUDA"] = version }
        return step
    }

    /// What the tool reads: an explicit list, with the requirements that were locked beside it, or an environment file.
    private static func files(_ content: CondaContent) -> [Step.File] {
        guard let explicit = content.explicit else {
            return [Step.text("step/environment.yml", environmentFile(content))]
        }
        let list = Step.text("step/explicit.txt", "@EXPLICIT\n" + explicit.map { $0 + "\n" }.joined())
        guard let pip = content.pip, !pip.isEmpty else { return [list] }
        let requirements = (pip.options + pip.requirements).map { $0 + "\n" }.joined()
        return [list, Step.text("step/requirements.txt", requirements)]
    }

    /// The environment file of a content.
    ///
    /// Every value is a double-quoted scalar, which YAML reads as it stands.
    static func environmentFile(_ content: CondaContent) -> String {
        var text = ""
        if !content.channels.isEmpty {
            text += "channels:\n" + content.channels.map { "  - \(quoted($0))\n" }.joined()
        }
        text += "dependencies:\n" + content.dependencies.map { "  - \(quoted($0))\n" }.joined()
        if let pip = content.pip, !pip.isEmpty {
            var lines = pip.options + pip.requirements
            // The step cannot write to /usr/local/src as USER, and an editable install would point out of the layer.
            lines += pip.localSources.map { source in
                var source = source
                source.isEditable = false
                return PipStep.line(of: source, folder: Recipe.folder + "/scratch/src")
            }
            if !pip.constraints.isEmpty { lines.append("-c \(Recipe.folder)/step/constraints.txt") }
            text += "  - pip:\n" + lines.map { "    - \(quoted($0))\n" }.joined()
        }
        if !content.variables.isEmpty {
            text += "variables:\n"
            text += content.variables.sorted { $0.key < $1.key }
                .map { "  \(quoted($0.key)): \(quoted($0.value))\n" }.joined()
        }
        return text
    }

    /// A text as a double-quoted YAML scalar.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            default:
                if scalar.properties.generalCategory == .control {
                    let hex = String(scalar.value, radix: 16)
                    result += "\\x" + String(repeating: "0", count: 2 - min(2, hex.count)) + hex
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// The history that conda keeps in the environment bears the time of day; it is given the recipe's.
    static let program = #"""
        set -eu
        umask 022
        for name in mamba micromamba conda; do
            for folder in "" "${CONDA_DIR:-}/bin/" "${MAMBA_ROOT_PREFIX:-}/bin/" /opt/conda/bin/; do
                [ "$folder" = /bin/ ] && continue
                tool=$(command -v "$folder$name" || true)
                [ -n "$tool" ] && break 2
            done
        done
        if [ -z "$tool" ]; then
            echo "varve: the image has no mamba, micromamba or conda; environment.yml needs a base that has one" >&2
            exit 1
        fi
        prefix=${NB_PYTHON_PREFIX:-}
        if [ -z "$prefix" ]; then
            case "$name" in
                micromamba) prefix=${MAMBA_ROOT_PREFIX:-$HOME/micromamba} ;;
                *) prefix=$(dirname "$(dirname "$(readlink -f "$tool")")") ;;
            esac
        fi
        cache=/run/varve/cache/$(id -u)
        if mkdir -p "$cache/conda" "$cache/pip"; then
            export CONDA_PKGS_DIRS="$cache/conda" PIP_CACHE_DIR="$cache/pip" XDG_CACHE_HOME="$cache"
        fi
        export CONDA_ALWAYS_YES=true MAMBA_ALWAYS_YES=true CONDA_REGISTER_ENVS=false PIP_NO_INPUT=1
        export CONDA_NUMBER_CHANNEL_NOTICES=0 PIP_DISABLE_PIP_VERSION_CHECK=1
        if [ -d /run/varve/step/src ]; then cp -R /run/varve/step/src /run/varve/scratch/src; fi
        step=/run/varve/step
        if [ -f "$step/explicit.txt" ]; then
            if [ -d "$prefix/conda-meta" ]; then verb=install; else verb=create; fi
            "$tool" "$verb" -p "$prefix" --file "$step/explicit.txt"
            if [ -f "$step/requirements.txt" ]; then
                if [ ! -x "$prefix/bin/python" ]; then
                    echo "varve: the lock file has packages of pip, and its environment has no python" >&2
                    exit 1
                fi
                "$prefix/bin/python" -m pip install --no-deps -r "$step/requirements.txt"
            fi
        else
            "$tool" env update -p "$prefix" -f "$step/environment.yml"
        fi
        history=$prefix/conda-meta/history
        if [ -f "$history" ]; then
            sed -i 's/^==> [0-9].* <==$/==> 1980-01-02 00:00:00 <==/' "$history"
        fi
        """#
}
