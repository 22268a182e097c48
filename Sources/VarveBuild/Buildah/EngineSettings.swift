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

    /// The options of `buildah run` that take away what no installation needs and a hostile step would use: leaving the
    /// root folder by a second chroot, making device files, raw sockets on the host's network, and lines in the host's audit
    /// log.
    ///
    /// buildah raises each of the others for a step of root, and fails where the service that varve runs in has one no more.
    static let restrictions = ["SYS_CHROOT", "MKNOD", "NET_RAW", "AUDIT_WRITE"].flatMap { ["--cap-drop", "CAP_" + $0] }
}
