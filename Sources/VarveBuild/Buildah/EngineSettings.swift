// SPDX-License-Identifier: Apache-2.0

/// How steps are set apart from the host.
public enum Isolation: String, CaseIterable, Hashable, Sendable {
    /// `chroot` in namespaces of its own; works where user namespaces or cgroups are restricted.
    case chroot
    /// A container by `runc`.
    case oci
    /// A container by `runc` as buildah makes it for users without root: no control groups. varve itself needs root.
    case rootless

    /// The options of `buildah from` and `buildah run`.
    var arguments: [String] {
        switch self {
        case .chroot: ["--isolation", "chroot"]
        case .oci: ["--isolation", "oci", "--runtime", "runc"]
        case .rootless: ["--isolation", "rootless", "--runtime", "runc"]
        }
    }
}
