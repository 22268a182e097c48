// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild

@Suite struct RegistryAddressTests {
    @Test(arguments: [
        "example.com", "example.com/team/images", "localhost:5000/x", "localhost/x", "registry:5000/x",
        "oci:/var/lib/varve/images",
    ])
    func addressIsReadBackAsItWasWritten(_ text: String) throws {
        #expect(try RegistryAddress(text).description == text)
    }

    @Test(arguments: [
        "", "/", "example.com/", "example.com/UPPER", "oci:", "oci:images", "oci:/a:b", "oci:/a\nb", "a b/c",
    ])
    func whatIsNoAddressIsRefused(_ text: String) {
        #expect(throws: ValueError.self) { try RegistryAddress(text) }
    }

    @Test(arguments: ["registry/team", "registry"])
    func nameThatOtherToolsTakeForAPublicOneIsRefused(_ text: String) throws {
        let error = try #require(throws: ValueError.self) { try RegistryAddress(text) }
        #expect(error.description.contains("registry:5000"), "\(error)")
        #expect(error.description.contains("docker.io/\(text)"), "\(error)")
    }

    @Test func plainHTTPIsForTheNamedHostsAlone() {
        let access = RegistryAccess(plainHTTPHosts: ["127.0.0.1:5000", "localhost"])
        #expect(access.isPlain("127.0.0.1:5000"))
        #expect(!access.isPlain("127.0.0.1:5001"))
        #expect(!access.isPlain("127.0.0.1"))
        #expect(access.isPlain("localhost:7"))
        #expect(!access.isPlain("example.com"))
    }

    @Test func credentialsAreLookedForWhereSkopeoLooks() {
        let usual = RegistryAccess()
        #expect(
            usual.authFiles(environment: ["HOME": "/root", "XDG_RUNTIME_DIR": "/run/user/0"]) == [
                "/run/user/0/containers/auth.json", "/root/.config/containers/auth.json", "/root/.docker/config.json",
            ]
        )
        #expect(
            usual.authFiles(environment: ["HOME": "/root", "DOCKER_CONFIG": "/d"]) == [
                "/run/containers/<uid>/auth.json", "/root/.config/containers/auth.json", "/d/config.json",
            ]
        )
        #expect(usual.authFiles(environment: ["REGISTRY_AUTH_FILE": "/a.json"]) == ["/a.json"])
        #expect(RegistryAccess(authFile: "/b.json").authFiles(environment: ["REGISTRY_AUTH_FILE": "/a"]) == ["/b.json"])
    }
}
