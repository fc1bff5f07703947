"""How Sphinx builds the site: `make site`, warnings as errors, no network.

Pages are Markdown; those in notebooks/ are notebooks in Markdown, run at every build.
The library's reference is written from the rooms' docstrings, a page for each room.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from pathlib import Path
from typing import Any

import polysched

HERE = Path(__file__).parent
ROOMS = HERE / "reference" / "rooms"  # written by every build, not kept
_COLON = "\ue000"  # of Unicode's private use

os.environ["POLYSCHED_CACHE"] = str(HERE.parent / "build" / "kernels")  # of notebooks

project = "polysched"
author = "the polysched authors"
release = version = polysched.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["jupyter_execute", ".jupyter_cache", "reference/rooms/face.md"]
smartquotes = False  # --option stays what it is
html_theme = "furo"
html_title = "polysched"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = html_show_copyright = False
pygments_style, pygments_dark_style = "friendly", "github-dark"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 60
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True

default_role = "code"  # `name` in docstrings
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_param = napoleon_use_rtype = False  # names of fields are no targets
napoleon_custom_sections = [("Attributes", "params_style")]


def room_names() -> list[str]:
    """The rooms: packages inside the package."""
    return sorted(m.name for m in pkgutil.iter_modules(polysched.__path__) if m.ispkg)


def sign_on_the_door(room: str) -> str:
    """The first sentence of a room's docstring, without its name.

    Names that a room imports when they are used are imported, for autodoc to see.
    """
    module = importlib.import_module(f"polysched.{room}")
    for name in module.__all__:
        setattr(module, name, getattr(module, name))
    first = (module.__doc__ or "").strip().splitlines()[0]
    return first.split(":", 1)[-1].strip()


def write_if_new(path: Path, text: str) -> None:
    """Write a file unless it says so already, so that nothing is read in vain."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def room_page(room: str) -> str:
    """What a room's page says; all of it is read from the room."""
    return (
        f"# {room}\n\n```{{eval-rst}}\n"
        f".. automodule:: polysched.{room}\n   :members:\n```\n"
    )


def face_table() -> str:
    """The names of `import polysched`, each with its room and what it is."""
    lines = ["| name | what it is | room |", "|---|---|---|"]
    for name in sorted(polysched.__all__, key=str.lower):
        found = getattr(polysched, name)
        room = polysched._ROOM_OF[name]
        told = (found.__doc__ or "").strip().splitlines()[0]
        inside = polysched._NAMED_OTHERWISE.get(name, name)
        target = f"#polysched.{room}.{inside}"
        if name == "POLICIES":
            told, target = "The policies by name.", "../policies.md"
        elif not callable(found):
            target = "../python.md"
        link = f"[`{name}`]({target})"
        lines.append(f"| {link} | {told} | [{room}](rooms/{room}.md) |")
    return "\n".join(lines) + "\n"


def write_reference(app: Any, config: Any) -> None:
    """Write the pages that autodoc fills."""
    rooms = room_names()
    write_if_new(ROOMS / "face.md", face_table())
    for room in rooms:
        write_if_new(ROOMS / f"{room}.md", room_page(room))
    listed = "\n".join(f"{room}" for room in rooms)
    told = "\n".join(f"| [{r}]({r}.md) | {sign_on_the_door(r)} |" for r in rooms)
    write_if_new(
        ROOMS / "index.md",
        "# Rooms\n\nWhat each package takes and gives; "
        "[layout](../../layout.md) walks through them in the order of data flow.\n\n"
        f"| room | |\n|---|---|\n{told}\n\n"
        f"```{{toctree}}\n:hidden:\n\n{listed}\n```\n",
    )
    for old in ROOMS.glob("*.md"):
        if old.stem not in {*rooms, "index", "face"}:
            old.unlink()


def plain_references(
    app: Any, what: str, name: str, found: object, options: Any, lines: list[str]
) -> None:
    """`[1]_` as plain text: many docstrings share a page, each with its own [1]."""
    lines[:] = [
        re.sub(r"\[(\d+)\]_", r"[\1]", re.sub(r"^(\s*)\.\. \[(\d+)\] ", r"\1[\2] ", x))
        for x in lines
    ]


def keep_colons(
    app: Any, what: str, name: str, found: object, options: Any, lines: list[str]
) -> None:
    """A property's sentence may have a colon: napoleon would take it for a type."""
    if what in ("property", "attribute"):
        lines[:] = [x.replace(":", _COLON) for x in lines]


def restore_colons(
    app: Any, what: str, name: str, found: object, options: Any, lines: list[str]
) -> None:
    """The colons again, when napoleon is done, and a dash for its two hyphens."""
    lines[:] = [x.replace(_COLON, ":").replace(" -- ", " \u2013 ") for x in lines]


def setup(app: Any) -> None:
    """Called by Sphinx; napoleon handles docstrings at priority 500."""
    app.connect("config-inited", write_reference)
    app.connect("autodoc-process-docstring", plain_references, priority=400)
    app.connect("autodoc-process-docstring", keep_colons, priority=410)
    app.connect("autodoc-process-docstring", restore_colons, priority=600)
