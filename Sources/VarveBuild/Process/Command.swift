// SPDX-License-Identifier: Apache-2.0

/// One execution of a tool: everything that the child process is given, and nothing else.
struct Command: Sendable {
    /// How far the child is set apart from varve's own processes.
    enum Containment: Hashable, Sendable {
        /// A session of its own; dies with varve.
        case session
        /// A PID and a mount namespace of its own as well: every process and every mount that it leaves goes with it,
        /// and it sees no process of the host.
        case namespace
    }

    /// What becomes of standard output.
    enum Output: Hashable, Sendable {
        /// It is collected, up to so many bytes; more is an error. Standard error goes to the line callback.
        case captured(limit: Int)
        /// It goes to the line callback, in one stream with standard error; so does what comes by the pipe.
        case lines(also: OutputPipe? = nil)
    }

    /// The tool's name; found by `PATH` of `environment`.
    var tool: String
    /// The arguments after the name.
    var arguments: [String]
    /// The complete environment.
    var environment: [String: String]
    /// What becomes of standard output.
    var output: Output
    /// How far the child is set apart.
    var containment: Containment
    /// How long it may run; nil is without end.
    var timeout: Duration?

    /// An execution of a tool.
    init(
        _ tool: String, _ arguments: [String], environment: [String: String],
        output: Output = .captured(limit: 16 << 20), containment: Containment = .session,
        timeout: Duration? = nil
    ) {
        self.tool = tool
        self.arguments = arguments
        self.environment = environment
        self.output = output
        self.containment = containment
        self.timeout = timeout
    }

    /// The arguments that stand before the tool's own, so that it dies with varve.
    ///
    /// `setpriv` replaces itself by what follows, so the signal reaches that; `unshare --kill-child` hands it on to the
    /// first process of the namespace, and with that one the kernel ends all the others.
    var launcher: [String] {
        let deathSignal = ["setpriv", "--pdeathsig", "KILL", "--"]
        return switch containment {
        case .session: deathSignal
        case .namespace:
            // The host's /dev is seen by steps; its shared memory must not be a way out, nor a way from step to step.
            deathSignal + [
                "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-c",
                #"mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /dev/shm && exec "$0" "$@""#,
            ]
        }
    }
}
