// SPDX-License-Identifier: Apache-2.0

import Testing
import VarveDefinition
import VarveModel
import VarveTestSupport

/// pip itself is asked whether it would install requirements with hashes, from packages in a folder.
@Suite("Hashes against pip")
struct PipHashTests {
    /// Prints for each requirements file whether pip refuses it; `A` and `B` in it stand for the hashes of the two packages.
    private static let program = """
        import hashlib, json, os, subprocess, sys, tempfile, zipfile

        def wheel(folder, name):
            path = os.path.join(folder, f"{name}-1-py3-none-any.whl")
            with zipfile.ZipFile(path, "w") as file:
                file.writestr(f"{name}.py", "")
                file.writestr(f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1\\n")
                file.writestr(f"{name}-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                file.writestr(f"{name}-1.dist-info/RECORD", "")
            with open(path, "rb") as file:
                return "sha256:" + hashlib.sha256(file.read()).hexdigest()

        with tempfile.TemporaryDirectory() as folder:
            hashes = {"A": wheel(folder, "aa"), "B": wheel(folder, "bb")}
            os.makedirs(os.path.join(folder, "p"))
            with open(os.path.join(folder, "p", "setup.py"), "w") as file:
                file.write("import setuptools; setuptools.setup(name='p')")
            result = []
            for text in json.load(sys.stdin):
                for name, value in hashes.items():
                    text = text.replace("=" + name, "=" + value)
                with open(os.path.join(folder, "requirements.txt"), "w") as file:
                    file.write(text)
                done = subprocess.run(
                    [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--find-links", folder, "--no-deps",
                     "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"],
                    cwd=folder, capture_output=True, text=True)
                result.append([done.returncode != 0, done.stderr])
            print(json.dumps([refused for refused, _ in result]))
        """

    private static let texts = [
        "aa\nbb\n", "aa==1 --hash=A\nbb==1 --hash=B\n", "aa==1 --hash=A\nbb==1\n", "aa\nbb==1 --hash=B\n",
        "aa --hash=A\n",
        "aa>=1 --hash=A\n", "aa===1 --hash=A\n", "aa==1.* --hash=A\n", "--require-hashes\naa==1\n",
        "--require-hashes\naa==1 --hash=A\n", "aa==1 --hash=A\n./p\n", "aa==1 --hash=A\n-e ./p\n",
        "aa==1 --hash=A\nbb ; os_name == 'nt'\n", "aa==1,>=1 --hash=A\n",
    ]

    @Test
    func whatPipRefusesIsAnError() throws {
        let verdicts = try Python.run(Self.program, input: Self.texts, as: [Bool].self)
        #expect(verdicts.count == Self.texts.count)
        for (text, isRefused) in zip(Self.texts, verdicts) {
            let digits = { (digit: String) in "=sha256:" + String(repeating: digit, count: 64) }
            let given = text.replacing("=A", with: digits("a")).replacing("=B", with: digits("b"))
            let tree = try MemorySourceTree(texts: [
                "i/image.yaml": "base: localhost/x\n", "i/requirements.txt": given, "i/p/setup.py": "",
            ])
            let fleet = try DefinitionReader(tree: tree, hostPlatform: Platform("linux/amd64")).readFleet()
            #expect(fleet.invalid.isEmpty != isRefused, "pip \(isRefused ? "refuses" : "takes") \(text)")
        }
    }
}
