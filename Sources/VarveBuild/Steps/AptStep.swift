// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Installs Debian packages.
enum AptStep {
    /// The step of a content: the packages are the program's arguments.
    static func make(_ content: AptContent) -> Step {
        Step(
            user: .root, arguments: ["/bin/sh", Recipe.folder + "/step/apt.sh"] + content.packages,
            files: [Step.text("step/apt.sh", program)], cache: .shared("apt"),
            environment: ["DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"]
        )
    }

    /// The program; lists, logs and downloads stand outside the layer from the start.
    ///
    /// A package of the cache is taken only when its
    /// SHA-256 is the one that the signed index names, since any base can have put it there.
    static let program = #"""
        set -eu
        umask 022
        scratch=/run/varve/scratch cache=/run/varve/cache
        mkdir -p "$scratch/lists/partial" "$scratch/archives/partial" "$scratch/log"
        if ! command -v apt-get >/dev/null; then
            echo "varve: the image has no apt-get; apt packages need a Debian or Ubuntu base" >&2
            exit 1
        fi
        apt() {
            apt-get -q -y -o Acquire::Languages=none -o Dir::State::lists="$scratch/lists" -o Dir::Cache="$scratch" \
                -o Dir::Cache::archives="$scratch/archives" -o Dir::Log="$scratch/log" \
                ${SSL_CERT_FILE:+-o Acquire::https::CaInfo="$SSL_CERT_FILE"} \
                -o APT::Update::Error-Mode=any -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
                -o DPkg::Options::=--log="$scratch/log/dpkg.log" "$@"
        }
        apt update
        apt -qq --print-uris --no-install-recommends install -- "$@" >"$scratch/uris"
        while read -r uri file size hash; do
            case "$file" in */*) continue ;; esac
            case "$hash" in SHA256:*) ;; *) continue ;; esac
            [ -f "$cache/$file" ] || continue
            cp "$cache/$file" "$scratch/archives/$file"
            if ! echo "${hash#SHA256:}  $scratch/archives/$file" | sha256sum -c --status; then
                rm -f "$scratch/archives/$file" "$cache/$file"
            fi
        done <"$scratch/uris"
        apt --no-install-recommends install -- "$@"
        for path in "$scratch"/archives/*.deb; do
            file=${path##*/}
            if [ -f "$path" ] && [ ! -e "$cache/$file" ]; then
                cp "$path" "$cache/.$file.$$" && mv "$cache/.$file.$$" "$cache/$file" || rm -f "$cache/.$file.$$"
            fi
        done
        rm -rf /var/log/apt /var/cache/ldconfig/aux-cache
        rm -f /var/log/dpkg.log /var/log/alternatives.log /var/log/bootstrap.log /var/log/fontconfig.log
        rm -f /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/dpkg/*-old
        """#
}
