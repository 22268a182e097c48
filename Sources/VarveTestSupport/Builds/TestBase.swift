// SPDX-License-Identifier: Apache-2.0

/// A base for the tests, made once from Debian's packages and kept in the cache folder.
public enum TestBase: String, Sendable {
    /// Busybox alone, for tests in which the kind of layer does not matter.
    case tiny
    /// Debian with python3, python3-venv and ca-certificates; root.
    case debian
    /// The same with USER jovyan, a working folder, an ENTRYPOINT and a CMD.
    case user
    /// Debian with `/opt/conda/bin/mamba`, a thin `conda env update` front over py-rattler, and a channel of small
    /// packages in `/srv/channel`; root.
    case conda
    /// The same for USER jovyan, who owns `/opt/conda`.
    case condaUser = "conda-user"

    /// The path of an OCI layout that holds the base, tagged `latest`; made where it is not there yet.
    ///
    /// - Throws: `FixtureError` when it cannot be made.
    public func layout() async throws -> String {
        try await Command.run("bash", [Fixtures.path("programs/test-base"), rawValue]).trimmed
    }

    /// Puts the base into a registry and returns its reference, `127.0.0.1:PORT/bases/NAME:latest`.
    ///
    /// - Throws: `FixtureError` when it cannot be made or copied.
    public func push(to registry: RegistryProcess) async throws -> String {
        try await registry.push("oci:\(layout()):latest", to: "bases/\(rawValue):latest")
        return "\(registry.host)/bases/\(rawValue):latest"
    }
}
