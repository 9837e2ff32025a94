"""Every text file and every program's output is read and written as UTF-8, whatever the locale.

Python's default is the locale's encoding, ASCII under LC_ALL=C without its UTF-8 mode. Ruff's rule for this
(PLW1514) is a preview, and sees neither most paths nor subprocesses.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("workflow", "benchmarks", "docs", "tests")
TEXT_MODE = re.compile(r"[rwax]t?\+?t?")
TAKES_TEXT = {"read_text": 0, "write_text": 1}  # methods of a path, and their arguments before the encoding
PROGRAMS = ("run", "Popen", "check_output", "check_call", "call")  # of subprocess


def without_encoding(tree):
    """The calls in ``tree`` that read or write text in the locale's encoding."""
    return [call for call in ast.walk(tree) if isinstance(call, ast.Call) and leaves_it_to_the_locale(call)]


def leaves_it_to_the_locale(call):
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if "encoding" in given or None in given:  # None: **arguments, which are not looked into
        return False
    function = call.func
    if isinstance(function, ast.Name):
        return function.id == "open" and is_text(call.args[1:2] or [given.get("mode")])
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr in TAKES_TEXT:
        return len(call.args) <= TAKES_TEXT[function.attr]
    if function.attr == "open":  # of a path: those of archives and images take a name first
        return is_text(call.args[:1] or [given.get("mode")]) and not given.get("fileobj")
    return function.attr in PROGRAMS and {"text", "universal_newlines"} & set(given) != set()


def is_text(mode):
    """Whether the mode of `open`, a list of one syntax tree or of None, is one of text."""
    (tree,) = mode
    if tree is None:
        return True
    return isinstance(tree, ast.Constant) and bool(TEXT_MODE.fullmatch(str(tree.value)))


@pytest.mark.parametrize("folder", FOLDERS)
def test_encodings_are_stated(folder):
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno} {ast.unparse(call)[:60]}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for call in without_encoding(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "path.read_text()",
        "path.write_text(text)",
        "open(path)",
        "open(path, 'w')",
        "open(path, mode='r+')",
        "path.open()",
        "path.open('a')",
        "subprocess.run(command, text=True)",
    ],
)
def test_calls_in_the_locales_encoding_are_found(code):
    assert without_encoding(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "path.read_text('utf-8')",
        "path.write_text(text, encoding='utf-8')",
        "write_text(path, text)",
        "read_text(group, 'settings')",
        "open(path, 'rb')",
        "path.open('wb')",
        "path.open(encoding='utf-8')",
        "archive.open('header.json', 'w')",
        "Image.open(path)",
        "tarfile.open(fileobj=stream, mode='w:gz')",
        "os.open(path, os.O_RDWR)",
        "subprocess.run(command)",
        "subprocess.run(command, encoding='utf-8')",
    ],
)
def test_other_calls_are_left_alone(code):
    assert without_encoding(ast.parse(code)) == []
