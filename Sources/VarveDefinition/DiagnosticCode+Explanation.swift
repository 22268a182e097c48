// SPDX-License-Identifier: Apache-2.0

extension DiagnosticCode {
    /// The explanation of a code as it stands in a `Diagnostic` (`VRV031`), nil where there is no such code.
    public static func explanation(of code: String) -> String? { DiagnosticCode(rawValue: code)?.explanation }

    /// One paragraph for people: what the code means, why it is an error, and what to do.
    public var explanation: String {
        switch self {
        case .encoding:
            """
            The file is not text that varve can read. Files of a definition are UTF-8, with or without a byte-order mark, \
            or UTF-16 with a byte-order mark. Save the file as UTF-8.
            """
        case .tooLarge:
            """
            The file is larger than a definition can sensibly be: 1 MiB for image.yaml, 10 MiB for every other file, and \
            100 MiB for all files that one definition includes. Put data into files that `inputs` names.
            """
        case .yamlSyntax:
            """
            The file is not well-formed YAML. The place is where the parser could not go on; the cause is often a line or \
            two above: a missing colon, a tab used to indent, a list item at the wrong depth, an unclosed quote.
            """
        case .duplicateKey:
            """
            A key stands twice in the same mapping. YAML readers disagree on which of the two counts, so neither is \
            taken. Remove one.
            """
        case .yamlFeature:
            """
            The file uses an alias (`*name`), a merge key (`<<`), a tag (`!name`) or a key that is not plain text. None \
            of them is part of the definition language: a definition can be read from top to bottom, and cannot grow when \
            it is read. Write the value out.
            """
        case .severalDocuments:
            "The file holds more than one YAML document. Only one is read, so remove `---` and what follows it."
        case .notAFile:
            """
            A name of the definition stands for a folder or a submodule where a file is expected, or for a symbolic link \
            that leads to no file: to nothing, in a circle, or through more than eight links. Put the file itself there.
            """
        case .controlCharacter:
            """
            A value holds a control character, for instance a line feed or a terminal escape inside a name. Such a \
            character is never meant and can forge a second line in a file that varve writes. Remove it.
            """
        case .fileName:
            """
            The name of a file differs from one that varve reads only in upper and lower case or in its ending, for \
            instance `postbuild` for `postBuild` or `image.yml` for `image.yaml`. It would be silently ignored. Rename it.
            """
        case .unknownKey:
            """
            The key is not part of the definition language. It would have no effect, so it is refused; the message names \
            the nearest key that exists.
            """
        case .wrongType:
            """
            The value is not of the type that the key takes, for instance a list where a text is expected. Scalars are \
            read by their text, so `python: 3.10` is never turned into 3.1; true and false are the only truth values.
            """
        case .missingKey:
            "A key that has no default is not given. Every image needs at least a `base`."
        case .notSupported:
            """
            The key or value belongs to the definition language, but this version of varve cannot build it yet. The image \
            is refused, so that nothing is built without it.
            """
        case .layerTwice:
            """
            The same layer is given both under `build` (or `start`, `verify`) in image.yaml and as a file beside it. Keep \
            one of them. An empty list (`pip: []`, `apt: []`) is no second layer: it says that the file is not read.
            """
        case .severalFolders:
            "Both `binder/` and `.binder/` exist. As in repo2docker only one of them may hold the definition's files."
        case .severalEnvironments:
            "Both `environment.yml` and `environment.yaml` exist, and tools disagree on which one counts. Keep one of them."
        case .folder:
            """
            The folder lies more than 64 folders deep, or is an image's and its path has more than 1,024 bytes. Such a \
            path fits no record of a build. Move the folder up.
            """
        case .name:
            """
            An image's name is one path component of the OCI distribution specification: lower-case letters and digits, \
            with single '.', '_' or '-' between them, at most 128 characters. Without `name` the folder's name is taken.
            """
        case .duplicateName:
            "Two images of the repository have the same name. Each needs its own, because images are published by name."
        case .unknownWord:
            "The value is not one of the words that the key takes. The message names the nearest one."
        case .owner:
            "An owner is `all-users`, `user/NAME` or `group/NAME`, with a name of letters, digits, '.', '_', '-', '@' and '+'."
        case .base:
            """
            A base is the name of an image of this repository, a registry reference with its registry \
            (docker.io/library/debian:bookworm-slim), or a mapping with `bootstrap`. A reference without a registry is \
            refused because it could mean either.
            """
        case .unknownBase:
            "The base names an image that this repository does not define. The message names the nearest one."
        case .baseCycle:
            "The bases of these images lead back to where they start, so none of them can be built first."
        case .tag:
            """
            A tag follows the OCI distribution specification: [A-Za-z0-9_][A-Za-z0-9._-]{0,127}. `latest` and the form \
            YYYY.MM.DD-xxxxxxxxxxxx are put there by varve itself and cannot be given.
            """
        case .platform:
            "A platform is linux/ARCHITECTURE or linux/ARCHITECTURE/VARIANT in Go's names, for instance linux/amd64."
        case .variable:
            """
            The name of a variable consists of letters, digits and '_' and does not begin with a digit; its value holds no \
            NUL byte.
            """
        case .inputPattern:
            """
            A pattern of `inputs` is relative to the image's folder: `*` and `?` do not match '/', `**` as a whole \
            component does, `[a-z]` and `[!a-z]` match one character. It cannot be absolute, climb with `..`, or name \
            image.yaml, whose description and owner are part of no key.
            """
        case .inputWithoutMatch:
            "A pattern of `inputs` matches no file, which is nearly always a typing error. Correct or remove it."
        case .inputNotAFile:
            """
            A pattern of `inputs` matches a submodule, or a symbolic link that leads to no file of the repository. Neither \
            has content of its own here.
            """
        case .bootstrap:
            """
            A bootstrap base needs a distribution (debian, ubuntu) and a suite; the mirror is an http(s) URL without \
            credentials, the packages are Debian package names.
            """
        case .inputTree:
            """
            The image's folder cannot be searched for `inputs`: more than 100,000 files and folders lie below it, one of \
            them more than 64 folders deep in the repository, two files have the same name, or the patterns are too many for the files. Move large data out.
            """
        case .scriptLineEnds:
            """
            The script has Windows line ends where they break it: after the shebang the system looks for an interpreter \
            whose name ends in a carriage return, and bash takes the carriage return as part of each command. Save the \
            file with Unix line ends (git config core.autocrlf input).
            """
        case .startWithoutExec:
            """
            The last command of `start` must be `exec "$@"`, possibly through a program (`exec tini -- "$@"`). Without it \
            the image's own command would never run.
            """
        case .scriptEncoding:
            """
            The script begins with a byte-order mark or is not UTF-8 with plain ASCII structure (UTF-16), so the system \
            does not see its shebang. Save it as UTF-8 without a mark.
            """
        case .aptPackage:
            """
            The word is not a Debian package: `name`, `name:arch`, `name=version` or `name/suite`, where a name has at \
            least two characters out of a-z 0-9 + - . and begins with a letter or digit (Debian policy 5.6.1).
            """
        case .aptPattern:
            """
            apt would not read the word as one package to install: it is a pattern (`?`, `~`, `*`, a regular expression), a \
            task (`name^`), a removal (`name-`) or a forced installation (`name+`). Name the packages themselves.
            """
        case .aptOption:
            "The package list takes package names only. varve gives apt its options itself."
        case .condaFile:
            """
            The file is not a conda environment: a mapping with `channels`, `dependencies` and `variables`. `name` and \
            `prefix` are read and do not count. Other keys are ignored as conda ignores them, unless they look like a \
            misspelt one.
            """
        case .matchSpec:
            """
            The dependency is not a match spec: `name`, `name=1.26`, `name>=1,<2`, `name 1.26 build`, \
            `channel::name`, `name[version='>=1',build='*']`. Python extras (`name[extra]`) do not exist in conda.
            """
        case .channel:
            "A channel is a name (conda-forge, conda-forge/label/dev), `defaults`, `nodefaults`, or a URL without credentials."
        case .condaExplicit:
            """
            An explicit list cannot stand among `dependencies`, and a lock file of conda-lock cannot be called \
            `environment.yml`. Give the lock file its name `conda-lock.yml`; a file that is all an explicit list is read.
            """
        case .explicitList:
            """
            An explicit list has the line `@EXPLICIT` and then a URL a line, `https://HOST/CHANNEL/SUBDIR/NAME-VERSION-BUILD.conda` \
            or `.tar.bz2`, with `#` and the MD5 hash or `#sha256:` and the SHA-256 hash after it, if wanted.
            """
        case .condaLock:
            """
            `conda-lock.yml` is a lock file of version 1, as `conda-lock lock` writes it: each package with `name`, `url`, \
            `manager` (conda or pip), `platform` and `hash`. Packages of pip need a `sha256`.
            """
        case .explicitPlatform:
            """
            The list or lock file holds no packages for the image's platform, or some for another one. Make it for that \
            platform (`conda-lock lock --platform linux-64`), or give the image the platform with `platforms`.
            """
        case .requirement:
            "The line is not a requirement of PEP 508 (`name[extra]>=1.0; marker`), a URL, a local path or an option of pip."
        case .pipOption:
            "pip does not take this option in a requirements file, or not in this place. The message names the nearest one."
        case .pipOptionValue:
            "The option's value is missing, not wanted, or not of the form that pip takes."
        case .includeMissing:
            "A file named by `-r` or `-c` does not exist. The path is relative to the file that names it."
        case .includeCycle:
            "Requirements files include each other in a circle, or more than 32 deep."
        case .runtimeFile:
            """
            `runtime.txt` is one line: `python-3.10`, `r-4.3.2-2024-01-10` (a version of R and the day of a snapshot of CRAN), \
            `r-2024-01-10` or `r-4.3.2`. Other languages and implementations are not known.
            """
        case .outsideRepository:
            """
            The path is absolute, or leaves the repository through `..` or through a symbolic link. Only files of the \
            repository can be part of a definition, because only they are part of the layer's key.
            """
        case .environmentVariable:
            """
            pip replaces `${NAME}` by an environment variable, which would leave no trace in the layer's key. Write the \
            value, or for credentials use a netrc or keyring that the operator configures.
            """
        case .credentials:
            """
            A URL holds a user name, password or token. It would be readable by everyone who reads the repository, and \
            would end up in the image. Remove it and have the operator configure a netrc file or a secret for the host.
            """
        case .localPath:
            """
            A requirement names a folder that does not exist in the repository, or that is not a Python project \
            (pyproject.toml or setup.py).
            """
        case .localArchive:
            """
            A requirement names a wheel that is not in the repository, whose name is none of a wheel, or whose name another \
            wheel of the file has; or it names a source archive, which is not supported. Name a wheel or a source folder of the \
            repository, or publish it to an index.
            """
        case .remoteInclude:
            """
            `-r` with a URL would install what stands outside the repository and the layer's key. Copy the file into the \
            repository. Constraints (`-c`) may be a URL: they install nothing by themselves.
            """
        case .cpuBuild:
            """
            An image of `hardware: gpu` names a build of torch, tensorflow or jaxlib that uses the CPU alone: `torch==2.3.0+cpu`, \
            `tensorflow-cpu`, an index that ends in `/whl/cpu`, conda's `cpuonly`. The image would build, run, and never use \
            the GPU. Name a build for CUDA, or give the image `hardware: cpu`.
            """
        case .gpuBase:
            """
            An image of `hardware: gpu` needs a base with CUDA. A bootstrap has none, and an image of `hardware: cpu` is \
            not expected to. Name a base with CUDA, or give the image below `hardware: gpu` as well.
            """
        case .copyUnknown:
            """
            `copyFrom` names no image of this repository. Only images that are defined here can be copied from; an image \
            of a registry can be a `base`.
            """
        case .copyCycle:
            """
            Images are copied from each other in a circle, so that none of them says what is in it. Remove one `copyFrom`.
            """
        case .copyBroken:
            """
            The image that this one is copied from is itself invalid, so what would be copied is not known. Correct the \
            other definition first; this one then becomes valid by itself.
            """
        case .basePlatform:
            """
            An image is built for a platform that its base, an image of the same repository, is not built for. Give both \
            the same `platforms`, or the base more.
            """
        case .lockedPlatform:
            """
            A lock file or an explicit list names packages for one platform, and the image has several. Let an \
            `environment.yml` be solved for each of them, or make an image for each platform.
            """
        case .settingValue:
            """
            A value of the daemon's configuration file is not of its form: a time is a number with s, m or h (`90s`, \
            `15m`, `2h`), a number of builders is from 1 to 64.
            """
        case .bootstrapUser:
            """
            The user of a bootstrap has a name that `useradd` of Debian takes: lower-case letters, digits, '_' and '-', at \
            most 32 of them, not a digit or '-' first, and not root, who is there already.
            """
        case .rPackage:
            """
            The name of an R package has at least two characters: ASCII letters, digits and dots, a letter first and no dot \
            last. Upper and lower case count. Packages are separated by blanks or lines, or are a list.
            """
        case .rVersion:
            """
            A version of an R package is two or more numbers with single '.' or '-' between them: `dplyr@1.1.4`. Only \
            packages of CRAN can have one: a release of Bioconductor has one version of each package.
            """
        case .rTwoVersions: "One package is asked for in two versions, and R installs one. Keep one of them."
        case .rRemote:
            """
            A package of a Git host is `owner/repository` or `owner/repository@reference`, on GitHub or, after `gitlab::`, on \
            GitLab. The reference is a branch, a tag or a commit; only a commit always gives the same package.
            """
        case .rMirror:
            """
            `cranMirror` is the http or https URL of a mirror of CRAN, without a query and without a password or token, \
            which would end up in the history of the repository.
            """
        case .containerfile:
            """
            `base.containerfile` is the path of a file in the image's folder, relative to that folder, without `..` and \
            without a symbolic link on the way, of at most 1 MiB.
            """
        case .containerfileSyntax:
            """
            The line is not an instruction of a Containerfile that buildah takes, or one that varve refuses: here-documents \
            (`RUN <<EOF`), which buildah 1.28 does not know, and a `# syntax=` line, which would fetch another builder.
            """
        case .containerfileImage:
            """
            Every image that a Containerfile names (`FROM`, `COPY --from`) is a registry reference \
            with its registry, an earlier stage, or `scratch`, so that varve can pin it by digest and make it part of the \
            base's key. In `FROM` a variable stands only for the default of an `ARG NAME=DEFAULT` before the first `FROM`.
            """
        case .containerfileInput:
            """
            The instruction would take something in that is part of no key: `ADD` of a URL or Git repository, a path \
            outside the context, a mount or another option of `RUN`, or `ONBUILD`. \
            Copy files of the image's folder, or fetch in a `RUN` step with a checksum.
            """
        case .containerfileContext:
            """
            The context of a Containerfile is the files of the image's folder, but for image.yaml and the definition's other \
            files. It holds a symbolic link or a submodule, which have no content of their own.
            """
        case .externalReference:
            """
            `external` is an image of a registry, with its registry: REGISTRY/REPOSITORY:TAG. It is not built but \
            registered: its digest is tracked, and images of the repository can stand on it by its name.
            """
        case .externalConflict:
            """
            An external image is built elsewhere, so `base`, `build`, `copyFrom`, `env`, `inputs`, `start`, `verify` and \
            `tags`, and the files for them, have no effect on it. To build on it, give another image \
            `base:` with its name or reference.
            """
        case .copyExternal:
            """
            `copyFrom` names an external image. Nothing of how it was built is known, so there is nothing to copy. Write \
            `base:` with its name to build on it.
            """
        case .condaExtras, .pipIgnored, .runtimeImage, .hashMissing, .hashImpossible, .condarc, .condarcKey:
            toolExplanation
        case .fleetValue:
            """
            A value of `varve.yaml` is not of its form: `definitions` are folders of the repository or patterns of \
            them, `policy.bases` patterns of registry references, `policy.maximumSize` a number with kB, MB, GB, TB, \
            KiB, MiB, GiB or TiB, and groups and members are names of letters, digits, '.', '_', '-', '@' and '+'. \
            Until the file is correct, no image can be said to keep to it, so every definition is invalid.
            """
        case .unknownGroup:
            """
            The owner is a group that `varve.yaml` does not declare. Where it declares any group, only those can be \
            owners. Correct the name, or add the group under `groups`.
            """
        case .definitionsWithoutMatch:
            """
            A folder or pattern under `definitions` of `varve.yaml` fits no folder of the repository. To go on \
            without it would look as if all images below had been removed. Correct or remove it.
            """
        case .operatorSetting:
            """
            The key is a setting of whoever runs varve: where images are published, with which credentials, by which \
            engine. It is given by a flag, the environment or the daemon's configuration and never read from the \
            repository, because whoever can write to the repository could send images and credentials elsewhere.
            """
        case .baseNotAllowed:
            """
            The base is a registry's image that fits none of the patterns under `policy.bases` of `varve.yaml`. \
            Bootstraps and images of the repository are always allowed. Take another base, or have the pattern \
            added.
            """
        case .ownerRequired:
            """
            `policy.requireOwner` of `varve.yaml` asks for a user or a group as owner of each image; `all-users` is \
            nobody. Give the image `owner: user/NAME` or `owner: group/NAME`, or set one under `defaults`.
            """
        }
    }
}
