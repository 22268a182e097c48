// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import VarveModel

@Suite struct RebuildReasonTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var reason: RebuildReason
        var json: String
        var text: String
        var testDescription: String { json }
    }

    static let cases = [
        Case(reason: .neverBuilt, json: #"{"kind":"never-built"}"#, text: "never built"),
        Case(
            reason: .contentChanged(layer: .pip, removed: ["polars>=0.20"], added: ["polars>=1"]),
            json: #"{"kind":"content-changed","layer":"pip","new":["polars>=1"],"old":["polars>=0.20"]}"#,
            text: "pip +polars>=1 -polars>=0.20"),
        Case(
            reason: .contentChanged(layer: .postBuild, removed: [], added: []),
            json: #"{"kind":"content-changed","layer":"postBuild"}"#, text: "postBuild changed"),
        Case(
            reason: .baseChanged(old: "d@1", new: "d@2"),
            json: #"{"kind":"base-changed","layer":"base","new":["d@2"],"old":["d@1"]}"#, text: "base d@1 -> d@2"),
        Case(
            reason: .recipeChanged(layer: .apt, old: 1, new: 2),
            json: #"{"kind":"recipe-changed","layer":"apt","new":["2"],"old":["1"]}"#, text: "apt recipe 1 -> 2"),
        Case(
            reason: .lastBuildFailed(message: "x"), json: #"{"kind":"last-build-failed","old":["x"]}"#,
            text: "last build failed: x"),
        Case(reason: .verifyChanged, json: #"{"kind":"verify-changed"}"#, text: "verify changed"),
        Case(
            reason: .artefactMissing(reference: "r/a@sha256:0"),
            json: #"{"kind":"artefact-missing","old":["r/a@sha256:0"]}"#, text: "r/a@sha256:0 is missing"),
        Case(
            reason: .publicationChanged(old: "a", new: "b"),
            json: #"{"kind":"publication-changed","new":["b"],"old":["a"]}"#, text: "published a -> b"),
        Case(reason: .forced, json: #"{"kind":"forced"}"#, text: "asked for"),
    ]

    @Test(arguments: cases)
    func roundTripsThroughItsJSON(_ given: Case) throws {
        #expect(try encode(given.reason) == given.json)
        #expect(try JSONDecoder().decode(RebuildReason.self, from: Data(given.json.utf8)) == given.reason)
        #expect(given.reason.description == given.text)
    }

    @Test(arguments: [#"{"kind":"later"}"#, #"{"kind":"content-changed"}"#, "{}", #"{"kind":1}"#])
    func refusesWhatItDoesNotKnow(_ json: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(RebuildReason.self, from: Data(json.utf8)) }
    }
}

@Suite struct BuildRecordTests {
    /// The whole line as it stands in the note; a changed name is a changed schema.
    @Test func jsonIsPinned() throws {
        let digest = try Digest(hex: String(repeating: "ab", count: 32))
        let key = try LayerKey(hex: String(repeating: "cd", count: 32))
        let id = try ObjectID(hex: String(repeating: "ef", count: 20))
        var record = BuildRecord(
            id: "0123", image: try ImageName("ds-python"), folder: try RepositoryPath("images/ds-python"), tree: id,
            commit: id, trigger: "reconcile", status: .error, reasons: [.neverBuilt],
            layers: [LayerRecord(kind: .pip, key: key, action: .failed, seconds: 1.5, size: 7, digest: digest)],
            start: try Timestamp("2026-11-23T11:05:08Z"), seconds: 154.25, engine: "buildah 1.28.2", host: "h")
        record.reference = "r.example.com/ds-python@" + digest.description
        record.manifestDigest = digest
        record.configDigest = digest
        record.tags = ["latest"]
        record.base = BaseRecord(reference: "saturn-python", manifestDigest: digest, configDigest: digest)
        record.verify = digest
        record.error = FailureRecord(failureClass: .diskFull, layer: .pip, message: "full", tail: "a\nb")
        let d = "sha256:" + digest.hex
        let expected =
            #"{"base":{"configDigest":"\#(d)","manifestDigest":"\#(d)","reference":"saturn-python"},"commit":"\#(id)","#
            + #""configDigest":"\#(d)","engine":"buildah 1.28.2","#
            + #""error":{"class":"disk-full","layer":"pip","message":"full","tail":"a\nb"},"#
            + #""folder":"images/ds-python","host":"h","id":"0123","image":"ds-python","layers":[{"action":"failed","#
            + #""digest":"\#(d)","key":"\#(key)","kind":"pip","seconds":1.5,"size":7}],"manifestDigest":"\#(d)","#
            + #""reasons":[{"kind":"never-built"}],"reference":"r.example.com/ds-python@\#(d)","seconds":154.25,"#
            + #""start":"2026-11-23T11:05:08Z","status":"error","tags":["latest"],"tree":"\#(id)","#
            + #""trigger":"reconcile","verify":"\#(d)","version":1}"#
        #expect(try encode(record) == expected)
        #expect(try JSONDecoder().decode(BuildRecord.self, from: Data(expected.utf8)) == record)
    }

    @Test func namesAreThoseOfTheDesign() {
        #expect(
            LayerKind.allCases.map(\.rawValue) == [
                "base", "apt", "conda", "cran", "bioconductor", "remotes", "installR", "pip", "kernel", "postBuild",
                "config",
            ])
        #expect(LayerKind.allCases.sorted() == LayerKind.allCases)
        #expect(
            ImageStatus.allCases.map(\.rawValue) == [
                "pending", "building", "built", "error", "stopping", "invalid", "blocked", "suspended", "retired",
                "adopted",
            ])
    }

    @Test func recordsAreOrderedByStartThenID() throws {
        let commit = try ObjectID(hex: String(repeating: "0", count: 40))
        func record(_ id: String, _ start: Int) throws -> BuildRecord {
            BuildRecord(
                id: id, image: try ImageName("a"), commit: commit, trigger: "t", status: .built, reasons: [],
                layers: [],
                start: Timestamp(seconds: start), seconds: 0, engine: "", host: "")
        }
        let set = try RecordSet(records: [record("b", 2), record("c", 1), record("a", 2)])
        #expect(set.records.map(\.id) == ["c", "a", "b"])
    }
}

private func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}
