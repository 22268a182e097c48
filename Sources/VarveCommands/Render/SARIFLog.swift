// SPDX-License-Identifier: Apache-2.0

import VarveDefinition
import VarveModel

/// Diagnostics as a SARIF 2.1.0 log, which code hosts show beside the lines (OASIS SARIF 2.1.0, section 3).
struct SARIFLog: Encodable {
    struct Run: Encodable {
        let tool: Tool
        /// Columns count characters of Unicode, not UTF-16 units (section 3.14.17).
        let columnKind = "unicodeCodePoints"
        let results: [Result]
    }

    struct Tool: Encodable {
        let driver: Driver
    }

    struct Driver: Encodable {
        let name: String
        let rules: [Rule]
    }

    struct Rule: Encodable {
        let id: String
        let fullDescription: Message?

        init(id: String) {
            self.id = id
            fullDescription = DiagnosticCode.explanation(of: id).map(Message.init(text:))
        }
    }

    struct Result: Encodable {
        let ruleId: String
        let level: String
        let message: Message
        let locations: [Location]
    }

    struct Message: Encodable {
        let text: String
    }

    struct Location: Encodable {
        let physicalLocation: PhysicalLocation
    }

    struct PhysicalLocation: Encodable {
        let artifactLocation: ArtifactLocation
        let region: Region?
    }

    struct ArtifactLocation: Encodable {
        let uri: String
    }

    struct Region: Encodable {
        let startLine: Int
        let startColumn: Int?
    }

    enum CodingKeys: String, CodingKey {
        case schema = "$schema"
        case version, runs
    }

    let schema = "https://json.schemastore.org/sarif-2.1.0.json"
    let version = "2.1.0"
    let runs: [Run]

    init(_ diagnostics: [Diagnostic]) {
        let rules = Set(diagnostics.map(\.code)).sorted().map(Rule.init(id:))
        let results = diagnostics.map { diagnostic in
            let region =
                diagnostic.line > 0
                ? Region(startLine: diagnostic.line, startColumn: diagnostic.column > 0 ? diagnostic.column : nil) : nil
            let place = PhysicalLocation(
                artifactLocation: ArtifactLocation(uri: Self.escaped(diagnostic.file.description)), region: region)
            let text = diagnostic.message + (diagnostic.hint.map { " (\($0))" } ?? "")
            return Result(
                ruleId: diagnostic.code, level: diagnostic.severity.rawValue, message: Message(text: text),
                locations: [Location(physicalLocation: place)])
        }
        runs = [Run(tool: Tool(driver: Driver(name: "varve", rules: rules)), results: results)]
    }

    /// A path as a relative URI reference (RFC 3986, section 3.3).
    private static func escaped(_ path: String) -> String {
        let hex = Array("0123456789ABCDEF")
        return path.utf8.reduce(into: "") { result, byte in
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, scalar.properties.isAlphabetic || "0123456789-._~/".unicodeScalars.contains(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            }
        }
    }
}
