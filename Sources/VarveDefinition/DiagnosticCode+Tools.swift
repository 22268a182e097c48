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
        default: ""
        }
    }
}
