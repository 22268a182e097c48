// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Checks scripts for what would make them fail before their first command.
struct ScriptCheck {
    let findings: Findings

    /// A script from its bytes; nil where it holds nothing but blanks, and so does nothing.
    func script(_ bytes: [UInt8], named name: String, at start: Place) -> Script? {
        guard bytes.contains(where: { !($0 == 0x20 || (0x09...0x0D).contains($0)) }) else { return nil }
        let script = Script(bytes: bytes)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            findings.report(
                .scriptEncoding, at: start, "'\(name)' begins with a byte-order mark, which hides its shebang",
                hint: "save it as UTF-8 without a mark"
            )
        } else if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            findings.report(.scriptEncoding, at: start, "'\(name)' is UTF-16", hint: "save it as UTF-8 without a mark")
        } else if name != DefinitionNames.installR {
            // R takes both kinds of line end, and reads no shebang.
            checkLineEnds(script, named: name, at: start)
        }
        return script
    }

    /// Reports a shebang that names no interpreter, and line ends that a shell takes as part of each command.
    ///
    /// Other interpreters, such as Python, read both kinds of line end.
    private func checkLineEnds(_ script: Script, named name: String, at start: Place) {
        let hint = "save it with Unix line ends"
        if script.hasShebang, script.bytes.prefix(while: { $0 != 0x0A }).contains(0x0D) {
            findings.report(
                .scriptLineEnds, at: start,
                "the shebang of '\(name)' ends in a carriage return, so it names no interpreter",
                hint: hint
            )
        } else if Self.isOfAShell(script),
            let index = script.bytes.indices.first(where: {
                script.bytes[$0] == 0x0D && script.bytes.dropFirst($0 + 1).first == 0x0A
            })
        {
            let line = script.bytes[..<index].count { $0 == 0x0A }
            findings.report(
                .scriptLineEnds, at: Place(file: start.file, line: start.line + line, column: start.column),
                "'\(name)' has Windows line ends, which a shell takes as part of each command", hint: hint
            )
        }
    }

    /// Whether a shell runs the script: one without a shebang is bash's.
    private static func isOfAShell(_ script: Script) -> Bool {
        guard script.hasShebang else { return true }
        let first = String(decoding: script.bytes.dropFirst(2).prefix { $0 != 0x0A }, as: UTF8.self)
        return first.split { " /\t\r".contains($0) }
            .contains { ["sh", "bash", "dash", "ash", "zsh", "ksh"].contains($0) }
    }

    /// Reports a `start` script whose last command does not replace the shell by the image's command.
    ///
    /// Scripts for another interpreter than a shell are taken as they are.
    func checkStart(_ script: Script, at start: Place) {
        let text = String(decoding: script.bytes, as: UTF8.self)
        let lines = SourceLine.lines(of: text, from: Place(file: start.file, line: start.line, column: start.column))
        guard Self.isOfAShell(script) else { return }
        var last = ""
        var place = start
        var isContinued = false
        for line in lines {
            let command = line.text.trimmed
            if command.isEmpty || command.hasPrefix("#") { continue }
            if isContinued { last += " " + command } else { (last, place) = (command, line.place) }
            isContinued = command.hasSuffix("\\")
            if isContinued { last.removeLast() }
        }
        let words = last.split { $0 == " " || $0 == "\t" }
        let passes = ["\"$@\"", "\"${@}\"", "${1+\"$@\"}"].contains { word in
            words.contains { $0 == word || $0 == word + ";" }
        }
        guard words.first == "exec", passes else {
            findings.report(
                .startWithoutExec, at: place, "the last command of 'start' is \(quoted(last)); expected exec \"$@\"",
                hint: "end the script with exec \"$@\""
            )
            return
        }
    }
}

extension Script {
    /// The script with a shebang: the kernel starts the entrypoint of an image itself, and takes no script without one.
    var runnable: Script { hasShebang ? self : Script(bytes: Array("#!/usr/bin/env bash\n".utf8) + bytes) }
}
