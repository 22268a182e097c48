// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@testable import VarveBuild

/// A bootstrap that creates a user.
@Suite struct BootstrapUserTests {
    private static let content = LayerContent.base(
        .bootstrap(
            BootstrapSpecification(
                distribution: "debian", suite: "bookworm", mirror: "http://deb.debian.org/debian",
                packages: ["python3", "python3-venv"], user: "joyvan"
            )
        )
    )

    @Test func userOwnsItsHomeAndItsPackagesAndTheBaseIsReproducible() async throws {
        let bench = EngineBench.shared
        let folder = bench.folder + "-user"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let first = try await bench.makeEngine()
        let second = try await bench.makeEngine(folder: folder)
        try await second.prepare()
        let base = try await first.build(EngineBench.request(Self.content, parent: nil), log: Lines())
        let again = try await second.build(EngineBench.request(Self.content, parent: nil), log: Lines())
        #expect(base.diffID == again.diffID)
        #expect(base.configDigest == again.configDigest)

        let pip = try await first.build(
            EngineBench.request(.pip(PipContent(requirements: ["iniconfig==2.0.0"])), parent: base), log: Lines())
        let log = Lines()
        let script = """
            set -e
            id -un; id -u; id -g; pwd; echo "$HOME"
            touch "$HOME/file" && echo writable
            getent passwd joyvan | cut -d: -f7
            stat -c %U:%G /opt/venv /opt/venv/lib/python3.11/site-packages/iniconfig/__init__.py
            find /home/joyvan -user root
            """
        let post = PostBuildContent(script: Script(bytes: Array(script.utf8)))
        _ = try await first.build(EngineBench.request(.postBuild(post), parent: pip), log: log)
        #expect(
            log.all == [
                "joyvan", "1000", "1000", "/run/varve/build", "/home/joyvan", "writable", "/bin/bash",
                "joyvan:joyvan", "joyvan:joyvan",
            ])
        let look = Lines()
        try await first.verify(
            base, script: Script(bytes: Array("pwd; id -un\n".utf8)), timeout: .seconds(60), log: look)
        #expect(look.all == ["/home/joyvan", "joyvan"])
        // The day of the last change is that of the recipe, and no copy of what was there before is left.
        let root = try await EngineBench.shell(
            """
            cd '\(first.buildah.store.root)'
            id=$(jq -r '.[] | select(."diff-digest" == "\(try #require(base.diffID))") | .id' \
            overlay-layers/layers.json | head -1)
            grep ^joyvan: overlay/$id/diff/etc/shadow; ls overlay/$id/diff/etc | grep -- '-$' || echo none
            """)
        #expect(root == "joyvan:!:\(Recipe.epoch / 86_400):0:99999:7:::\nnone\n")
    }
}
