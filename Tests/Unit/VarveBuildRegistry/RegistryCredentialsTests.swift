// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel
import VarveTestSupport

@testable import VarveBuild

/// Which credentials the auth files have, as `containers-auth.json(5)` has them found.
@Suite(.temporaryDirectory) struct RegistryCredentialsTests {
    private static func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private static func entry(_ text: String) -> String { #"{"auth": "\#(encoded(text))"}"# }

    struct File: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var text: String
        /// `USER:PASSWORD`; empty for none, nil for what only skopeo can tell.
        var found: String?
        var reference = "example.com/team/a/b:1"
    }

    @Test(arguments: [
        File(testDescription: "the host", text: #"{"auths": {"example.com": \#(entry("u:p"))}}"#, found: "u:p"),
        File(
            testDescription: "the longest path",
            text: #"{"auths": {"example.com": \#(entry("u:1")), "example.com/team/a": \#(entry("u:2")), "#
                + #""example.com/team/a/b/c": \#(entry("u:3")), "example.com/team/a/bb": \#(entry("u:4"))}}"#,
            found: "u:2"),
        File(
            testDescription: "an older key", text: #"{"auths": {"https://example.com/v1/": \#(entry("u:p"))}}"#,
            found: "u:p"),
        File(
            testDescription: "Docker Hub", text: #"{"auths": {"https://index.docker.io/v1/": \#(entry("u:p:q"))}}"#,
            found: "u:p:q", reference: "docker.io/library/debian:stable"),
        File(
            testDescription: "zeros at the end", text: #"{"auths": {"example.com": \#(entry("u:p\0\0"))}}"#,
            found: "u:p"),
        File(testDescription: "another host", text: #"{"auths": {"example.org": \#(entry("u:p"))}}"#, found: ""),
        File(testDescription: "another path", text: #"{"auths": {"example.com/other": \#(entry("u:p"))}}"#, found: ""),
        File(testDescription: "another port", text: #"{"auths": {"example.com:5000": \#(entry("u:p"))}}"#, found: ""),
        File(testDescription: "an empty entry", text: #"{"auths": {"example.com": {}}}"#, found: ""),
        File(testDescription: "nothing", text: "{}", found: ""),
        File(testDescription: "a helper for the host", text: #"{"credHelpers": {"example.com": "x"}}"#, found: nil),
        File(
            testDescription: "a helper for another host",
            text: #"{"credHelpers": {"example.org": "x"}, "auths": {"example.com": \#(entry("u:p"))}}"#, found: "u:p"),
        File(
            testDescription: "a store", text: #"{"credsStore": "desktop", "auths": {"example.com": {}}}"#, found: nil),
        File(
            testDescription: "an identity token",
            text: #"{"auths": {"example.com": {"auth": "\#(encoded("u:p"))", "identitytoken": "t"}}}"#, found: nil),
        File(testDescription: "no password", text: #"{"auths": {"example.com": \#(entry("u"))}}"#, found: nil),
        File(testDescription: "no base64", text: #"{"auths": {"example.com": {"auth": "%"}}}"#, found: nil),
        File(testDescription: "no JSON", text: "auths:", found: nil),
    ])
    func credentialsAreThoseOfTheFile(_ file: File) throws {
        let path = try TemporaryDirectory.required().write(file.text, to: "auth.json")
        let found = try RegistryCredentials(for: ImageReference(file.reference), files: [path])
        #expect(found == file.found.map { $0.isEmpty ? .none : .basic(Self.encoded($0)) } ?? .unclear)
    }

    @Test func firstFileThatHasSomethingDecides() throws {
        let directory = try TemporaryDirectory.required()
        let reference = try ImageReference("example.com/a:1")
        let other = try directory.write(#"{"auths": {"example.org": \#(Self.entry("u:0"))}}"#, to: "other.json")
        let first = try directory.write(#"{"auths": {"example.com": \#(Self.entry("u:1"))}}"#, to: "first.json")
        let second = try directory.write(#"{"auths": {"example.com": \#(Self.entry("u:2"))}}"#, to: "second.json")
        let missing = directory.path("missing.json")
        let files = [missing, other, first, second]
        #expect(RegistryCredentials(for: reference, files: files) == .basic(Self.encoded("u:1")))
        #expect(RegistryCredentials(for: reference, files: [missing, other]) == RegistryCredentials.none)
        let folder = try directory.makeFolder("folder.json")
        #expect(RegistryCredentials(for: reference, files: [folder, first]) == .unclear)
    }

    @Test(arguments: [
        ("# all is said in comments\n\n[aliases]\n  \"debian\" = \"docker.io/library/debian\"\n", false),
        ("unqualified-search-registries = [\"docker.io\"]\nshort-name-mode = \"enforcing\"\n", false),
        ("[[registry]]\nlocation = \"docker.io\"\n", true),
        ("[aliases]\n[[ registry ]]\nprefix = \"docker.io\"\n", true),
        ("credential-helpers = [\"secretservice\"]\n", true),
        ("[registries.block]\nregistries = ['docker.io']\n", true),
    ])
    func registriesFileThatSaysMoreThanShortNamesIsLeftToSkopeo(_ text: String, _ decides: Bool) {
        #expect(RegistriesFile.decides(text) == decides)
    }
}
