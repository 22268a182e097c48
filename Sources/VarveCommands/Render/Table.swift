// SPDX-License-Identifier: Apache-2.0

/// Rows of text in columns that are as wide as their widest cell.
///
/// On a terminal the columns are aligned by blanks; in a pipe they are separated by one tab and have no header, so that
/// `cut` and `awk` read them.
struct Table {
    let header: [String]
    private(set) var rows: [[String]] = []

    init(_ header: String...) { self.header = header }

    mutating func add(_ cells: String...) { rows.append(cells) }

    /// The lines of the table.
    func lines(aligned: Bool) -> [String] {
        guard aligned else { return rows.map { $0.joined(separator: "\t") } }
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = row.enumerated().map { column, cell in
                column == row.count - 1
                    ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
            return trimmed(cells.joined(separator: "  "))
        }
    }

    private func trimmed(_ line: String) -> String {
        var line = line[...]
        while line.last == " " { line.removeLast() }
        return String(line)
    }

    /// Prints the table; nothing where it has no rows.
    func print() {
        guard !rows.isEmpty else { return }
        for line in lines(aligned: Output.isTerminal) { Output.line(line) }
    }
}
