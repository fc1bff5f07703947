"""Random functions that exchange pointers and step through buffers in loops.

Loops of all headers, exchanges of two or three pointers in all forms and at all places
of the body, numbers that go round, statements before, between and behind, pointers that
are arguments, variables of the function or of the file, and are read behind or not. The
original, the interpreter and the printed source order must agree, for numbers of turns
from none on.
"""

from __future__ import annotations

import os
from itertools import pairwise
from random import Random

import pytest

from polysched.analysis import set_band_flags
from polysched.ir import Scop, original_tree
from polysched.testing import Candidate, Candidates, check_program, prepare

N_PROGRAMS = int(os.environ.get("POLYSCHED_FUZZ_PROGRAMS", "100")) // 8
FIRST = int(os.environ.get("POLYSCHED_FUZZ_SEED", "100"))
SIZE = 11
HEADERS = (
    "for (int {0} = 0; {0} < m; {0}++)", "for (int {0} = 1; {0} <= m; {0}++)",
    "for (int {0} = m; {0} > 0; {0}--)", "for (int {0} = 0; {0} < m; {0} += 2)",
    "for (int {0} = n - m; {0} < n; {0} += 3)",
    "for (int {0} = m + 1; {0} >= 2; {0} -= 2)",
    "for (int {0} = 0; {0} < m && {0} < n - 4; {0}++)",
)  # fmt: skip
STEPS = ("cur = 1 - cur;", "cur ^= 1;", "cur = !cur;", "cur = (cur + 1) % 3;")
PLACES = ("parameter", "local", "file")


class Function:
    """One random function, and the program around it.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self.draw = draw = Random(seed)
        self.names = ("p", "q", "r")[: draw.choice((2, 2, 2, 3))]
        self.has_rows = draw.random() < 0.3
        self.place = draw.choice(PLACES)
        self.has_inner = draw.random() < 0.6  # a variable of the loop to go by
        self.steps = draw.choice((*STEPS, *[""] * 8))

    def pointer(self, name: str) -> str:
        """A declarator."""
        return f"double (*{name})[{SIZE}]" if self.has_rows else f"double *{name}"

    def element(self, name: str, at: str) -> str:
        """An element of the buffer that a pointer leads to."""
        return f"{name}[{at}]" + (f"[{self.draw.choice('01k')}]" * self.has_rows)

    def sweep(self, turn: str = "") -> str:
        """A loop over a buffer."""
        draw = self.draw
        first = self.element(draw.choice(self.names), "i - 1")
        second = self.element(draw.choice(self.names), "i + 1")
        factor = f" * {turn}" if turn and draw.random() < 0.5 else ""
        target = self.element(draw.choice(self.names), "i")
        operator = draw.choice(("=", "+=", "="))
        sum_ = f"{target} {operator} {first} + {second}{factor};"
        return f"for (int i = 1; i < n - 1; i++) {sum_}"

    def exchange(self) -> str:
        """Statements after which pointers have changed their places."""
        draw = self.draw
        names = draw.sample(self.names, len(self.names))
        if draw.random() < 0.3:
            names = names[:2]
        if len(names) == 2 and not self.has_rows and draw.random() < 0.25:
            return f"swap(&{names[0]}, &{names[1]});"
        ring = pairwise(names)
        parts = [
            f"t = {names[0]}",
            *(f"{a} = {b}" for a, b in ring),
            f"{names[-1]} = t",
        ]
        if self.has_inner:
            parts[0] = f"{self.pointer('t')} = {names[0]}"
        elif draw.random() < 0.3:
            return f"{', '.join(parts)};"
        text = "".join(f"{part}; " for part in parts)
        form = draw.choice(("{}", "{{ {}}}", "do {{ {}}} while (0);"))
        return form.format(text) if self.has_inner else text

    def loop(self) -> str:
        """A loop that exchanges pointers once or twice."""
        draw, turn = self.draw, self.draw.choice("su")
        body = [self.sweep(turn) for _ in range(draw.randint(1, 2))]
        if draw.random() < 0.4:
            element = self.element(draw.choice(self.names), "2")
            body.append(f"out[{turn} + 3] += {element};")
        if self.steps:
            other = draw.choice(("cur", "(cur + 1) % 3", "0"))
            body.append(f"G[cur][{turn} + 3] += G[{other}][{turn} + 2] + cur;")
        draw.shuffle(body)
        more = [self.exchange()]
        if not self.has_inner and draw.random() < 0.2:
            more.append(self.exchange())
        for text in (*more, self.steps):
            body.insert(draw.randint(0, len(body)), text)
        header = draw.choice(HEADERS).format(turn)
        return "\n    ".join((f"{header} {{", *filter(None, body))) + "\n  }"

    def region(self) -> str:
        """The region of the function."""
        draw = self.draw
        items = [self.sweep()] if draw.random() < 0.4 else []
        items += [self.loop() for _ in range(1 if draw.random() < 0.7 else 2)]
        if draw.random() < 0.5:
            items.append(self.sweep())
        if draw.random() < 0.4:
            items.append(f"out[1] = {self.element(draw.choice(self.names), '2')};")
        return "\n  ".join(items)

    def program(self) -> str:
        """The text of the program."""
        draw, names = self.draw, self.names
        region = self.region()
        before = "int cur = 0;" if self.steps else ""
        if not self.has_inner:
            before += f" {self.pointer('t')};"
        given = "".join(f", {self.pointer(f'{p}0')}" for p in names)
        if self.place == "parameter":
            given = "".join(f", {self.pointer(p)}" for p in names)
        elif self.place == "local":
            before += "".join(f" {self.pointer(p)} = {p}0;" for p in names)
        else:
            before += "".join(f" {p} = {p}0;" for p in names)
        is_file = self.place == "file"
        file = "".join(f"static {self.pointer(p)};\n" for p in names) * is_file
        behind = ""
        if draw.random() < 0.6:
            behind = "".join(f' printf("%d ", {p} == B[0]);' for p in names)
        if self.steps and draw.random() < 0.5:
            behind += ' printf("%d\\n", cur);'
        behind = behind.replace("B[0]", "(void *)B[0]")
        passed = "".join(f", (void *)B[{k}]" for k in range(len(names)))
        return f"""\
#include <stdio.h>
static double B[3][{SIZE * SIZE}], out[40], G[3][40];
{file}static void swap(double **x, double **y) {{ double *t = *x; *x = *y; *y = t; }}
static void f(int n, int m, int k{given}) {{
  {before}
#pragma scop
  {region}
#pragma endscop
  {behind}
}}
int main(void) {{
  for (int s = -1; s < 6; s++) {{
    for (int i = 0; i < 3 * {SIZE * SIZE}; i++) B[0][i] = i * (s + 3) % 7;
    for (int i = 0; i < 3 * 40; i++) G[0][i] = i % 5, out[i % 40] = i;
    f({SIZE} - (s > 3), s, 2{passed});
    for (int i = 0; i < 3 * 40; i++) printf("%g %g ", G[0][i], out[i % 40]);
    for (int i = 0; i < 3 * {SIZE * SIZE}; i++) printf("%g ", B[0][i]);
  }}
  return 0;
}}
"""


def in_order(scop: Scop) -> Candidates:
    """The source order, as it is printed."""
    scop, deps = prepare(scop)
    tree = set_band_flags(original_tree(scop), deps)
    return Candidates(scop, deps, (Candidate(tree, "original"),))


@pytest.mark.slow
@pytest.mark.cc
@pytest.mark.timeout(3600)
def test_exchanges_are_what_they_were() -> None:
    n_taken = 0
    for seed in range(FIRST, FIRST + N_PROGRAMS):
        text = Function(seed).program()
        report = check_program(text, in_order)
        refused = [m for m in report.mismatches if m.stage == "frontend"]
        others = [str(m) for m in report.mismatches if m not in refused]
        assert not others, f"seed {seed}: {others[0]}\n{text}"
        n_taken += not refused
    assert n_taken > N_PROGRAMS // 2
