# SPDX-License-Identifier: Apache-2.0
"""bench.py VARVE VARVE_BENCH [NAME...]: prints what varve costs, all of it or the named parts. It judges nothing."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

varve, bench = sys.argv[1], sys.argv[2]
here = Path(__file__).resolve().parent
programs = here.parent / "fixtures" / "programs"
images = int(os.environ.get("VARVE_BENCH_IMAGES", "10000"))
work = Path(tempfile.mkdtemp(prefix="varve-bench-"))
isolated = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


def timed(*command, allowed=(0,)):
    """Runs a command under time -v and returns its output, its seconds and its peak memory in MB."""
    report = work / "time"
    done = subprocess.run(
        ["/usr/bin/time", "--verbose", "--output", report, *map(str, command)],
        env=isolated, stdout=subprocess.PIPE, text=True,
    )
    if done.returncode not in allowed:
        sys.exit(f"{command} exited {done.returncode}")
    text = report.read_text()
    clock = re.search(r"Elapsed.*: ([\d:.]+)$", text, re.M)[1].split(":")
    seconds = sum(float(part) * 60**power for power, part in enumerate(reversed(clock)))
    peak = int(re.search(r"Maximum resident set size \(kbytes\): (\d+)", text)[1]) / 1024
    return done.stdout, seconds, peak


def plan():
    fleet = work / "fleet"
    subprocess.run([sys.executable, here / "fleet.py", fleet, str(images)], check=True)
    files = subprocess.run(["git", "ls-files"], cwd=fleet, stdout=subprocess.PIPE, text=True).stdout.count("\n")
    print(f"fleet: {images} images in {files} files")
    reads = [json.loads(timed(bench, "read-blobs", fleet)[0]) for _ in range(3)]
    read = min(entry["seconds"] for entry in reads)
    print(f"libgit2 alone, all blobs: {read:.2f} s ({reads[0]['blobs']} blobs, {reads[0]['bytes']} bytes)")
    options = ["--repo", fleet, "--state-dir", work / "state", "--format", "json"]
    runs = [timed(varve, "plan", *options, allowed=(0, 2)) for _ in range(3)]
    seconds, peak = min(run[1] for run in runs), max(run[2] for run in runs)
    planned = len(json.loads(runs[0][0])["images"])
    print(f"cold plan of {planned} images: {seconds:.2f} s, {seconds / read:.1f} x reading; peak {peak:.0f} MB")


def validate():
    """What `varve validate` takes as a whole process, on one definition and on a thousand."""
    for count in (1, 1000):
        fleet = work / f"validate-{count}"
        subprocess.run([sys.executable, here / "fleet.py", fleet, str(count)], check=True)
        seconds = min(timed(varve, "validate", "--repo", fleet, allowed=(0, 1))[1] for _ in range(5))
        print(f"validate of {count} definitions, the whole process: {seconds * 1000:.0f} ms")


def unchanged():
    fleet = work / "small"
    count = min(images, 300)
    subprocess.run([sys.executable, here / "fleet.py", fleet, str(count)], check=True)
    result = json.loads(timed(bench, "unchanged-pass", fleet, work / "unchanged")[0])
    print(
        f"pass over {count} images in which nothing changed, in a running process: "
        f"{result['median'] * 1000:.2f} ms median, {result['worst'] * 1000:.2f} ms worst of {result['passes']}"
    )


def loop():
    """Many passes of one running loop, each with a change: what the process holds must not grow with them."""
    count, passes = min(images, 1000), int(os.environ.get("VARVE_BENCH_PASSES", "500"))
    fleet = work / "loop"
    subprocess.run([sys.executable, here / "fleet.py", fleet, str(count)], check=True)
    process = subprocess.Popen(
        [bench, "loop", fleet, work / "loop-state"], env=isolated, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )
    figure, built, step = json.loads(process.stdout.readline()), 0, max(1, passes // 10)
    print(f"{passes} passes over {count} images; what the process holds after each tenth part of them:")
    bases = max(1, count // 10)
    for number in range(passes + 1):
        if number % step == 0:
            print(
                f"  {number} passes, {built} built: {figure['kilobytes']} kB, {figure['used']} kB of it in use, {figure['descriptors']} descriptors, "
                f"{figure['threads']} threads", flush=True,
            )
        if number == passes:
            break
        image = bases + number * 7919 % (count - bases)
        path = f"images/group-{image % 100:02d}/image-{image:05d}/postBuild"
        (fleet / path).write_text(f"#!/usr/bin/env bash\necho {image} in pass {number} >/srv/number\n")
        identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0"]
        subprocess.run(["git", *identity, "commit", "-qm", "Edit", path], cwd=fleet, check=True, env=isolated)
        process.stdin.write("\n")
        process.stdin.flush()
        figure = json.loads(process.stdout.readline())
        built += figure["built"]
    process.stdin.close()
    process.wait()


def layers():
    """One pass over a chain of images, one layer after another, with every tool's time noted."""
    log, shims = work / "calls", work / "shims"
    shims.mkdir()
    settings = f"log='{log}' timing=1\n"
    for tool in ("buildah", "skopeo"):
        settings += f"tools[{tool}]='{shutil.which(tool)}'\n"
        (shims / tool).symlink_to(programs / "tool-shim")
    (shims / "settings").write_text(settings)
    port = subprocess.run(
        [sys.executable, "-c", "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])"],
        stdout=subprocess.PIPE, text=True,
    ).stdout.strip()
    (work / "registry.yml").write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {work}/registry}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n"
    )
    registry = subprocess.Popen(["docker-registry", "serve", work / "registry.yml"], stderr=subprocess.DEVNULL)
    try:
        layout = subprocess.run(
            ["bash", programs / "test-base", "tiny"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        push = ["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"oci:{layout}:latest"]
        push.append(f"docker://127.0.0.1:{port}/tiny:latest")
        for _ in range(100):
            if subprocess.run(push, stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.1)
        repository = work / "chain"
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", repository], check=True, env=isolated)
        for number in range(10):
            folder = repository / "images" / f"i{number}"
            folder.mkdir(parents=True)
            base = f"i{number - 1}" if number else f"127.0.0.1:{port}/tiny:latest"
            (folder / "image.yaml").write_text(f"base: {base}\n")
            (folder / "postBuild").write_text(f"#!/bin/sh\necho {number} >/number\n")
        identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
        subprocess.run(["git", "add", "--all"], cwd=repository, check=True, env=isolated)
        subprocess.run(["git", *identity, "commit", "-qm", "Chain"], cwd=repository, check=True, env=isolated)
        start = time.monotonic()
        done = subprocess.run(
            [varve, "reconcile", "--repo", repository, "--state-dir", work / "layers", "--builders", "1",
             "--plain-http", f"127.0.0.1:{port}", "--format", "json"],
            env={**isolated, "PATH": f"{shims}:{os.environ['PATH']}"}, stdout=subprocess.PIPE, text=True,
        )
        total = time.monotonic() - start
        if done.returncode:
            sys.exit(done.stdout)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        built = sum(1 for event in events if event["event"] == "layer-finished" and event["action"] == "built")
        tools, names, starts = {}, {}, {}
        for line in log.read_text().splitlines():
            entry = json.loads(line)
            if "seconds" in entry:
                tools[names[entry["pid"]]] = tools.get(names[entry["pid"]], 0) + entry["seconds"]
            else:
                names[entry["pid"]] = entry["tool"]
        spent = sum(tools.values())
        parts = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in sorted(tools.items()))
        print(
            f"{built} layers, one after another: {total:.2f} s, of which {parts}; "
            f"varve's own {(total - spent) / built:.3f} s a layer"
        )
    finally:
        registry.terminate()
        registry.wait()


try:
    for measure in (plan, validate, unchanged, layers, loop):
        if not sys.argv[3:] or measure.__name__ in sys.argv[3:]:
            measure()
finally:
    for mount in sorted(
        (line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()), reverse=True
    ):
        if mount.startswith(f"{work}/"):
            subprocess.run(["umount", "--lazy", mount])
    subprocess.run(["rm", "-rf", "--one-file-system", str(work)])
