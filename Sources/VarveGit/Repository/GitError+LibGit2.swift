// SPDX-License-Identifier: Apache-2.0

import CGit2

extension GitError {
    /// The error that a libgit2 call on this thread has just returned.
    ///
    /// Must be made before anything else calls libgit2 on the thread: the message is thread-local.
    init(status: Int32, _ subject: String) {
        let last = git_error_last()
        let message = last?.pointee.message.map { String(cString: $0) } ?? "libgit2 error \(status)"
        let domain = last.map { git_error_t(UInt32(bitPattern: $0.pointee.klass)) } ?? GIT_ERROR_NONE
        let code = Code(status: status, domain: domain, message: message)
        self.init(code, subject, message.prefix(1).lowercased() + message.dropFirst() + code.advice)
    }
}

extension GitError.Code {
    init(status: Int32, domain: git_error_t, message: String) {
        switch git_error_code(status) {
        case GIT_ENOTFOUND, GIT_EUNBORNBRANCH: self = .notFound
        case GIT_EOWNER: self = .notOwned
        case GIT_EAUTH: self = .unauthorized
        case GIT_ECERTIFICATE: self = .untrustedHost
        case GIT_EINVALIDSPEC, GIT_EINVALID: self = .invalid
        case GIT_EMISMATCH: self = .corrupt
        case GIT_EUSER: self = .cancelled
        case GIT_EEOF: self = .unreachable
        default:
            switch domain {
            case GIT_ERROR_HTTP: self = Self(httpMessage: message)
            case GIT_ERROR_NET, GIT_ERROR_SSH: self = .unreachable
            case GIT_ERROR_SSL: self = .untrustedHost
            case GIT_ERROR_OS, GIT_ERROR_FILESYSTEM: self = .fileSystem
            case GIT_ERROR_ZLIB, GIT_ERROR_OBJECT, GIT_ERROR_TREE, GIT_ERROR_INDEXER: self = .corrupt
            default: self = .unknown
            }
        }
    }

    /// libgit2 gives an HTTP status only as the number at the end of its message.
    private init(httpMessage: String) {
        switch httpMessage.split(separator: " ").last.flatMap({ Int($0) }) {
        case 401: self = .unauthorized
        case 403: self = .refused
        case 404, 410: self = .notFound
        default: self = .unreachable
        }
    }

    /// What a person can do about it, to be put after libgit2's own words.
    var advice: String {
        switch self {
        case .notOwned: "; to trust it run: git config --global --add safe.directory PATH"
        case .unauthorized: "; check the credentials that are configured for this remote"
        case .refused: "; ask for the right to read and write refs/notes/varve/* and refs/varve/* there"
        default: ""
        }
    }
}

/// Turns a negative libgit2 status into an error.
@discardableResult
func check(_ status: Int32, _ subject: @autoclosure () -> String) throws(GitError) -> Int32 {
    guard status >= 0 else { throw GitError(status: status, subject()) }
    return status
}
