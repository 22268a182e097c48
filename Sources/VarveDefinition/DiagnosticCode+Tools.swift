// SPDX-License-Identifier: Apache-2.0

extension DiagnosticCode {
    /// The explanations of what the tools themselves pass over or refuse.
    var toolExplanation: String {
        switch self {
        case .condaExtras:
            """
            A warning. Packages of conda have no extras: conda takes from brackets only what reads as `key=value`, so it \
            installs `dask` where a list says `dask[complete]`, and so does varve. Name the packages that the extra stands for.
            """
        case .pipIgnored:
            """
            A warning. pip reads the options of a line and passes over any other word after them, so the word installs \
            nothing. A requirement stands on a line of its own; a `\\` at the end of the line before joins the two.
            """
        case .runtimeImage:
            """
            A warning. `runtime.txt` names an image (`oci-image:REFERENCE`) where a language is expected. The image that \
            everything stands on is `base` in image.yaml, so the line has no effect.
            """
        case .hashMissing:
            """
            pip checks hashes of all requirements or of none: where one has `--hash`, or `--require-hashes` is given, each \
            needs a hash and an exact version (`==`), those of included files too. pip would install nothing. Requirements \
            with a marker are not judged, because pip may skip them.
            """
        case .hashImpossible:
            """
            Hashes are asked for, by `--hash` on another requirement or by `--require-hashes`, and this requirement is a \
            folder, an editable one, or of a version control system, of which there is no hash. pip would install nothing.
            """
        case .condarc:
            """
            `.condarc` is not a mapping, or its `channel_priority` is none of strict, flexible and disabled (or, as former \
            versions of conda wrote it, true and false).
            """
        case .condarcKey:
            """
            A warning. Of `.condarc` only `channel_priority` counts, and only where conda's solver chooses packages. Channels \
            belong into environment.yml; mirrors, proxies and certificates are the operator's to configure.
            """
        default: ""
        }
    }
}
