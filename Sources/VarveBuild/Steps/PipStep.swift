// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Installs Python requirements.
enum PipStep {
    /// The step of a content, in an image of the given USER.
    ///
    /// It starts as root, because only root can make `/opt/venv` and `/usr/local/src`, and goes on as USER.
    static func make(_ content: PipContent, user: String) -> Step {
        Step(
            user: .root,
            arguments: ["/bin/sh", Recipe.folder + "/step/pip.sh", user] + (content.python.map { [$0] } ?? []),
            files: [
                Step.text("step/pip.sh", program),
                Step.text("step/pip.py", installer),
                Step.text("step/requirements.txt", requirementsFile(content)),
                Step.text("step/constraints.txt", constraintsFile(content)),
            ],
            sources: content.localSources, cache: .owned("pip"), environment: ["PIP_ROOT_USER_ACTION": "ignore"]
        )
    }

    /// The requirements file of a content: options in order, then requirements, then what lies in the repository.
    static func requirementsFile(_ content: PipContent) -> String {
        let sources = content.localSources.map { line(of: $0, folder: "/usr/local/src") }
        return (content.options + content.requirements + sources).map { $0 + "\n" }.joined()
    }

    /// The constraints file of a content.
    static func constraintsFile(_ content: PipContent) -> String {
        content.constraints.map { $0 + "\n" }.joined()
    }

    /// How pip is asked for a folder or a wheel.
    static func line(of source: LocalSource, folder: String) -> String {
        let extras = source.extras.isEmpty ? "" : "[\(source.extras.joined(separator: ","))]"
        return (source.isEditable ? "-e " : "") + "\(folder)/\(source.name)\(extras)"
    }

    /// Sets `python` to the Python that is meant, empty where there is none.
    static let findPython = #"""
        python=
        for folder in "${NB_PYTHON_PREFIX:-}" "${CONDA_DIR:-}" "${MAMBA_ROOT_PREFIX:-}"; do
            if [ -n "$folder" ] && [ -x "$folder/bin/python" ]; then
                python=$folder/bin/python
                break
            fi
        done
        if [ -z "$python" ]; then
            conda=$(command -v conda || command -v mamba || true)
            if [ -n "$conda" ]; then
                python=$(dirname "$(dirname "$(readlink -f "$conda")")")/bin/python
                [ -x "$python" ] || python=
            fi
        fi
        [ -n "$python" ] || python=$(command -v python3 || true)

        """#

    /// Finds the python that is meant and hands over to it.
    static let program =
        #"""
        set -eu
        umask 022

        """# + findPython
            + #"""
            if [ -z "$python" ]; then
                echo "varve: the image has no python3; add python3 and python3-venv to the apt packages" >&2
                exit 1
            fi
            "$python" /run/varve/step/pip.py "$@" || exit $?
            """#

    /// Checks the version of python, makes the virtual environment where one is needed, lays out the source folders, and
    /// becomes pip as USER; with nothing to install it ends after the check.
    static let installer = #"""
        import os, shutil, subprocess, sys, sysconfig

        STEP, VENV, SOURCES = "/run/varve/step", "/opt/venv", "/usr/local/src"


        def fail(message):
            print("varve: " + message, file=sys.stderr, flush=True)
            sys.exit(1)


        def identity(spec):
            import grp, pwd

            user, _, group = spec.partition(":")
            try:
                entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
                uid, gid, name, home = entry.pw_uid, entry.pw_gid, entry.pw_name, entry.pw_dir
            except KeyError:
                if not user.isdigit():
                    fail("the image's USER '%s' is not in its /etc/passwd" % user)
                uid, gid, name, home = int(user), 0, None, "/"
            try:
                if group:
                    gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
            except KeyError:
                fail("the group of the image's USER, '%s', is not in its /etc/group" % group)
            groups = os.getgrouplist(name, gid) if name and not group else [gid]
            return uid, gid, groups, home


        def give(folder, uid, gid):
            for parent, folders, files in os.walk(folder):
                for name in [parent] + [os.path.join(parent, name) for name in folders + files]:
                    os.lchown(name, uid, gid)


        def environment(python):
            managed = sys.prefix == sys.base_prefix and os.path.exists(
                os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
            )
            try:
                import pip  # noqa: F401
            except ImportError:
                managed = True
            if not managed:
                return python
            if not os.path.exists(VENV + "/bin/python"):
                try:
                    import ensurepip, venv  # noqa: F401
                except ImportError:
                    fail("python3 is externally managed and has no venv module; add python3-venv to the apt packages")
                subprocess.run([python, "-m", "venv", VENV], check=True)
                give(VENV, uid, gid)
            return VENV + "/bin/python"


        if len(sys.argv) > 2:
            wanted, found = sys.argv[2], "%d.%d.%d" % sys.version_info[:3]
            matches = (found + ".").startswith(wanted + ".")
            if wanted.startswith("pypy"):
                # `pypy3.10-7.3.12`: the language's version, and PyPy's own where it is given.
                version, _, release = wanted[4:].partition("-")
                own = "%d.%d.%d." % getattr(sys, "pypy_version_info", (0, 0, 0))[:3]
                matches = hasattr(sys, "pypy_version_info") and (found + ".").startswith(version + ".")
                matches = matches and (not release or own.startswith(release + "."))
            if not matches:
                fail(
                    "runtime.txt asks for python %s, but the image has python %s; "
                    "choose a base that has python %s, or change runtime.txt" % (wanted, found, wanted)
                )
        if not os.path.getsize(STEP + "/requirements.txt"):
            sys.exit(0)
        uid, gid, groups, home = identity(sys.argv[1] or "0")
        python = environment(sys.executable)
        if os.path.isdir(STEP + "/src"):
            os.makedirs(SOURCES, exist_ok=True)
            for name in sorted(os.listdir(STEP + "/src")):
                source, target = os.path.join(STEP, "src", name), os.path.join(SOURCES, name)
                if os.path.isdir(target) and not os.path.islink(target):
                    shutil.rmtree(target)
                elif os.path.lexists(target):
                    os.remove(target)
                if os.path.isdir(source):
                    shutil.copytree(source, target, symlinks=True)
                    give(target, uid, gid)
                else:
                    shutil.copy2(source, target)
                    os.lchown(target, uid, gid)
        cache = "/run/varve/cache/%d" % uid
        os.makedirs(cache, exist_ok=True)
        if os.path.islink(cache):
            fail("the cache of this owner holds a link in the place of a folder; remove it")
        os.lchown(cache, uid, gid)
        if uid or gid:
            os.setgroups(groups)
            os.setgid(gid)
            os.setuid(uid)
        os.environ["HOME"] = home
        arguments = ["install", "--no-input", "--disable-pip-version-check", "--no-warn-script-location"]
        arguments += ["--cache-dir", cache, "-r", STEP + "/requirements.txt"]
        if os.path.getsize(STEP + "/constraints.txt"):
            arguments += ["-c", STEP + "/constraints.txt"]
        os.execv(python, [python, "-m", "pip"] + arguments)
        """#
}
