// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild

@Suite struct LayoutIndexTests {
    static let theirs = """
        {"schemaVersion":2,"annotations":{"com.example":"kept"},"x-future":[1,2.5,null,true],"manifests":[
        {"mediaType":"application/vnd.example+json","digest":"sha512:00","size":1,"urls":["https://example.com"]},
        {"mediaType":"m","digest":"sha256:00","size":12345678901,"annotations":{
        "org.opencontainers.image.ref.name":"theirs:latest","note":"a/b"}}]}
        """

    @Test func whatOthersWroteIsKept() throws {
        var index = try LayoutIndex(Array(Self.theirs.utf8), path: "index.json")
        index.set("a:latest", to: OCIDescriptor(mediaType: MediaType.manifest, content: [1]))
        let text = try String(decoding: index.encoded(), as: UTF8.self)
        for part in [
            #""x-future":[1,2.5,null,true]"#, #""annotations":{"com.example":"kept"}"#, #""digest":"sha512:00""#,
            #""urls":["https://example.com"]"#, #""size":12345678901"#, #""note":"a/b""#,
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        #expect(text.contains("theirs:latest"))
    }

    @Test func nameMovesInPlace() throws {
        var index = LayoutIndex()
        let first = OCIDescriptor(mediaType: MediaType.manifest, content: [1])
        let second = OCIDescriptor(mediaType: MediaType.manifest, content: [2])
        index.set("a:latest", to: first)
        index.set("a:1", to: first)
        index.set("a:latest", to: second)
        #expect(index.digests == ["a:latest": second.digest, "a:1": first.digest])
        #expect(index.descriptor(named: "a:latest")?.digest == second.digest)
        #expect(index.descriptor(named: "a:1")?.digest == first.digest)
        #expect(index.descriptor(named: "a:2") == nil)
        #expect(try LayoutIndex(index.encoded(), path: "x") == index)
    }

    @Test(arguments: ["", "{", "[]", "{}", #"{"schemaVersion": 1}"#])
    func fileThatIsNoIndexIsNotTakenForAnEmptyOne(_ text: String) {
        let failure = #expect(throws: BuildFailure.self) { try LayoutIndex(Array(text.utf8), path: "/x/index.json") }
        #expect(failure?.failureClass == .environment)
        #expect(failure?.message.contains("/x/index.json") == true)
    }
}
