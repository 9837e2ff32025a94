"""Prints the rule graph of the default config in Mermaid's language, for README.md and docs/architecture.md.

    python docs/rule-graph.py --write

Snakemake's own drawing (`snakemake --rulegraph mermaid-js`) has one box for each figure and an edge from each
to `all`. Here figures that are drawn from the results of the same rules share a box, and `all` is left out.
"""

import re
import subprocess
import sys
from pathlib import Path

from page_blocks import print_or_write

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "architecture.md")
BLOCK = re.compile(r"(?<=```mermaid\n)flowchart LR\n.*?(?=```\n)", re.DOTALL)

Edges = set[tuple[str, str]]


def snakemakes_graph() -> str:
    """The rule graph that Snakemake draws, in Mermaid's language."""
    command = [sys.executable, "-m", "snakemake", "--configfile", "config/config.yaml"]
    command += ["--rulegraph", "mermaid-js"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout


def edges_of(graph: str) -> Edges:
    """The edges (from, to) between the rules of a Mermaid ``graph`` that has one box for each rule."""
    rule = dict(re.findall(r"(\w+)\[(\w+)\]", graph))
    return {(rule[tail], rule[head]) for tail, head in re.findall(r"(\w+) --> (\w+)", graph)}


def joined(edges: Edges) -> str:
    """A Mermaid graph of ``edges``, with one box for all figures that are drawn from the same rules."""
    rules = sorted({rule for edge in edges for rule in edge} - {"all"})
    boxes: dict[object, list[str]] = {}
    for rule in rules:
        sources = frozenset(tail for tail, head in edges if head == rule)
        boxes.setdefault(sources if rule.startswith("figure_") else rule, []).append(rule)
    box = {rule: members[0] for members in boxes.values() for rule in members}
    arrows = sorted({(box[tail], box[head]) for tail, head in edges if head != "all"})
    lines = [f'{members[0]}["{", ".join(members)}"]' for members in boxes.values()]
    lines += [f"{tail} --> {head}" for tail, head in arrows]
    return "flowchart LR\n" + "".join(f"    {line}\n" for line in lines)


def main() -> None:
    print_or_write(__doc__, joined(edges_of(snakemakes_graph())), PAGES, BLOCK)


if __name__ == "__main__":
    main()
