// SPDX-License-Identifier: Apache-2.0

import VarveModel
import VarvePlan

extension Reconciler {
    /// One pass of a process that is not alone: what there is to do is done by the one that leads.
    ///
    /// Reading needs no lease, and a pass that finds nothing to do takes none. One that finds something takes the lease
    /// first and then reads again what another one may have done until then.
    func reconcile(_ request: PassRequest, leadership: Leadership) async throws -> PassResult {
        var announced: String?
        while true {
            let counter = await leadership.counter
            let prepared = try await prepare(request)
            guard try await hasWork(prepared) else {
                await leadership.want(false)
                return try await finish(prepared)
            }
            let outcome = try await leadership.lead {
                let isCurrent = await leadership.counter == counter
                return try await self.finish(isCurrent ? prepared : self.prepareAgain(request))
            }
            let result: PassResult
            switch outcome {
            case .led(let result): return result
            case .lost(let leader):
                events(.warning("the lease went to \(leader); what was running is stopped and is not recorded"))
                result = stopped(prepared)
            case .held(let leader):
                if settings.waitsForLease || (request.following == nil && !request.asked.rebuilds.isEmpty) {
                    if announced != leader { events(.warning("waiting for \(leader), which leads this repository")) }
                    announced = leader
                    try await leadership.waitForLease()
                    continue
                }
                request.keepRebuilds()
                if await leadership.isNews(leader) {
                    events(.warning("\(leader) leads this repository; what there is to do is left to it"))
                }
                result = left(prepared, to: leader)
            }
            events(.finished(result))
            return result
        }
    }

    /// Reads again with the lease in hand; where that cannot be done, nothing of what was asked for is done yet.
    private func prepareAgain(_ request: PassRequest) async throws -> Prepared {
        do {
            return try await prepare(request)
        } catch {
            request.keepRebuilds()
            throw error
        }
    }

    /// Whether a prepared pass would change anything outside this machine.
    private func hasWork(_ prepared: Prepared) async throws -> Bool {
        if try await !journal.pending().isEmpty { return true }
        guard case .ready(let pass, _, let straying) = prepared else { return false }
        if !straying.isEmpty { return true }
        var copy = pass
        copy.reconciler.events = { _ in }
        return try await copy.hasWork()
    }

    /// The result of a pass whose work another process does.
    private func left(_ prepared: Prepared, to leader: String) -> PassResult {
        var result = stopped(prepared)
        result.isCancelled = false
        result.leader = leader
        return result
    }

    private func stopped(_ prepared: Prepared) -> PassResult {
        var result: PassResult
        switch prepared {
        case .settled(let settled): result = settled
        case .ready(let pass, _, _):
            result = PassResult(commit: pass.findings.commit)
            result.unchanged = pass.findings.plan.images.count { $0.action == .none }
            result.invalid = pass.findings.plan.invalid.map(\.name)
        }
        result.isCancelled = true
        return result
    }
}

extension Reconciler.PassRequest {
    /// Leaves what people asked to have rebuilt to the pass in which this process leads.
    fileprivate func keepRebuilds() { following?.control.putBack(asked.rebuilds) }
}
