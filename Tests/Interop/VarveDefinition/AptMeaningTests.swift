// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveModel

@testable import VarveBuild
@testable import VarveDefinition

/// Generated lists of packages: two spellings have one key exactly where apt would install the same for both.
@Suite("Meaning of package lists against apt")
struct AptMeaningTests {
    /// Prints for each pair of lists whether `apt-get install` would do the same for both, with an archive of its own.
    ///
    /// Lists are read as repo2docker reads them: up to `#`, words of a shell.
    private static let program = """
        import json, os, subprocess, sys, tempfile

        names, versions = \(GeneratedPackages.names), \(GeneratedPackages.versions)
        with tempfile.TemporaryDirectory() as root:
            def write(path, text):
                path = os.path.join(root, path)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w") as file:
                    file.write(text)

            for folder in ["etc/apt.conf.d", "etc/preferences.d", "etc/trusted.gpg.d", "state/lists/partial",
                           "cache/archives/partial", "log"]:
                os.makedirs(os.path.join(root, folder))
            write("status", "")
            sources = ""
            for suite, version in zip(["stable", "stable-backports"], versions):
                automatic = "NotAutomatic: yes\\n" if suite != "stable" else ""
                write(f"repo/{suite}/Release", f"Suite: {suite}\\nCodename: {suite}\\n{automatic}")
                write(f"repo/{suite}/Packages", "".join(
                    f"Package: {name}\\nArchitecture: {architecture}\\nVersion: {version}\\nMulti-Arch: same\\n"
                    f"Filename: {name}.deb\\nSize: 1\\n\\n"
                    for name in names for architecture in ["amd64", "i386"]))
                sources += f"deb [trusted=yes] file:{root}/repo/{suite} ./\\n"
            write("etc/sources.list", sources)
            write("apt.conf", "".join(f'{key} "{value}";\\n' for key, value in {
                "Dir": root, "Dir::State": root + "/state", "Dir::State::status": root + "/status",
                "Dir::Cache": root + "/cache", "Dir::Etc": root + "/etc", "Dir::Log": root + "/log",
                "APT::Architecture": "amd64", "APT::Architectures::": "i386", "APT::Sandbox::User": "root",
                "Debug::NoLocking": "true"}.items()))
            environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "APT_CONFIG": os.path.join(root, "apt.conf")}

            def apt(*words):
                return subprocess.run(["apt-get", *words], env=environment, capture_output=True, text=True)

            update = apt("update")
            assert update.returncode == 0, update.stderr

            def meaning(files):
                lines = files["apt.txt"].removeprefix("\\ufeff").splitlines()
                words = [word for line in lines for word in line.partition("#")[0].split()]
                answer = apt("-s", "--no-install-recommends", "install", *words)
                if answer.returncode != 0:
                    return None
                return frozenset(line for line in answer.stdout.splitlines() if line.startswith("Inst "))

            def is_same(one, other):
                one, other = meaning(one), meaning(other)
                assert one, "the archive lacks a package"
                return one == other

            print(json.dumps([is_same(a, b) for a, b in json.load(sys.stdin)]))
        """

    private let meaning = Meaning<GeneratedPackages, AptContent>(
        program: program, content: \.apt, layer: LayerContent.apt, rendered: rendered)

    /// The arguments of the step, as one list.
    private static func rendered(_ content: AptContent) -> [String: String] {
        ["apt.txt": AptStep.make(content).arguments.dropFirst(2).joined(separator: "\n")]
    }

    @Test
    func spellingsThatAptReadsAlikeHaveOneKey() throws { try meaning.checkSpellings(100, seed: 21) }

    @Test
    func whatAptWouldInstallOtherwiseHasAnotherKey() throws { try meaning.checkEdits(150, seed: 22, different: 150) }

    @Test
    func whatAptIsGivenMeansWhatWasHashed() throws { try meaning.checkRendering(60, seed: 23) }

    /// The same for each folder of the corpus that has a list.
    @Test(.corpus)
    func whatAptIsGivenForTheCorpusMeansWhatWasHashed() throws {
        let fleet = try DefinitionReader(tree: try Corpus.tree(), hostPlatform: Platform("linux/amd64")).readFleet()
        let lists = fleet.images.compactMap(\.build.apt)
        #expect(lists.count > 30)
        for content in lists { #expect(try meaning.read(Self.rendered(content)) == content) }
    }
}
