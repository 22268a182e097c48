// SPDX-License-Identifier: Apache-2.0

/// Registers the languages of an image as kernels of Jupyter.
enum KernelStep {
    /// The step; which languages there are follows from the image.
    static func make() -> Step {
        Step(
            user: .root, arguments: ["/bin/sh", Recipe.folder + "/step/kernel.sh"],
            files: [Step.text("step/kernel.sh", program), Step.text("step/profile.R", "")],
            cache: .ownStep, environment: RStep.environment
        )
    }

    /// Python's kernel goes below the prefix of the Python that has ipykernel, R's to all users.
    ///
    /// The virtual environment comes first: where there is one, the pip layer made it, because it may not change the
    /// Python that it found.
    static let program =
        #"""
        set -eu
        umask 022
        registered=

        """# + PipStep.findPython
            + #"""
            for candidate in /opt/venv/bin/python "$python"; do
                if [ -x "$candidate" ] && "$candidate" -c 'import ipykernel' 2>/dev/null; then
                    "$candidate" -m ipykernel install --sys-prefix || exit $?
                    registered=yes
                    break
                fi
            done
            PATH=/opt/venv/bin:${python:+$(dirname "$python"):}$PATH
            export PATH

            """# + RStep.findR
            + #"""
            if [ -n "$rscript" ] && "$rscript" -e 'if (!nzchar(system.file(package = "IRkernel"))) quit(status = 1)'; then
                if ! command -v jupyter >/dev/null; then
                    echo "varve: IRkernel needs the program jupyter to register; add jupyter-client to pip" >&2
                    exit 1
                fi
                "$rscript" -e 'IRkernel::installspec(user = FALSE)' || exit $?
                registered=yes
            fi
            if [ -z "$registered" ]; then
                echo "varve: the image has neither ipykernel for Python nor IRkernel for R" >&2
                exit 1
            fi
            """#
}
