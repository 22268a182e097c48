// SPDX-License-Identifier: Apache-2.0

extension FuzzGrammar {
    static let containerfile = FuzzGrammar(
        target: .definition(
            file: "Containerfile", beside: ["image.yaml": "base: {containerfile: Containerfile}", "run.sh": "x"]),
        seeds: [
            "ARG V=12\nFROM docker.io/library/debian:$V AS a\nRUN apt-get update && \\\n    # why\n  apt-get install -y git\n"
                + "FROM localhost/x\nCOPY --from=a --chown=1:1 /a /b\nCOPY run.sh /\nENTRYPOINT [\"/run.sh\"]\n",
            "# escape=\\\n# check=skip=all\nfrom a.io/b@sha256:"
                + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\nADD [\"run.sh\", \"/x y\"]\nENV A=\"b c\" D=e\n"
                + "USER 1000\nWORKDIR /x\nEXPOSE 80\nHEALTHCHECK CMD true\n",
        ],
        words: [
            "FROM ", "localhost/x", "docker.io/a:1", " AS ", "a", "scratch", "\n", "RUN ", "COPY ", "ADD ", "--from=",
            "--chown=1", "--mount=type=secret", "ARG ", "V=1", "$V", "${V}", "${V:-x}", "\\\n", "# c\n", "# syntax=x\n",
            "# escape=`\n", "ONBUILD ", "<<E\n", "E\n", "[\"a\", \"b\"]", "run.sh", "../x", "https://a.b/c", "git@a:b",
            " / ",
            "\t", "\u{A0}", "\"", "'", "$", "`", "ENV A=b\n", "CMD x\n", "\r\n", "\u{FEFF}", "sha256:", "@",
        ])

    static let installR = FuzzGrammar(
        target: .definition(file: "install.R"),
        seeds: ["install.packages('a')\n# é\n", "options(repos = c(x = \"y\"))\r\n", "#!/usr/bin/env Rscript\n1\n"],
        words: script.words + ["install.packages(", ")", "c(", "\u{0}", "é"])

    static let runtime = FuzzGrammar(
        target: .definition(file: "runtime.txt"),
        seeds: [
            "python-3.10\n", " r-4.3.2-2024-02-29\r\n", "python-pypy3.10-7.3.12", "oci-image: a.b/c\n",
            "r-2024-01-10\n",
        ],
        words: [
            "python", "r", "-", "3", ".", "10", "2024", "02", "29", "pypy", "oci-image:", "\n", " ", "\t", "0000", "é",
        ])

    static let condarc = FuzzGrammar(
        target: .definition(
            file: ".condarc", beside: ["environment.yml": "{channels: [c], dependencies: [a=1], variables: {A: b}}"]),
        seeds: ["channel_priority: strict\n", "channels: [a]\nchannel_priority: True\nssl_verify: false\n"],
        words: image.words + ["channel_priority: ", "strict", "flexible", "disabled", "yes", "off", "channels: "])

    private static let package =
        "- {name: a, version: '1', manager: conda, platform: linux-64, url: 'https://x.org/linux-64/a-1-0.conda', "
        + "hash: {md5: 0123456789abcdef0123456789abcdef}, dependencies: {b: '>=1'}, category: main, optional: false}\n"

    static let lock = FuzzGrammar(
        target: .definition(file: "conda-lock.yml"),
        seeds: [
            "version: 1\nmetadata: {platforms: [linux-64]}\npackage:\n" + package,
            "version: 1\npackage:\n" + package
                + package.replacing("name: a", with: "name: b").replacing("b: ", with: "a: ")
                + package.replacing("linux-64", with: "osx-arm64"),
            "version: 1\npackage:\n" + package
                + "- {name: x, manager: pip, platform: linux-64, url: 'https://x.org/x.whl', hash: {sha256: "
                + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}}\n",
        ],
        words: image.words + [
            package, "version: 1\n", "package:\n", "manager: pip", "manager: conda", "url: ",
            "https://x.org/noarch/a-1-0.conda",
            "platform: linux-64", "hash: {sha256: 00}", "category: dev", "optional: true", "dependencies: {a: b}",
            "name: b",
            "https://u:p@x.org/linux-64/a-1-0.conda", "git+https://x.org/a@b",
        ])

    static let explicit = FuzzGrammar(
        target: .definition(file: "conda-linux-64.lock"),
        seeds: [
            "# platform: linux-64\n@EXPLICIT\nhttps://x.org/c/linux-64/a-1-0.conda#0123456789abcdef0123456789abcdef\n"
                + "https://x.org/noarch/b-1-0.tar.bz2\n",
            "@EXPLICIT\nfile:///c/noarch/a-1-0.conda#sha256:"
                + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF\n",
        ],
        words: [
            "@EXPLICIT\n", "https://", "x.org", "/noarch", "/linux-64", "/a-1-0", ".conda", ".tar.bz2", "#", "sha256:",
            "0123456789abcdef", "%2e", "..", "?", "&", "u:p@", "file://", "\n", "\r\n", " ", "$", "~",
        ])

    static let fleet = FuzzGrammar(
        target: .fleet,
        seeds: [
            "groups: {a: [ann, bob@x.org], b: }\ndefaults:\n  base: localhost/z\n  env: {TZ: UTC}\n  build: {apt: [git]}\n"
                + "definitions: [images/*, teams/**/]\npolicy: {bases: [localhost/*], maximumSize: 4GB, requireOwner: true}\n",
            "defaults:\n  build:\n    pip: |\n      six  # why\n      -r lib/x.txt\n    cranMirror: https://a.b/\n    postBuild: 'x'\n"
                + "  start: |\n    exec \"$@\"\n  owner: group/a\n  hardware: gpu\n  platforms: [linux/arm64]\n  suspend: true\n",
            "definitions: [images]\npolicy: {bases: ['docker.io/**', 'localhost/[xy]:*'], maximumSize: 1.5 MiB}\n",
        ],
        words: image.words + [
            "groups:\n", "defaults:\n", "definitions: ", "policy:\n", "bases: ", "maximumSize: ", "requireOwner: ",
            "4GB", "0.5",
            "1e9", "images", "/*", "**", "[a-", "..", "group/a", "a: [ann]\n", "localhost/*", "registry: x\n",
            "  env: {A: c}\n",
            "  tags: [x]\n", "  name: x\n",
        ])

    static let recipe = FuzzGrammar(
        target: .recipe,
        seeds: [
            "{\"name\": \"My Image\", \"description\": \"\\ud83d\\ude00\", \"owner\": \"group/a\", \"visibility\": \"org\", "
                + "\"hardware_type\": \"gpu\", \"supports\": [\"dask\"], \"schema_version\": \"2022.08.01\", \"versions\": "
                + "[{\"name\": \"1\", \"archived\": true, \"image_uri\": \"a.io/b:c\"}, {\"name\": \"2\", \"image_uri\": "
                + "\"ubuntu:22.04\"}, {\"name\": \"3\", \"build_data\": {\"base_image_uri\": \"saturncloud/saturn-python\", "
                + "\"apt_packages\": \"git\", \"pip_requirements\": \"six\\n\", \"conda_environment\": "
                + "\"dependencies: [a]\", \"post_build\": \"x\\r\\ny\", \"use_mamba\": false}}]}",
            "name: a\nhardware_type: cpu\nschema_version: 2022.08.01\nversions:\n- name: v1\n  image_uri: localhost/x\n- name: v2\n"
                + "  description: b\n  build_data: {base_image_uri: 'quay.io/x/y:1', post_build: |\n    x\n  }\n",
            "name: taken\nversions:\n- {name: '1', build_data: {base_image_uri: x}}\n- {name: '1', image_uri: y}\n"
                + "- {name: '1', image_uri: z}\n",
        ],
        words: image.words + [
            "name: a\n", "versions:\n", "- ", "image_uri: ", "build_data: ", "base_image_uri: ", "a.io/b", "ubuntu",
            "archived: ",
            "u:p@a.io/b", "https://a.io/b", "\"\\ud83d", "\\ude00", "\\u0000", "\"", "post_build: ",
            "hardware_type: gpu\n",
            "owner: ", "a/b", "supports: ", "use_mamba: false\n", "NAME", "a_b", "--", "schema_version: 1\n",
        ])

    static let settings = FuzzGrammar(
        target: .settings,
        seeds: [
            "repositories:\n- {repo: /srv/a, branch: main}\n- repo: https://a.b/c.git\n  registry: a.io/x\nregistry: oci:/x\n"
                + "plainHTTP: ['localhost:5000']\nisolation: oci\nbuilders: 4\nlayerTimeout: 2h\ninterval: 90s\n"
                + "baseInterval: 15m\nstateDir: /var/lib/varve\n",
            "repositories: [{repo: x}]\n",
        ],
        words: image.words + [
            "repositories:\n", "- repo: x\n", "  branch: y\n", "builders: ", "9223372036854775807",
            "9223372036854775808", "-1",
            "0", "interval: ", "1000h", "1001h", "s", "m", "h", "٣s", "isolation: ", "chroot", "plainHTTP: ",
            "registry: ",
            "oci:", "stateDir: ", "baseInterval: ", "layerTimeout: ",
        ])
}
