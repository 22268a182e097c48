# SPDX-License-Identifier: Apache-2.0
"""fleet.py FOLDER IMAGES: makes a Git repository with so many images in five times as many files, by git fast-import.

A tenth of the images stand on a bootstrapped base, the others on one of these; names and contents are a function of the
number alone.
"""

import os
import subprocess
import sys

folder, count = sys.argv[1], int(sys.argv[2])
subprocess.run(["git", "init", "--quiet", "--initial-branch=main", folder], check=True)
environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
importer = subprocess.Popen(
    ["git", "fast-import", "--quiet"], cwd=folder, env=environment, stdin=subprocess.PIPE
)
out = importer.stdin


def file(path, text):
    data = text.encode()
    out.write(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")


out.write(b"commit refs/heads/main\ncommitter Bench <bench@example.org> 1577836800 +0000\ndata 5\nFleet\n")
bases = max(1, count // 10)
for number in range(count):
    name = f"images/group-{number % 100:02d}/image-{number:05d}"
    if number < bases:
        base = "{bootstrap: {distribution: debian, suite: bookworm, packages: [ca-certificates, python3, python3-venv]}}"
    else:
        base = f"image-{number % bases:05d}"
    file(
        f"{name}/image.yaml",
        f"description: Image {number} of the benchmark\nowner: group/team-{number % 37}\nvisibility: org\n"
        f"base: {base}\nenv:\n  TZ: UTC\n  NUMBER: \"{number}\"\ntags: [stable]\n",
    )
    file(f"{name}/apt.txt", f"# Packages of image {number}\ngit\ngraphviz\nlibpq{number % 9}\njq\n")
    file(
        f"{name}/requirements.txt",
        f"numpy>=1.{number % 26}\npandas[excel]>=2,<3 ; python_version >= '3.9'\npolars~=0.{number % 20}\n"
        f"package-{number % 1000}==1.{number % 7}  # pinned\n",
    )
    file(f"{name}/postBuild", f"#!/usr/bin/env bash\nset -euo pipefail\necho {number} >/srv/number\n")
    file(f"{name}/verify", "#!/usr/bin/env bash\npython3 -c 'import numpy'\n")
out.write(b"\ndone\n")
out.close()
if importer.wait():
    sys.exit(importer.returncode)
subprocess.run(["git", "reset", "--quiet", "--hard"], cwd=folder, env=environment, check=True)
