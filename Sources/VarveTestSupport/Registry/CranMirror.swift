// SPDX-License-Identifier: Apache-2.0

/// A repository as CRAN is one, on loopback.
public struct CranMirror: Sendable {
    /// A source package with one file of R.
    public struct Package: Sendable {
        /// The name.
        public var name: String
        /// The version as CRAN writes it.
        public var version: String
        /// The packages that it imports, separated by commas.
        public var imports: String?
        /// What stands in its one file.
        public var code: String

        /// A package of this code.
        public init(_ name: String, _ version: String, imports: String? = nil, code: String) {
            (self.name, self.version, self.imports, self.code) = (name, version, imports, code)
        }
    }

    /// The mirror's URL.
    public let url: String

    /// Serves packages until the test's folder is removed.
    ///
    /// - Throws: when a package cannot be packed or the server does not start.
    public init(_ packages: [Package], in directory: TemporaryDirectory) async throws {
        var index = ""
        try directory.makeFolder("cran/src/contrib")
        for package in packages {
            let imports = package.imports.map { "Imports: \($0)\n" } ?? ""
            let head =
                "Package: \(package.name)\nVersion: \(package.version)\n\(imports)License: Apache License 2.0\n"
            let rest = "Title: A Test\nDescription: A test.\nAuthor: varve\nMaintainer: varve <varve@example.org>\n"
            let folder = "packages/\(package.name)"
            try directory.write(head + rest, to: folder + "/DESCRIPTION")
            try directory.write(package.code + "\n", to: folder + "/R/code.R")
            try directory.write("exportPattern('.')\n", to: folder + "/NAMESPACE")
            try directory.write(
                "\\name{\(package.name)}\\alias{\(package.name)}\\title{A Test}\\description{A test.}\n",
                to: folder + "/man/x.Rd")
            let archive = directory.path("cran/src/contrib/\(package.name)_\(package.version).tar.gz")
            try await Command.run("tar", ["-C", directory.path("packages"), "-czf", archive, package.name])
            index += head + "\n"
        }
        try directory.write(index, to: "cran/src/contrib/PACKAGES")
        let port = try Loopback.freePort()
        let server = try ChildProcess.server(
            "python3", ["-m", "http.server", "--bind", "127.0.0.1", "\(port)"], in: directory.path("cran"))
        directory.addCleanup { await server.stop() }
        try await Loopback.wait(for: "the mirror", process: server) {
            Loopback.get(port: port, path: "/src/contrib/PACKAGES")?.status == 200
        }
        url = "http://127.0.0.1:\(port)"
    }
}
