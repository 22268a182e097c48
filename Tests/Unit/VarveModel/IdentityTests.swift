// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

/// A text and whether it is a valid value of the type under test.
struct TextCase: CustomTestStringConvertible, Sendable {
    var name: String
    var text: String
    var isValid: Bool

    var testDescription: String { name }

    static func good(_ name: String, _ text: String) -> TextCase { TextCase(name: name, text: text, isValid: true) }
    static func bad(_ name: String, _ text: String) -> TextCase { TextCase(name: name, text: text, isValid: false) }
}

private let hex64 = String(repeating: "0123456789abcdef", count: 4)
private let hex40 = String(hex64.prefix(40))

@Suite struct DigestTests {
    static let cases: [TextCase] = [
        .good("plain", "sha256:" + hex64), .bad("upper case", "sha256:" + hex64.uppercased()), .bad("empty", ""),
        .bad("short", "sha256:" + hex64.dropLast()), .bad("long", "sha256:" + hex64 + "0"), .bad("no algorithm", hex64),
        .bad("other algorithm", "sha512:" + hex64), .bad("not hexadecimal", "sha256:" + hex64.dropLast() + "g"),
        .bad("line break", "sha256:" + hex64 + "\n"), .bad("combining mark", "sha256:\u{301}" + hex64),
        .bad("full-width digit", "sha256:" + hex64.dropLast() + "１"),
    ]

    @Test(arguments: cases)
    func readsOnlyTheCanonicalForm(_ given: TextCase) {
        #expect((try? Digest(given.text))?.description == (given.isValid ? given.text : nil))
    }

    @Test func bytesBecomeLowerCaseDigits() {
        #expect(Digest(bytes: (0..<32).map { UInt8($0 * 8) }).hex.hasPrefix("0008101820"))
        #expect(Digest(bytes: []).hex == String(repeating: "0", count: 64))
        #expect(Digest(bytes: [UInt8](repeating: 0xff, count: 40)).hex == String(repeating: "f", count: 64))
    }

    @Test func keyAndObjectIDTakeTheirDigitsOnly() throws {
        #expect(try LayerKey(hex: hex64).short == "0123456789ab")
        #expect(try ObjectID(hex: hex40).short == "0123456789")
        for bad in ["", hex40, hex64.uppercased(), hex64 + "0", "g" + hex64.dropFirst()] {
            #expect(throws: ValueError.self) { try LayerKey(hex: bad) }
        }
        for bad in ["", hex64, hex40.uppercased(), " " + hex40.dropFirst(), "sha1:" + hex40] {
            #expect(throws: ValueError.self) { try ObjectID(hex: bad) }
        }
    }
}

@Suite struct ImageNameTests {
    static let cases: [TextCase] = [
        .good("word", "python"), .good("separators", "a.b_c-d"), .good("digits", "3"),
        .good("longest", String(repeating: "a", count: 128)),
        .bad("empty", ""), .bad("too long", String(repeating: "a", count: 129)), .bad("upper case", "Python"),
        .bad("leading separator", "-a"), .bad("trailing separator", "a."), .bad("two separators", "a--b"),
        .bad("slash", "a/b"), .bad("parent", ".."), .bad("blank", "a b"), .bad("NUL", "a\0b"), .bad("accent", "é"),
        .bad("line break", "a\n"),
    ]

    @Test(arguments: cases)
    func isOnePathComponent(_ given: TextCase) {
        #expect(((try? ImageName(given.text)) != nil) == given.isValid)
    }
}

@Suite struct RepositoryPathTests {
    static let cases: [TextCase] = [
        .good("file", "images/a/image.yaml"), .good("blank", "a b/c"), .good("dots in names", "a..b/...c"),
        .good("a name that begins with .git", ".github/x"), .good("accent", "é/x"),
        .bad("parent", ".."), .bad("parent inside", "a/../b"), .bad("absolute", "/etc/passwd"),
        .bad("git folder", ".git/config"), .bad("git folder below", "a/.GIT/hooks"), .bad("NUL", "a\0b"),
        .bad("parent, slash with a combining mark", "../\u{301}etc/.."),
        .bad("absolute, slash with a combining mark", "/\u{301}etc"),
    ]

    @Test(arguments: cases)
    func staysInsideTheRepository(_ given: TextCase) {
        #expect(((try? RepositoryPath(given.text)) != nil) == given.isValid)
    }

    /// `/` and a combining mark are one character, but the file system still sees a slash.
    @Test func noComponentHoldsASlash() throws {
        let path = try RepositoryPath("a/\u{301}b/c")
        #expect(path.components.count == 3)
        #expect(path.components.allSatisfy { !$0.utf8.contains(0x2f) })
        #expect(throws: ValueError.self) { try RepositoryPath.root.resolving("a/\u{301}/../../../b") }
    }

    @Test func rootAndNeedlessPartsAreDropped() throws {
        #expect(try RepositoryPath("./a//b/.") == RepositoryPath("a/b"))
        #expect(try RepositoryPath(".") == .root)
        #expect(RepositoryPath.root.description == ".")
        #expect(RepositoryPath.root.parent == nil)
        #expect(try RepositoryPath("a").parent == .root)
        #expect(try RepositoryPath("a/b").name == "b")
    }

    @Test func resolvingClimbsButNotPastTheRoot() throws {
        let folder = try RepositoryPath("images/a")
        #expect(try folder.resolving("../../shared/r.txt").description == "shared/r.txt")
        #expect(try folder.resolving("../..") == .root)
        #expect(throws: ValueError.self) { try folder.resolving("../../..") }
        #expect(throws: ValueError.self) { try folder.resolving("/x") }
    }

    @Test func appendingTakesAPlainName() throws {
        #expect(try RepositoryPath("a").appending("b").description == "a/b")
        for bad in ["", ".", "..", "a/b", "a/\u{301}b", ".git", "x\0"] {
            #expect(throws: ValueError.self) { try RepositoryPath.root.appending(bad) }
        }
    }

    @Test func containsWholeComponents() throws {
        #expect(try RepositoryPath("a").contains(RepositoryPath("a/b")))
        #expect(try RepositoryPath("a").contains(RepositoryPath("a")))
        #expect(try !RepositoryPath("a").contains(RepositoryPath("ab")))
        #expect(try RepositoryPath.root.contains(RepositoryPath("ab")))
    }

    /// Git compares bytes: two spellings of one character are two files.
    @Test func comparesBytes() throws {
        let composed = try RepositoryPath("\u{e9}")
        let decomposed = try RepositoryPath("e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(decomposed < composed)
        #expect(!composed.contains(decomposed))
        #expect(try RepositoryPath("B") < RepositoryPath("a"))
    }
}

@Suite struct ImageReferenceTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var text: String
        var host: String
        var repository: String
        var tag: String?
        var digest: String?
        var testDescription: String { text }
    }

    static let good: [Case] = [
        Case(
            text: "docker.io/library/debian:bookworm-slim", host: "docker.io", repository: "library/debian",
            tag: "bookworm-slim"),
        Case(text: "localhost/a", host: "localhost", repository: "a"),
        Case(text: "127.0.0.1:5000/a/b-c__d.e:V1", host: "127.0.0.1:5000", repository: "a/b-c__d.e", tag: "V1"),
        Case(text: "r.example.com:443/a@sha256:" + hex64, host: "r.example.com:443", repository: "a", digest: hex64),
        Case(
            text: "r.example.com/a:t@sha256:" + hex64, host: "r.example.com", repository: "a", tag: "t", digest: hex64),
        Case(text: "host:5000/a---b", host: "host:5000", repository: "a---b"),
    ]

    @Test(arguments: good)
    func readsItsParts(_ given: Case) throws {
        let reference = try ImageReference(given.text)
        #expect(reference.host == given.host)
        #expect(reference.repository == given.repository)
        #expect(reference.tag == given.tag)
        #expect(reference.digest?.hex == given.digest)
        #expect(reference.description == given.text)
    }

    static let bad: [TextCase] = [
        .bad("no registry", "debian"), .bad("no registry, tag", "debian:bookworm"),
        .bad("no registry, path", "library/debian"),
        .bad("empty", ""), .bad("no repository", "docker.io/"), .bad("upper case", "docker.io/Library/x"),
        .bad("empty component", "docker.io/a//b"), .bad("two dots", "docker.io/a..b"),
        .bad("mixed separators", "docker.io/a._b"),
        .bad("three underscores", "docker.io/a___b"), .bad("leading separator", "docker.io/-a"),
        .bad("empty tag", "docker.io/a:"),
        .bad("tag with a leading dot", "docker.io/a:.b"),
        .bad("tag too long", "docker.io/a:" + String(repeating: "t", count: 129)),
        .bad("short digest", "docker.io/a@sha256:00"), .bad("port with a sign", "host:+80/a"),
        .bad("port 0", "host:0/a"),
        .bad("port too large", "host:65536/a"), .bad("two ports", "host:1:2/a"), .bad("scheme", "https://docker.io/a"),
        .bad("user information", "user@docker.io/a"), .bad("host with a leading hyphen", "-x.io/a"),
        .bad("blank", "docker.io/a b"), .bad("line break", "docker.io/a\n"),
        .bad("too long", "docker.io/" + String(repeating: "a", count: 256)),
    ]

    @Test(arguments: bad)
    func refusesWhatNoRegistryTakes(_ given: TextCase) {
        #expect(throws: ValueError.self) { try ImageReference(given.text) }
    }

    @Test func tagAndDigestReplaceEachOther() throws {
        let reference = try ImageReference("r.example.com/a:t")
        let digest = try Digest(hex: hex64)
        #expect(reference.pinned(to: digest).description == "r.example.com/a@sha256:" + hex64)
        #expect(try reference.pinned(to: digest).tagged("u").description == "r.example.com/a:u")
        #expect(throws: ValueError.self) { try reference.tagged("a b") }
    }
}

@Suite struct PlatformTests {
    static let cases: [TextCase] = [
        .good("amd64", "linux/amd64"), .good("variant", "linux/arm/v7"), .bad("empty", ""), .bad("one part", "linux"),
        .bad("other system", "windows/amd64"), .bad("upper case", "linux/AMD64"), .bad("empty part", "linux/"),
        .bad("four parts", "linux/arm/v7/x"), .bad("blank", "linux/amd64 "),
    ]

    @Test(arguments: cases)
    func isLinuxAndAnArchitecture(_ given: TextCase) {
        #expect((try? Platform(given.text))?.description == (given.isValid ? given.text : nil))
    }
}
