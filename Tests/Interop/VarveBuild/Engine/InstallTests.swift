// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild

@Suite struct InstallTests {
    @Test func aptAndPipInstallIntoLayersThatHoldNothingElse() async throws {
        let bench = EngineBench.shared
        let base = try await bench.base()
        let engine = try await bench.makeEngine()
        let log = Lines()
        let apt = try await engine.build(
            EngineBench.request(.apt(AptContent(packages: ["tree"])), parent: base), log: log
        )
        let pip = try await engine.build(
            EngineBench.request(.pip(PipContent(requirements: ["six==1.16.0"])), parent: apt), log: log
        )
        for layer in [apt, pip] {
            let listing = try await EngineBench.listing(of: layer, store: engine.buildah.store)
            #expect(listing.allSatisfy { $0.contains(" 1980-01-02 ") })
            #expect(listing.contains { $0.hasSuffix(layer.kind == .apt ? " usr/bin/tree" : "/site-packages/six.py") })
        }
        #expect(try await engine.layer(for: pip.key, kind: .pip) == pip)
    }

    @Test func pythonAloneIsCheckedAndNothingInstalled() async throws {
        let bench = EngineBench.shared
        let base = try await bench.base()
        let engine = try await bench.makeEngine()
        let content = PipContent(requirements: [], python: "3.11")
        let pip = try await engine.build(EngineBench.request(.pip(content), parent: base), log: Lines())
        let listing = try await EngineBench.listing(of: pip, store: engine.buildah.store)
        #expect(!listing.contains { $0.contains("site-packages") || $0.contains("opt/venv") })
    }
}
