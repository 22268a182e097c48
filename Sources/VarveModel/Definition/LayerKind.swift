// SPDX-License-Identifier: Apache-2.0

/// The kinds of layer, in the order in which they are stacked.
public enum LayerKind: String, Codable, CaseIterable, Hashable, Sendable, Comparable {
    case base
    case apt
    case conda
    /// R packages from CRAN.
    case cran
    /// R packages from Bioconductor.
    case bioconductor
    /// R packages from Git hosts.
    case remotes
    /// The script `install.R`.
    case installR
    case pip
    /// The registration of the image's languages as Jupyter kernels.
    case kernel
    case postBuild
    case config

    /// Orders by the place in the stack.
    public static func < (left: LayerKind, right: LayerKind) -> Bool {
        (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
}
