// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Memory that the process has let go of.
enum FreeMemory {
    private static let trim: (@convention(c) (Int) -> Int32)? = dlsym(nil, "malloc_trim").map {
        unsafeBitCast($0, to: (@convention(c) (Int) -> Int32).self)
    }

    /// Gives it back to the system.
    ///
    /// A pass reads everything and lets go of it again. glibc keeps that, in an arena for each thread that had a part in it,
    /// until a fleet's daemon holds twice what it uses. Another C library has no such call and no such arenas.
    static func giveBack() { _ = trim?(0) }
}
