// SPDX-License-Identifier: Apache-2.0

import Foundation
import Logging
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveBuild

/// The base's `mamba` is a test fixture: a thin front over a real solver, with real packages in a channel in a folder.
@Suite struct CondaTests {
    @Test func pulledBaseGetsACondaLayerAndAPipLayerOfItsUser() async throws {
        let layout = try await TestBase.condaUser.layout()
        let environment = ProcessInfo.processInfo.environment
        let folder = EngineBench.shared.folder + "-conda"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let engine = BuildahEngine(
            store: try await BuildahStore.open(stateDirectory: folder, environment: environment), isolation: .chroot,
            environment: environment, puller: LayoutPuller(layout: layout), cache: nil, logger: Logger(label: "test")
        )
        try await engine.prepare()
        let digests = try await EngineBench.shell(
            "skopeo inspect --raw 'oci:\(layout):latest' | jq -r .config.digest; skopeo inspect 'oci:\(layout):latest' | jq -r .Digest"
        ).split(separator: "\n").map { try Digest(String($0)) }
        var request = try EngineBench.request(.base(.image(configDigest: digests[0])), parent: nil)
        request.baseImage = ResolvedImage(
            reference: "bases/conda", manifestDigest: digests[1], configDigest: digests[0])
        let base = try await engine.build(request, log: Lines())
        #expect(base.configDigest == digests[0])

        let content = CondaContent(
            channels: ["file:///srv/channel"], dependencies: ["pip", "python", "varve-shapes"],
            pip: PipContent(requirements: ["six>=1.10"], constraints: ["six==1.16.0"]), variables: ["A": "b: #"]
        )
        let conda = try await engine.build(EngineBench.request(.conda(content), parent: base), log: Lines())
        let pip = try await engine.build(
            EngineBench.request(.pip(PipContent(requirements: ["idna==3.10"])), parent: conda), log: Lines()
        )
        for layer in [conda, pip] {
            let paths = try await EngineBench.listing(of: layer, store: engine.buildah.store)
            #expect(paths.contains { $0.contains(" opt/conda/lib/") })
            let stray = paths.filter { path in
                [" run/", " home/jovyan/", " tmp/", "ca.crt", "pkgs"].contains { path.contains($0) }
            }
            #expect(stray == [])
            #expect(paths.allSatisfy { $0.contains(" 1980-01-02 ") })
        }
        let log = Lines()
        let check = """
            #!/bin/sh
            /opt/conda/bin/python -c 'import varve_shapes, six, idna; print(six.__version__, idna.__version__)'
            cat /opt/conda/conda-meta/state; echo; whoami
            """
        try await engine.verify(pip, script: Script(bytes: Array(check.utf8)), timeout: .seconds(60), log: log)
        #expect(log.all == ["1.16.0 3.10", #"{"env_vars": {"A": "b: #"}}"#, "jovyan"])
        try await linksAnExplicitList(on: base, engine: engine)
    }

    /// No solver is asked: of `varve-colours` the channel has 2.0, and the list 1.1.
    private func linksAnExplicitList(on base: BuiltLayer, engine: BuildahEngine) async throws {
        let list = Lines()
        let script = """
            #!/usr/bin/python3
            import json
            for file in ("linux-64/python-", "noarch/pip-", "noarch/varve-colours-1.1-", "noarch/varve-shapes-"):
                subdir, start = file.split("/")
                packages = json.load(open(f"/srv/channel/{subdir}/repodata.json"))["packages"]
                name = next(name for name in packages if name.startswith(start))
                print(f"file:///srv/channel/{subdir}/{name}#{packages[name]['md5']}")
            """
        try await engine.verify(base, script: Script(bytes: Array(script.utf8)), timeout: .seconds(60), log: list)
        var content = CondaContent(
            channels: [], dependencies: [], pip: PipContent(requirements: ["six==1.16.0"]), explicit: list.all)
        let layer = try await engine.build(EngineBench.request(.conda(content), parent: base), log: Lines())
        let log = Lines()
        let check = """
            #!/bin/sh
            /opt/conda/bin/python -c 'import varve_shapes, varve_colours, six; print(varve_colours.VERSION, six.__version__)'
            """
        try await engine.verify(layer, script: Script(bytes: Array(check.utf8)), timeout: .seconds(60), log: log)
        #expect(log.all == ["1.1 1.16.0"])

        content.explicit = list.all.map { String($0.dropLast(32)) + String(repeating: "0", count: 32) }
        let failure = await #expect(throws: BuildFailure.self) {
            try await engine.build(EngineBench.request(.conda(content), parent: base), log: Lines())
        }
        #expect(failure?.tail.contains("MD5") == true)
    }

    /// Brings the image of one layout, as skopeo does.
    private struct LayoutPuller: BaseImagePuller {
        let layout: String

        func pull(_ image: ResolvedImage, platform: Platform, into store: BuildahStore, as name: String) async throws {
            _ = try await EngineBench.shell("skopeo copy -q 'oci:\(layout):latest' '\(store.reference(name))'")
        }
    }
}
