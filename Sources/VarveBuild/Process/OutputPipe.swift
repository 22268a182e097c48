// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import SystemPackage
import VarveModel

/// A named pipe into which a step writes what it says, past the tool that runs it.
///
/// Under chroot isolation buildah 1.28 copies a step's output itself, and ends with the step, whatever it has not copied
/// yet: of a step that fails that is the very reason.
struct OutputPipe: Hashable, Sendable {
    /// Where it is on the host.
    let path: String

    /// Makes the pipe; nothing may be at the path.
    ///
    /// - Throws: `BuildFailure`.
    init(at path: String) throws {
        self.path = path
        // Any user of an image may write to it; the folder above lets no other user of the host in.
        guard mkfifo(path, 0o600) == 0, chmod(path, 0o622) == 0 else {
            throw BuildFailure.ofFile(Errno(rawValue: errno), verb: "create", path: path)
        }
    }

    /// Runs `body`, and gives each line that is written meanwhile.
    ///
    /// It returns when `body` has ended and nobody has the pipe open for writing any more, so that no line is lost; the
    /// processes that `body` starts must be gone with it.
    ///
    /// - Throws: `BuildFailure` where the pipe cannot be opened; what `body` throws.
    func forwarding<Result>(
        _ take: @escaping @Sendable (String) -> Void, while body: () async throws -> Result
    ) async throws -> Result {
        let (reader, writer) = try open()
        // A queue and not a task, because the reads wait; what nobody reads makes the writer wait, not the memory grow.
        async let reading: Void = withCheckedContinuation { continuation in
            DispatchQueue(label: "varve.output").async {
                Self.readLines(reader, take)
                continuation.resume()
            }
        }
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        try? writer.close()
        await reading
        return try result.get()
    }

    /// Both ends: with a writer of varve's own, reading ends when that one is closed and not before the first line.
    private func open() throws -> (reader: FileDescriptor, writer: FileDescriptor) {
        do {
            // For both, because opening a pipe for one of them waits for the other.
            let writer = try FileDescriptor.open(FilePath(path), .readWrite, options: [.noFollow, .closeOnExec])
            do {
                return (try FileDescriptor.open(FilePath(path), .readOnly, options: [.noFollow, .closeOnExec]), writer)
            } catch {
                try? writer.close()
                throw error
            }
        } catch {
            throw BuildFailure.ofFile(error, verb: "open", path: path)
        }
    }

    private static func readLines(_ reader: FileDescriptor, _ take: (String) -> Void) {
        var splitter = LineSplitter()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
        defer {
            buffer.deallocate()
            try? reader.close()
        }
        while let count = try? reader.read(into: buffer), count > 0 {
            splitter.append(buffer.prefix(count), to: take)
        }
        splitter.finish(take)
    }
}
