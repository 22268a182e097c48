// SPDX-License-Identifier: Apache-2.0

import VarveModel

/// Installs R packages and runs `install.R`.
///
/// All of it runs as root and into R's site library, where every user of the image finds the packages.
enum RStep {
    /// The step of packages from CRAN.
    static func make(_ content: CranContent) -> Step { install("cran", content.packages, from: content.repository) }

    /// The step of packages from Bioconductor; an empty release is the one that fits the image's R.
    static func make(_ content: BioconductorContent) -> Step {
        install("bioconductor", content.packages, from: content.repository, release: content.version ?? "")
    }

    /// The step of packages from Git hosts.
    static func make(_ content: RemotesContent) -> Step {
        install("remotes", content.packages, from: content.repository)
    }

    /// The step of a script, which stands alone in the working directory.
    static func make(_ content: InstallRContent) -> Step {
        let folder = Recipe.folder + "/build"
        var step = step([folder + "/install.R"], from: content.repository)
        step.files.append(Step.File(path: "build/install.R", content: .bytes(content.script.bytes)))
        step.workingDirectory = folder
        return step
    }

    private static func install(
        _ kind: String, _ packages: [String], from repository: String, release: String = ""
    ) -> Step {
        var step = step([Recipe.folder + "/step/install.R", kind, release], from: repository)
        step.files += [
            Step.text("step/install.R", installer),
            Step.text("step/packages.txt", packages.map { $0 + "\n" }.joined()),
        ]
        return step
    }

    private static func step(_ arguments: [String], from repository: String) -> Step {
        Step(
            user: .root, arguments: ["/bin/sh", Recipe.folder + "/step/r.sh"] + arguments,
            files: [
                Step.text("step/r.sh", program), Step.text("step/profile.R", profile + "\n"),
                Step.text("step/seal.R", seal), Step.text("step/mirror.txt", repository + "\n"),
            ],
            cache: .ownStep, environment: environment
        )
    }

    /// Keeps R from the files of a home, and what packages leave in one out of the layer.
    static let environment = [
        "HOME": Recipe.folder + "/scratch", "R_PROFILE_USER": Recipe.folder + "/step/profile.R",
        "R_ENVIRON_USER": Recipe.folder + "/step/none", "R_LIBS_USER": Recipe.folder + "/scratch/none",
    ]

    /// Sets `rscript` to the R that is meant, empty where there is none.
    static let findR = #"""
        rscript=
        for folder in "${NB_PYTHON_PREFIX:-}" "${CONDA_DIR:-}" "${MAMBA_ROOT_PREFIX:-}"; do
            if [ -n "$folder" ] && [ -x "$folder/bin/Rscript" ]; then
                rscript=$folder/bin/Rscript
                break
            fi
        done
        [ -n "$rscript" ] || rscript=$(command -v Rscript || true)

        """#

    /// Runs a program of R and then takes the time of the build out of what it installed.
    static let program =
        #"""
        set -eu
        umask 022

        """# + findR
            + #"""
            if [ -z "$rscript" ]; then
                echo "varve: the image has no Rscript; add r-base-core to the apt packages" >&2
                exit 1
            fi
            : >/run/varve/scratch/start
            "$rscript" "$@" || exit $?
            "$rscript" /run/varve/step/seal.R || exit $?
            """#

    /// What R reads first: the mirror.
    ///
    /// R ignores the last line of a profile where no line feed ends it.
    static let profile = #"""
        options(repos = c(CRAN = readLines("/run/varve/step/mirror.txt", n = 1L)))
        """#

    /// Installs the packages of the list, and fails where one of them is not there then.
    static let installer = #"""
        arguments <- commandArgs(trailingOnly = TRUE)
        kind <- arguments[1L]
        mirror <- getOption("repos")[["CRAN"]]
        folder <- if (length(.Library.site)) .Library.site[1L] else .libPaths()[1L]
        dir.create(folder, showWarnings = FALSE, recursive = TRUE)
        .libPaths(c(folder, .libPaths()))
        options(warn = 1, timeout = max(600, getOption("timeout")))
        said <- character()

        fail <- function(...) {
            # What is not there because of the network is not the definition's fault.
            network <- grep("cannot open URL|unable to access index|Timeout was reached|Timeout of", said, value = TRUE)
            if (length(network) && !any(grepl("status was '404", network))) {
                message(gsub("\n", " ", network[length(network)]))
            } else {
                message("varve: ", ...)
            }
            quit(save = "no", status = 1L)
        }
        watched <- function(code) {
            withCallingHandlers(
                tryCatch(code, error = function(problem) {
                    said <<- c(said, conditionMessage(problem))
                    message("Error: ", conditionMessage(problem))
                }),
                warning = function(problem) said <<- c(said, conditionMessage(problem))
            )
        }
        version_of <- function(name) tryCatch(packageVersion(name), error = function(problem) NULL)
        tool <- function(name) {
            if (is.null(version_of(name))) watched(install.packages(name, lib = folder, INSTALL_opts = stamp))
            if (is.null(version_of(name))) fail("the R package '", name, "' is needed, and ", mirror, " did not give it")
        }
        check <- function(names, versions, origin) {
            for (i in seq_along(names)) {
                found <- version_of(names[i])
                if (is.null(found)) {
                    fail("the R package '", names[i], "' is not installed; ", origin, " did not give it for this R")
                }
                if (!is.na(versions[i]) && found != package_version(versions[i])) {
                    fail("the R package '", names[i], "' is installed as ", format(found), " and not as ", versions[i])
                }
            }
        }

        epoch <- as.POSIXct(as.numeric(Sys.getenv("SOURCE_DATE_EPOCH")), origin = "1970-01-01", tz = "UTC")
        stamp <- paste0("--built-timestamp=", format(epoch, "%Y-%m-%d"))
        lines <- readLines("/run/varve/step/packages.txt")
        if (kind == "cran") {
            names <- sub("@.*", "", lines)
            versions <- ifelse(grepl("@", lines, fixed = TRUE), sub(".*@", "", lines), NA)
            pinned <- which(!is.na(versions))
            if (length(pinned)) tool("remotes")
            for (i in pinned) {
                watched(remotes::install_version(
                    names[i], versions[i], upgrade = "never", lib = folder, INSTALL_opts = stamp
                ))
            }
            if (any(is.na(versions))) {
                watched(install.packages(names[is.na(versions)], lib = folder, INSTALL_opts = stamp))
            }
            check(names, versions, mirror)
        } else if (kind == "bioconductor") {
            tool("BiocManager")
            release <- if (nzchar(arguments[2L])) arguments[2L] else BiocManager::version()
            watched(BiocManager::install(
                lines, version = release, lib = folder, update = FALSE, ask = FALSE, INSTALL_opts = stamp
            ))
            check(lines, rep(NA, length(lines)), "Bioconductor")
        } else {
            tool("remotes")
            for (line in lines) {
                install <- if (startsWith(line, "gitlab::")) remotes::install_gitlab else remotes::install_github
                name <- watched(install(
                    sub("^gitlab::", "", line), upgrade = "never", build = FALSE, lib = folder, INSTALL_opts = stamp
                ))
                if (!is.character(name)) {
                    # The error stands in the output, where its class is read.
                    quit(save = "no", status = 1L)
                }
                check(name, rep(NA, length(name)), line)
            }
        }
        """#

    /// Sets the time of the build in what R says of each package of this layer to the time that everything bears, and
    /// the random name of the folder in which R unpacked it to a constant one.
    ///
    /// `--built-timestamp` does the same, but `install.R` decides for itself how R is called.
    static let seal = #"""
        # R keeps in its help the folder, of a random name, in which it unpacked a package.
        unname_source <- function(folder) {
            paths <- file.path(folder, "help", "paths.rds")
            pages <- file.path(folder, "help", basename(folder))
            if (!file.exists(paths) || !file.exists(paste0(pages, ".rdb"))) return()
            files <- readRDS(paths)
            if (!length(files)) return()
            source <- dirname(substr(files[1L], 1L, attr(files, "first") - 2L))
            target <- file.path("/usr/src/R", basename(folder))
            renamed <- function(text) {
                ifelse(startsWith(text, source), paste0(target, substring(text, nchar(source) + 1L)), text)
            }
            database <- lapply(tools:::fetchRdDB(pages), function(page) {
                if (is.character(attr(page, "Rdfile"))) attr(page, "Rdfile") <- renamed(attr(page, "Rdfile"))
                place <- attr(attr(page, "srcref"), "srcfile")
                if (is.environment(place)) {
                    for (name in c("filename", "wd")) {
                        if (is.character(place[[name]])) assign(name, renamed(place[[name]]), envir = place)
                    }
                }
                page
            })
            tools:::makeLazyLoadDB(database, pages)
            saveRDS(structure(renamed(as.character(files)), first = nchar(target) + nchar("/man/") + 1L), paths)
        }

        epoch <- as.POSIXct(as.numeric(Sys.getenv("SOURCE_DATE_EPOCH")), origin = "1970-01-01", tz = "UTC")
        date <- format(epoch, "%Y-%m-%d %H:%M:%S UTC")
        start <- file.mtime("/run/varve/scratch/start")
        folders <- unique(normalizePath(.libPaths()))
        for (file in Sys.glob(file.path(folders, "*", "DESCRIPTION"))) {
            if (file.mtime(file) < start) next
            record <- file.path(dirname(file), "Meta", "package.rds")
            if (!file.exists(record)) next
            info <- readRDS(record)
            text <- paste0(readLines(file, warn = FALSE), "\n", collapse = "")
            parts <- strsplit(info$DESCRIPTION[["Built"]], ";", fixed = TRUE)[[1L]]
            if (length(parts) != 4L) next
            parts[3L] <- paste0(" ", date)
            built <- paste(parts, collapse = ";")
            text <- sub("(^|\n)Built:[^\n]*(\n[ \t][^\n]*)*", paste0("\\1Built: ", built), text, useBytes = TRUE)
            connection <- file(file, "wb")
            writeLines(text, connection, sep = "", useBytes = TRUE)
            close(connection)
            info$DESCRIPTION[["Built"]] <- built
            info$Built$Date <- date
            saveRDS(info, record)
            # It calls functions of R that may change; without it a layer works, but is not equal when built again.
            tryCatch(unname_source(dirname(file)), error = function(problem) {
                message("Warning: ", conditionMessage(problem))
            })
        }
        """#
}
