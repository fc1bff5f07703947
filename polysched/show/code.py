"""Generated code beside the text that it takes the place of."""

from __future__ import annotations

from polysched.base import CodegenError
from polysched.ir import Program, Scop
from polysched.runtime import original_text
from polysched.show.highlight import highlight, side_by_side
from polysched.show.markup import Html, element, join
from polysched.workflow import Variant


def source_text(program: Program | None, scop: Scop) -> str:
    """The user's own text of a region; empty where there is none."""
    if program is None or scop.region is None:
        return ""
    return original_text(program, scop).strip("\n")


def variant_text(variant: Variant) -> str:
    """The generated text, the device's file before it where there is one.

    Raises
    ------
    CodegenError
        If it cannot be printed.
    """
    region = variant.region_text().strip("\n")
    device = variant.device_text().strip("\n")
    return f"{device}\n\n/* the host's side */\n{region}" if device else region


def generated_html(variant: Variant) -> Html:
    """The generated text, or why there is none."""
    try:
        return highlight(variant_text(variant))
    except CodegenError as error:
        return element("p", f"It cannot be printed: {error.message}", class_="bad")


def variant_code(variant: Variant) -> Html:
    """The generated text beside the original."""
    source = source_text(variant.program, variant.scop)
    new = generated_html(variant)
    if not source:
        return join((new,))
    name = variant.program.path if variant.program else variant.scop.name
    return side_by_side(highlight(source), new, (name, f"schedule {variant.id}"))
