// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Memory that the process has let go of; what glibc is told about it.
public enum FreeMemory {
    private static let trim: (@convention(c) (Int) -> Int32)? = symbol("malloc_trim").map {
        unsafeBitCast($0, to: (@convention(c) (Int) -> Int32).self)
    }

    /// Has all threads take memory from one place; to be called before there are others, by what runs for months.
    ///
    /// glibc has an arena for each thread. What libgit2 keeps for later lies scattered over all of them, and each holds the
    /// room of the largest pass that a thread had a part in: after a thousand passes that is more than what is in use.
    public static func useOneArena() {
        typealias Option = @convention(c) (Int32, Int32) -> Int32
        // M_ARENA_MAX of malloc.h.
        _ = symbol("mallopt").map { unsafeBitCast($0, to: Option.self)(-8, 1) }
    }

    /// Gives it back to the system.
    ///
    /// A pass reads everything and lets go of it again; glibc keeps that until it is asked for it.
    static func giveBack() { _ = trim?(0) }

    /// A function of glibc; another C library has none of these, and no arenas.
    private static func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(nil, name) }
}
