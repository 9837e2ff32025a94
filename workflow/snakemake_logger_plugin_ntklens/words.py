"""What jobs and times are called."""

from collections.abc import Mapping

ORDER = ("study", "dataset", "network", "point")


def title_of(rule: str, wildcards: Mapping[str, str]) -> str:
    """A job in words, such as ``train model-scaling mnist-5k three-layer width-64, seeds 0 to 4``."""
    name = rule.replace("_", " ")
    words = [wildcards[part] for part in ORDER if part in wildcards]
    title = " ".join([name, *words])
    if "first" in wildcards and "last" in wildcards:
        first, last = wildcards["first"], wildcards["last"]
        title += f", seed {first}" if first == last else f", seeds {first} to {last}"
    return title


def duration(seconds: float) -> str:
    """``seconds`` as people say them: 40 s, 3 min 20 s, 2 h 5 min."""
    whole = max(round(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(whole / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def about(seconds: float) -> str:
    """``seconds`` that are estimated, without false precision."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {10 * round(seconds / 10)} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h" if seconds < 36000 else f"about {round(seconds / 3600)} h"


def count(number: int, one: str) -> str:
    """``number`` of things, of which a single one is called ``one``."""
    return f"{number} {one}" if number == 1 else f"{number} {one}s"
