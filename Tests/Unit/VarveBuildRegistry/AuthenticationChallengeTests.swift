// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild

@Suite struct AuthenticationChallengeTests {
    struct Header: Sendable, CustomTestStringConvertible {
        var text: String
        var challenges: [AuthenticationChallenge]
        var testDescription: String { text }
    }

    @Test(arguments: [
        Header(
            text:
                #"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull""#,
            challenges: [
                AuthenticationChallenge(
                    scheme: "bearer",
                    parameters: [
                        "realm": "https://auth.docker.io/token", "service": "registry.docker.io",
                        "scope": "repository:a/b:pull",
                    ])
            ]),
        Header(
            text: #"BASIC Realm = "a \"b\", c" , bearer realm=x"#,
            challenges: [
                AuthenticationChallenge(scheme: "basic", parameters: ["realm": #"a "b", c"#]),
                AuthenticationChallenge(scheme: "bearer", parameters: ["realm": "x"]),
            ]),
        Header(
            text: "Negotiate, Basic",
            challenges: [AuthenticationChallenge(scheme: "negotiate"), AuthenticationChallenge(scheme: "basic")]),
        Header(text: #"Bearer realm="without an end"#, challenges: [AuthenticationChallenge(scheme: "bearer")]),
        Header(text: #"realm="without a scheme""#, challenges: []),
        Header(text: "", challenges: []),
    ])
    func headerIsReadAsFarAsItIsWellFormed(_ header: Header) {
        #expect(AuthenticationChallenge.challenges(in: header.text) == header.challenges)
    }

    private func realm(
        _ realm: String, service: String? = nil, scope: String? = nil, of reference: String = "127.0.0.1:5000/team/a:1"
    ) throws -> String? {
        let access = RegistryAccess(plainHTTPHosts: ["127.0.0.1:5000"])
        var challenge = AuthenticationChallenge(scheme: "bearer", parameters: ["realm": realm])
        challenge.parameters["service"] = service
        challenge.parameters["scope"] = scope
        return try RegistryEndpoint(ImageReference(reference), access: access).realm(challenge, access: access)?.address
    }

    @Test func tokenIsAskedForWhereTheChallengeSays() throws {
        #expect(
            try realm("https://auth.example.com/token?a=1", service: "x+y z", scope: "repository:team/a:pull,push")
                == "https://auth.example.com/token?a=1&service=x%2By%20z&scope=repository:team/a:pull,push")
        #expect(
            try realm("https://auth.example.com/token") == "https://auth.example.com/token?scope=repository:team/a:pull"
        )
        #expect(
            try realm("https://auth.docker.io/token", of: "docker.io/debian:stable")
                == "https://auth.docker.io/token?scope=repository:library/debian:pull")
        #expect(try realm("http://127.0.0.1:5000/token") == "http://127.0.0.1:5000/token?scope=repository:team/a:pull")
    }

    @Test(arguments: [
        "http://auth.example.com/token", "http://127.0.0.1/token", "http://127.0.0.1:5001/token", "/token", "",
        "ftp://auth.example.com/token", "https://someone:else@auth.example.com/token", "https:///token",
    ])
    func credentialsGoNowhereWithoutTLSButToHostsNamedForIt(_ address: String) throws {
        #expect(try realm(address) == nil)
    }
}
