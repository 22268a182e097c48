// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveTestSupport

/// The demonstration does what the README says, and its images depend on their definitions alone.
// It is the longest and waits for no slot: begun last, it would run on when all others are done.
@Suite(.temporaryDirectory, .timeLimit(.minutes(60)))
struct QuickstartTests {
    private static let images = ["debian-python", "ds-python", "ds-notebook"]

    @Test
    func quickstartBuildsTheSameImagesFromAnotherCommitInAnotherPlace() async throws {
        let directory = try TemporaryDirectory.required()
        let shim = try ToolShim(in: directory)
        let demo = directory.path("demo")
        directory.addCleanup { await Fleet.unmount(below: demo) }
        let environment: [String: String?] = ["VARVE_QUICKSTART_BINARY": try VarveProcess.binary(), "PATH": shim.path]
        let script = Fixtures.checkout + "/examples/quickstart"
        let first = try await Command.result("bash", [script, demo], environment: environment)
        try #require(first.status == 0, "\(first)")
        // Both images share base, apt and pip; after the edits ds-python alone is built again, from pip on. The unknown
        // step is the demonstration's own: it runs a command in the image.
        let expected = [
            "apt", "bootstrap", "pip", "pip", "postBuild", "postBuild", "postBuild", "unknown", "verify", "verify",
            "verify",
        ]
        let executed = try shim.executed()
        #expect(executed == expected, "\(first)")
        #expect(first.stdout.contains("by humanize"), "\(first)")
        #expect(first.stdout.contains("DS_PYTHON=started TZ=UTC"), "\(first)")

        let clone = try await GitCommandLine.clone(demo + "/repository", to: directory.path("clone"))
        try await clone.commit(["unrelated.txt": "another commit\n"], date: "2030-01-01T00:00:00Z")
        try await clone("remote", "remove", "origin")
        let other = VarveProcess(repository: clone.folder, state: directory.path("other"), shim: shim)
        directory.addCleanup { await Fleet.unmount(below: other.state) }
        let second = try await other.reconcile()
        try #require(second.status == 0, "\(second)")
        for image in Self.images {
            let (left, right) = (demo + "/state/images", other.state + "/images")
            let configs = try await (Self.config(left, image), Self.config(right, image))
            #expect(configs.0["rootfs"] == configs.1["rootfs"], "\(image): diff-ids")
            #expect(configs.0 == configs.1, "\(image): config")
        }
        let image = try await ImageRun("oci:\(other.state)/images:ds-python:latest", in: directory)
        let stale = try await image.run("python3", "-c", Self.staleByteCode)
        #expect(stale.stdout == "0 stale\n", "\(stale)")
    }

    private static func config(_ layout: String, _ image: String) async throws -> JSONValue {
        let arguments = ["inspect", "--config", "--raw", "oci:\(layout):\(image):latest"]
        return try JSONValue(parsing: await Command.run("skopeo", arguments).stdout)
    }

    /// Counts the compiled files below the environment that python would not use: their time or size is not the source's.
    private static let staleByteCode = """
        import importlib.util, os, struct, sys
        stale = seen = 0
        for folder, _, names in os.walk(sys.prefix):
            for name in names:
                path = os.path.join(folder, name)
                if not name.endswith(".pyc") or os.path.basename(folder) != "__pycache__": continue
                source = importlib.util.source_from_cache(path)
                with open(path, "rb") as file: head = file.read(16)
                magic, flags, time, size = head[:4], *struct.unpack("<III", head[4:])
                seen += 1
                entry = os.stat(source)
                checked = flags == 0 and (time, size) == (int(entry.st_mtime) & 0xFFFFFFFF, entry.st_size & 0xFFFFFFFF)
                if magic != importlib.util.MAGIC_NUMBER or not (checked or flags & 1): stale += 1
        assert seen, "no byte code at all"
        print(stale, "stale")
        """
}
