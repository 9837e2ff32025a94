"""Snakemake's command line, where it takes a target for a config file.

Snakemake opens config files before it reads the Snakefile, so a logger plugin is the first to have a say.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

OPTIONS = ("--configfile", "--configfiles")
SUFFIXES = (".yaml", ".yml", ".json")


def target_among_config_files(arguments: Sequence[str]) -> str | None:
    """What to type instead, if Snakemake takes a target for a config file; None if it does not.

    ``arguments`` are those of the command line. Snakemake's option `--configfile` takes all words up to the
    next option, so in `snakemake --configfile my.yaml figure_2` it takes `figure_2` too.
    """
    for start, option in enumerate(arguments):
        if option == "--":
            return None
        if option not in OPTIONS:
            continue
        words = _up_to_option(arguments[start + 1 :])
        targets = [word for word in words[1:] if not _is_config_file(word)]
        if targets:
            files = shlex.join(word for word in words if word not in targets)
            named = shlex.join(targets)
            return (
                f"{option} takes every word that follows, so {named} became a config file: name the target "
                f"first, as in `snakemake {named} {option} {files}`"
            )
    return None


def _up_to_option(words: Sequence[str]) -> list[str]:
    end = next((place for place, word in enumerate(words) if word.startswith("-")), len(words))
    return list(words[:end])


def _is_config_file(word: str) -> bool:
    """Whether a word is a config's file, or its name looks like one that is missing; results are none."""
    path = Path(word)
    return path.parts[:1] != ("results",) and (path.suffix in SUFFIXES or path.is_file())
