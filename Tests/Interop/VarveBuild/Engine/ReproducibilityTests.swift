// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveBuild

@Suite struct ReproducibilityTests {
    @Test func layersOfEqualKeyAreEqualInTwoEmptyStores() async throws {
        let bench = EngineBench.shared
        let folder = bench.folder + "-second"
        let first = try await bench.makeEngine()
        let second = try await bench.makeEngine(folder: folder)
        try await second.prepare()
        var layers = [
            try await bench.base(),
            try await second.build(EngineBench.request(EngineBench.bootstrap, parent: nil), log: Lines()),
        ]
        #expect(layers[0].diffID == layers[1].diffID)
        #expect(layers[0].configDigest == layers[1].configDigest)
        let script = "python3 -c 'import json; print(json)' >/srv/json; mkdir /srv/empty; date >/dev/null"
        let contents: [LayerContent] = [
            .apt(AptContent(packages: ["python3-yaml", "tree"])),
            .pip(PipContent(requirements: ["numpy==2.3.5"])),
            .postBuild(PostBuildContent(script: Script(bytes: Array(script.utf8)))),
            .config(ConfigContent(environment: ["TZ": "UTC"], start: Script(bytes: Array("exec \"$@\"\n".utf8)))),
        ]
        for content in contents {
            let key = try EngineBench.makeKey()
            for (number, engine) in [first, second].enumerated() {
                layers[number] = try await engine.build(
                    EngineBench.request(content, parent: layers[number], key: key), log: Lines()
                )
            }
            #expect(layers[0] == layers[1], "\(content.kind)")
            let paths = try await EngineBench.listing(of: layers[0], store: first.buildah.store)
            for part in [
                "run/varve", "var/lib/apt/lists/", "var/cache/apt/", "var/log/", "aux-cache", "/.cache", "ca.crt",
                "etc/resolv.conf",
                "etc/hosts", "tmp/.", "-old",
            ] {
                #expect(paths.filter { $0.contains(part) } == [], "\(part) in \(content.kind)")
            }
        }
        let log = Lines()
        try await first.verify(
            layers[0], script: Script(bytes: Array(Self.byteCode.utf8)), timeout: .seconds(120), log: log
        )
        #expect(log.all == ["stale 0"])
        try FileManager.default.removeItem(atPath: folder)
    }

    /// Counts the byte code files that python would not load: those with a time other than their source's, and those with
    /// another hash.
    private static let byteCode = """
        #!/opt/venv/bin/python3
        import importlib.util, os, sys
        import numpy
        stale = total = 0
        for top in ["/usr/lib/python3", "/usr/lib/python3.11", "/opt/venv/lib"]:
            for folder, _, files in os.walk(top):
                for name in files:
                    path = os.path.join(folder, name)
                    if not name.endswith(".pyc"):
                        continue
                    total += 1
                    head = open(path, "rb").read(16)
                    source = importlib.util.source_from_cache(path)
                    if not os.path.exists(source):
                        stale += 1
                    elif head[4] & 1:
                        stale += importlib.util.source_hash(open(source, "rb").read()) != head[8:16]
                    else:
                        stale += int.from_bytes(head[8:12], "little") != int(os.stat(source).st_mtime)
        assert total > 500
        print("stale", stale)
        """
}
