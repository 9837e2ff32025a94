"""Hooks of the documentation site (mkdocs.yml): pages from outside docs/, and links as the site needs them.

Pages are written for a browser of the repository: their links are paths of files in it. On the site

- some pages from outside docs/ have a place of their own, in `PAGES`, and links lead there;
- a link to any other file outside docs/ keeps its text alone, since the site does not have the file;
- the name of a module, or the path of its file, becomes a link to the module's page of the reference.
"""

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]

# Pages of the repository -> of the site.
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "config/README.md": "config.md",
    "published/README.md": "published.md",
    "results/README.md": "results.md",
}
ADDED = {page: source for source, page in PAGES.items() if page != "index.md"}
PICTURES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("benchmarks/results/*.png"))

FENCED = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]*)(?P<anchor>#[^)\s]*)?\)")
MODULE = re.compile(r"(?<!\[)`(?:workflow/)?(ntklens[./][\w./]+?)(?:\.py)?`(?!\])")


def source_of(page: str) -> str:
    """The file in the repository that the site's ``page`` is made from."""
    return ADDED.get(page, f"docs/{page}")


def place_of(file: str) -> str | None:
    """The place of a ``file`` of the repository on the site; None if the site does not have it."""
    if file in PAGES:
        return PAGES[file]
    if file in PICTURES:
        return file
    return file.removeprefix("docs/") if file.startswith("docs/") and not file.endswith(".py") else None


def with_links_of_the_site(text: str, page: str) -> str:
    """The Markdown ``text`` of the site's ``page``, with links for the site instead of the repository."""
    parts = FENCED.split(text)
    parts[::2] = [MODULE.sub(_module_link, LINK.sub(_moved(page), part)) for part in parts[::2]]
    return "".join(parts)


def _moved(page: str) -> Callable[[re.Match[str]], str]:
    """The function that replaces a match of `LINK` on ``page``."""
    source = source_of(page)

    def replaced(link: re.Match[str]) -> str:
        target, anchor = link["target"], link["anchor"] or ""
        if not target or re.match(r"\w+:", target):
            return link[0]
        place = place_of(posixpath.normpath(posixpath.join(posixpath.dirname(source), target)))
        if place is None:
            return link["text"]
        relative = posixpath.relpath(place, posixpath.dirname(page) or ".")
        return f"{link['image']}[{link['text']}]({relative}{anchor})"

    return replaced


def _module_link(span: re.Match[str]) -> str:
    """A link to a module of ntklens, or to something in it; other names stay as they are."""
    name = span[1].replace("/", ".").strip(".")
    module = ROOT / "workflow" / span[1].replace(".", "/")
    if span[0].endswith(".py`") and not module.with_suffix(".py").exists():
        return span[0]
    return f"[{span[0]}][{name}]"


# What MkDocs calls


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and pictures from outside docs/."""
    for place, source in {**ADDED, **{picture: picture for picture in PICTURES}}.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """The page's Markdown with links for the site."""
    return with_links_of_the_site(markdown, page.file.src_uri)
