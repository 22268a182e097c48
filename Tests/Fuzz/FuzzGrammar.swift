// SPDX-License-Identifier: Apache-2.0

/// What a fuzzer makes inputs of: whole seeds, and the words of a grammar.
struct FuzzGrammar: Sendable {
    /// What reads the input.
    enum Target: Sendable {
        /// The readers of one definition, as this file; `beside` are the files that stand with it.
        case definition(file: String, beside: [String: String] = [:])
        /// The reader of `varve.yaml`, at the root of a repository with images.
        case fleet
        /// The import of a recipe of Saturn Cloud.
        case recipe
        /// The reader of the daemon's configuration.
        case settings
        /// The values that are made of one text.
        case value
    }

    /// What reads the input.
    var target: Target
    var seeds: [String]
    var words: [String]

    /// Bytes at which readers turn.
    static let alphabet: [UInt8] =
        Array("aZ09 \t\r\n#\\\"'`$(){}[]<>=!~^|&;:,.*+-_/@%?".utf8) + [
            0, 0x1B, 0x7F, 0x80, 0xC3, 0xE2, 0xEF, 0xFE, 0xFF,
        ]

    static let all = [
        image, yaml, conda, apt, pip, pip, script, value, containerfile, installR, runtime, condarc, lock, explicit,
        fleet,
        recipe, settings,
    ]

    static let image = FuzzGrammar(
        target: .definition(file: "image.yaml"),
        seeds: [
            "base: localhost/x\nbuild:\n  apt: [git, vim=1]\n  pip: |\n    numpy==1.0; python_version<'3'\n"
                + "env: {A: \"b\"}\ninputs: ['*.t[x]t', '**']\n",
            "name: a\nbase: {bootstrap: {distribution: debian, suite: bookworm, packages: [git]}}\nowner: group/a\n",
            "base: localhost/x\nbuild:\n  conda:\n    channels: [c]\n    dependencies: [a=1, {pip: [p]}]\n  postBuild: 'x'\n"
                + "start: |\n  exec \"$@\"\nverify: 'true'\ntags: [a, b]\nplatforms: [linux/amd64]\nsuspend: true\n",
        ],
        words: [
            "base:", " localhost/x", "\n", "  ", "- ", "build:", "apt:", "pip:", "conda:", "postBuild:", "env:",
            "inputs:",
            "'**'", "[", "]", "{", "}", ", ", ": ", "|\n", ">-\n", "&a ", "*a", "!!str ", "? ", "---\n", "...\n",
            "# c\n",
            "\"\\x41\"", "''", "~", "null", "true", "1e3", "<<: ", "%YAML 1.2\n", "name:", " a", "\t", "\u{FEFF}",
            "\u{85}",
        ])

    private static let yaml = FuzzGrammar(
        target: .definition(file: "environment.yml"), seeds: conda.seeds, words: image.words)

    private static let conda = FuzzGrammar(
        target: .definition(file: "environment.yml"),
        seeds: [
            "channels: [a, b]\ndependencies:\n  - numpy=1.26=py_0\n  - c/d::x[version='>=1,<2|3',build=*]\n  - pip\n",
            "name: x\nchannels:\n- conda-forge\ndependencies:\n- python=3.10 # [linux]\n- 'a >=1.0,!=1.5.*'\n- b[all]\n"
                + "- pip:\n  - -r c.txt\n  - x[a,b]~=1.0\nvariables: {A: b}\nprefix: /x\n",
            "dependencies: [a ~=1.2, 'b 1|2', c==1!2.0+l_3, 'd * *mkl*', \"e[md5=aa]\"]\n",
        ],
        words: [
            "dependencies:\n", "- ", "numpy", "a", "B_c", "=", "==", ">=", "!=", "~=", "<", "1", ".2", ".*", "*", "|",
            ",",
            " ", "\n", "(", ")", "[", "]", "version=", "build=", "'", "\"", "::", "c", "/", "1.0rc1", "!", "+", "_",
            "-",
            "01.0", ".0", "pip:\n", "  ", "# x", "channels: [c]\n", "https://x.org/a.conda", "$", "^", "@EXPLICIT",
        ])

    private static let apt = FuzzGrammar(
        target: .definition(file: "apt.txt"), seeds: ["git vim=1:2.3-4~5 g++/c lib:amd64 # x\n", "a1\nb2 c3\r\n# é\n"],
        words: [
            "git", "g++", "vim", "=", "1:2", "~", "-", "+", "^", "*", "?", ":amd64", "/c", " ", "\n", "#", "$(x)",
            "\r\n", "é",
        ])

    private static let pip = FuzzGrammar(
        target: .definition(file: "requirements.txt"),
        seeds: [
            "-i https://a.b/c\nx[a]>=1.0a1 ; (os_name == 'a' or extra in 'b') \\\n  --hash=sha256:ab\n-e ./p[x]\n-c c.txt\n",
            "git+https://a.b/c@d#egg=e ; os_name=='x'\nname @ https://a.b/x.whl\n--pre\n--no-binary :all:\n",
            "numpy==1.26.0 # why\nA.b_c~=1.4.2\nx===y,>=1!2.0.post1.dev2\nz!=1.*;python_version<'3.12'and os_name!='nt'\n",
            "-r c.txt\nx==1.0+local.1 --config-settings=\"a b\" --global-option='c'\n./p\n",
        ],
        words: [
            "numpy", "a", "B.c_d", "[", "]", ",", "x", "==", "===", "~=", ">=", "<", "!=", "1", ".0", ".*", "a1", "rc2",
            ".post3",
            ".dev4", "+l", "1!", " ", "; ", "python_version", "os.name", "extra", " in ", " not in ", "'3'", "\"x\"",
            "(", ")",
            " and ", " or ", "\n", "\\\n", " # c", "-e ", "-r ", "-c ", "c.txt", "link", "inner", "../..",
            "/etc/passwd", "./p",
            "-i ",
            "https://a.b/c", "https://u:p@a.b", " @ ", "git+https://a.b/c", " --hash=sha256:ab", "${X}", "--pre\n",
            "file:",
            "'", "\\", "\r\n",
        ])

    static let script = FuzzGrammar(
        target: .definition(file: "start"),
        seeds: ["#!/bin/bash\r\nexec \"$@\" \\\n# x\n", "exec \"$@\"\n", "cat <<E\nexec\nE\n"],
        words: ["#!", "/bin/sh", "exec ", "\"$@\"", "\n", "\r\n", "\u{FEFF}", "<<E", "#", "\\", "$@", "'"])

    private static let value = FuzzGrammar(
        target: .value,
        seeds: [
            "docker.io/library/debian:bookworm@sha256:"
                + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "localhost:5000/a/b_c:1.0", "[::1]:5000/x", "linux/arm64/v8", "a/b.c/d", "2026-11-23T11:05:08Z",
            "images/../x",
            "{\"version\":1,\"id\":\"a\",\"image\":\"b\",\"folder\":\"i\",\"status\":\"built\",\"layers\":[],\"seconds\":1}",
        ],
        words: [
            "a", "B", "/", ":", "@", ".", "..", "-", "__", "sha256:", "0", "localhost", "5000", "[", "]", "::1",
            "linux", "/amd64",
            "2026-02-29T24:00:60Z", " ", "\n", "é", "\u{0}", "{\"version\":", "1e999", "}", "[[", "\\",
        ])
}
