// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import Testing
import VarveTestSupport

@testable import VarveServer

/// A log as server-sent events.
@Suite(.temporaryDirectory, .timeLimit(.minutes(1)))
struct LogEventsTests {
    private static func text(_ bytes: String, isLast: Bool) -> (text: String, length: Int) {
        LogEvents.text(of: Array(bytes.utf8)[...], at: 100, isLast: isLast)
    }

    @Test
    func eachWholeLineIsAnEventWhoseIdIsThePlaceAfterIt() {
        let (text, length) = Self.text("ab\ncd\nef", isLast: false)
        #expect(text == "id: 103\ndata: ab\n\nid: 106\ndata: cd\n\n" && length == 6)
        #expect(Self.text("ef", isLast: false) == ("", 0))
        #expect(Self.text("ef", isLast: true) == ("id: 102\ndata: ef\n\n", 2))
    }

    @Test
    func lineCannotForgeAnEvent() {
        let (text, _) = Self.text("a\rdata: forged\r\revent: end\nb\n", isLast: true)
        #expect(text == "id: 127\ndata: adata: forgedevent: end\n\nid: 129\ndata: b\n\n")
    }

    @Test
    func endlessLineIsCutSoThatTheReaderIsNotStuck() {
        let (text, length) = Self.text(String(repeating: "x", count: 65_536), isLast: false)
        #expect(length == 65_536 && text.hasPrefix("id: 65636\ndata: xxx"))
    }

    @Test
    func logIsFollowedUntilItsBuildEnds() async throws {
        let directory = try TemporaryDirectory.required()
        let path = try directory.write("base: one\n", to: "a.log")
        let isRunning = Mutex(true)
        let watch = LogWatch(interval: .milliseconds(5), sign: .milliseconds(20))
        let file = try #require(OpenFile(path))
        var events = watch.tail(of: path, file, isRunning: { isRunning.withLock { $0 } }).events(from: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watch.run() }
            #expect(await events.next() == ": varve log\n\n")
            #expect(await events.next() == "id: 10\ndata: base: one\n\n")
            // Nothing new: a sign of life.
            #expect(await events.next() == ":\n\n")
            let handle = try #require(FileHandle(forWritingAtPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("pip: two\n".utf8))
            var next = await events.next()
            while next == ":\n\n" { next = await events.next() }
            #expect(next == "id: 19\ndata: pip: two\n\n")
            try handle.write(contentsOf: Data("pip: three\n".utf8))
            isRunning.withLock { $0 = false }
            next = await events.next()
            while next == ":\n\n" { next = await events.next() }
            #expect(next == "id: 30\ndata: pip: three\n\n")
            #expect(await events.next() == "event: end\nid: 30\ndata: {}\n\n")
            #expect(await events.next() == nil)
            group.cancelAll()
        }
    }

    @Test
    func readersShareOneLookAndLeaveNothingBehind() async throws {
        let path = try TemporaryDirectory.required().write("one\n", to: "a.log")
        let watch = LogWatch()
        do {
            let file = try #require(OpenFile(path))
            let tails = (0..<100).map { _ in watch.tail(of: path, file, isRunning: { false }) }
            #expect(watch.count == 100)
            var events = tails[0].events(from: 2)
            _ = await events.next()
            #expect(await events.next() == "id: 4\ndata: e\n\n")
        }
        #expect(watch.count == 0)
    }

    @Test
    func linkIsNotFollowed() throws {
        let directory = try TemporaryDirectory.required()
        let path = try directory.write("secret\n", to: "secret")
        try FileManager.default.createSymbolicLink(atPath: directory.path("a.log"), withDestinationPath: path)
        #expect(OpenFile(directory.path("a.log")) == nil && OpenFile(directory.path) == nil && OpenFile(path) != nil)
    }
}
