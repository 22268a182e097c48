// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Checks images against each other: names, copies, bases, cycles, hardware.
enum FleetCheck {
    /// Adds what is wrong between images to their diagnostics.
    static func check(_ images: inout [ReadImage], by file: FleetFile) {
        checkNames(&images)
        let copies = CopyCheck(&images)
        let names = Set(images.map(\.name))
        checkBases(&images, names)
        checkCycles(&images)
        HardwareCheck.check(&images)
        PlatformCheck.check(&images)
        file.check(&images)
        copies.reportBroken(&images)
    }

    static func report(
        _ code: DiagnosticCode, at place: Place, _ message: String, hint: String? = nil, on image: inout ReadImage
    ) {
        let findings = Findings()
        findings.report(code, at: place, message, hint: hint)
        image.diagnostics += findings.sorted
    }

    /// How many images a message names.
    static let namedLimit = 10

    private static func checkNames(_ images: inout [ReadImage]) {
        let byName = Dictionary(grouping: images.indices) { images[$0].name }
        for (name, indices) in byName where indices.count > 1 {
            for index in indices {
                // A few are enough: with all of them, thousands of equal names would make millions of words.
                let others = indices.prefix(namedLimit + 1).filter { $0 != index }.prefix(namedLimit)
                let folders = others.map { quoted(images[$0].folder.path.description) }.joined(separator: ", ")
                let left = indices.count - 1 - others.count
                report(
                    .duplicateName, at: images[index].namePlace,
                    "the name \(quoted(name)) is also that of the image in \(folders)"
                        + (left > 0 ? " and \(left) more" : ""),
                    on: &images[index]
                )
            }
        }
    }

    private static func checkBases(_ images: inout [ReadImage], _ names: Set<String>) {
        // Comparing with every name is slow where a whole fleet names a base that is gone.
        var nearest: [String: String] = [:]
        for index in images.indices {
            guard case .image(let base) = images[index].definition?.base, !names.contains(base.value) else { continue }
            if nearest[base.value] == nil, nearest.count < 100 {
                nearest[base.value] = nearestWord(to: base.value, among: names) ?? ""
            }
            let suggestion = nearest[base.value].flatMap { $0.isEmpty ? nil : $0 }
            report(
                .unknownBase, at: images[index].basePlace,
                "there is no image \(quoted(base.value)) in this repository",
                hint: suggestion.map { "did you mean '\(singleLine($0))'?" }
                    ?? "a base in a registry is written with its registry: docker.io/library/\(base.value)",
                on: &images[index]
            )
        }
    }

    /// Follows each image's base until it ends or comes back; every member of a circle is reported.
    private static func checkCycles(_ images: inout [ReadImage]) {
        let indexByName = Dictionary(
            images.indices.map { (images[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
        let bases: [Int?] = images.map { image in
            guard case .image(let base) = image.definition?.base else { return nil }
            return indexByName[base.value]
        }
        for circle in Succession(bases).circles {
            let names = circle.map { images[$0].name }
            for (offset, index) in circle.enumerated() {
                report(
                    .baseCycle, at: images[index].basePlace,
                    "the bases form a circle: " + Succession.text(names, from: offset), on: &images[index])
            }
        }
    }
}
