// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

extension StateDirectory {
    /// What tells this repository in the process that holds this state directory from all others that take part in
    /// its lease.
    ///
    /// A remote that one process knows by two addresses has two holders, so that only one of them acts on it.
    /// It stays through a restart of the process, which so need not wait for its own last lease to end. A copy of the
    /// state directory on another machine is another holder: the kernel's boot id is part of it. To be called by the
    /// process that has the lock.
    ///
    /// - Throws: `ReconcileError.stateDirectory`.
    public func holderIdentity() throws(ReconcileError) -> String {
        let file = "\(path)/holder"
        var own = try StateFile.read(file)
        if own.count < 16 {
            own = Array("\(UInt64.random(in: .min ... .max))-\(UInt64.random(in: .min ... .max))".utf8)
            try StateFile.replace(file, with: own)
        }
        let boot = (try? StateFile.read("/proc/sys/kernel/random/boot_id")) ?? []
        return String(Digest(sha256: own + [0x0a] + boot + [0x0a] + Array(repositoryKey.utf8)).hex.prefix(32))
    }
}
