// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Glibc
import VarveModel
import VarveReconcile

/// What `varve doctor` looks at on the machine itself.
struct MachineChecks {
    let stateDirectory: String
    let limits: DiskLimits

    /// The state directory, its lock and its disk, and the clock.
    func checks() -> [HealthCheck] { [folder, lock, room, budget, clock].compactMap { $0 } }

    private var folder: HealthCheck {
        let name = "state directory"
        do {
            let state = StateDirectory(path: stateDirectory, repository: "")
            try state.prepare()
            let probe = stateDirectory + "/doctor-\(getpid())"
            guard FileManager.default.createFile(atPath: probe, contents: Data("varve".utf8)) else {
                throw CommandError("no file can be made in '\(stateDirectory)'")
            }
            unlink(probe)
            return HealthCheck(name, .ok, stateDirectory)
        } catch {
            return HealthCheck(
                name, .failed, "\(error)",
                remedy: "make the folder, give it to the user of varve, or name another: stateDir")
        }
    }

    private var lock: HealthCheck {
        StateLock.isHeld(StateDirectory(path: stateDirectory, repository: ""))
            ? HealthCheck("lock", .ok, "another varve process is at work here, as a daemon is")
            : HealthCheck("lock", .ok, "nobody holds it")
    }

    private var room: HealthCheck {
        let name = "disk room"
        do {
            let room = try DiskRoom(of: stateDirectory)
            guard let lack = limits.lack(in: room) else {
                return HealthCheck(name, .ok, "\(sizeText(room.bytes)) are free")
            }
            return HealthCheck(
                name, .failed, "\(lack): nothing is built",
                remedy: "run 'varve gc --cache 0', enlarge the disk, or lower disk.reserve (VARVE_DISK_RESERVE)")
        } catch {
            return HealthCheck(name, .failed, "\(error)", remedy: "see 'state directory'")
        }
    }

    /// Whether the caches can ever come to the size that they may have.
    private var budget: HealthCheck? {
        var status = statvfs()
        guard statvfs(stateDirectory, &status) == 0 else { return nil }
        let total = Int(clamping: status.f_blocks) * Int(clamping: status.f_frsize)
        guard limits.cache + limits.reserve > total else {
            return HealthCheck("disk budget", .ok, "caches may take \(sizeText(limits.cache)) of \(sizeText(total))")
        }
        return HealthCheck(
            "disk budget", .warning,
            "caches may take \(sizeText(limits.cache)), but the disk has \(sizeText(total)) and \(sizeText(limits.reserve)) stay free",
            remedy: "lower disk.cache, or they are collected only when there is no room left")
    }

    /// Records are ordered by time, and certificates are judged by it.
    private var clock: HealthCheck {
        let now = time(nil)
        // When this was written: no clock that is right is before it.
        guard now > 1_764_000_000 else {
            return HealthCheck(
                "clock", .failed, "it says \(Timestamp(seconds: now))", remedy: "set it: timedatectl set-ntp true")
        }
        return HealthCheck("clock", .ok, "\(Timestamp(seconds: now))")
    }

    /// Whether the clock is behind that of whoever wrote the newest record; nil where it is not.
    static func clock(behind newest: Timestamp?) -> HealthCheck? {
        let now = Timestamp(seconds: time(nil))
        guard let newest, newest.seconds > now.seconds + 120 else { return nil }
        return HealthCheck(
            "clock", .warning, "it says \(now), but the newest record is of \(newest)",
            remedy: "run a time service (systemd-timesyncd, chrony) here, or where that record was written")
    }
}
