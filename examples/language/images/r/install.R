# Runs after the packages. What it installs comes from the mirror of build.cranMirror.
stopifnot(requireNamespace("praise"))
dir.create("/usr/local/share", showWarnings = FALSE, recursive = TRUE)
writeLines(rownames(installed.packages(.libPaths()[1])), "/usr/local/share/r-installed")
