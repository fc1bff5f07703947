"""Colours and forms of everything that is drawn, in light and in dark.

The categorical colours are those of Okabe and Ito ("Color Universal Design", 2008),
darkened or lightened until they stand out from the background; they differ in
lightness, too, so that they can be told apart without colour.
"""

from __future__ import annotations

from polysched.show.markup import Html, element

LIGHT = {
    "fg": "#1b1f24", "bg": "#ffffff", "muted": "#57606a", "line": "#d0d7de",
    "panel": "#f6f8fa", "hot": "#fff3c4", "link": "#0550ae", "bad": "#b42318",
    "kw": "#0550ae", "ty": "#7a3fb5", "nu": "#0b6b4a", "st": "#0a3069",
    "co": "#5b6570", "pp": "#953800",
    "c0": "#0072b2", "c1": "#c84f00", "c2": "#00805c", "c3": "#b4558f",
    "c4": "#a87400", "c5": "#3d9bd1", "c6": "#6e6e6e", "c7": "#8b8000",
}  # fmt: skip
DARK = {
    "fg": "#e6edf3", "bg": "#14181d", "muted": "#9aa6b2", "line": "#3a434d",
    "panel": "#1d232a", "hot": "#4a3f10", "link": "#79c0ff", "bad": "#ff8a80",
    "kw": "#79c0ff", "ty": "#d2a8ff", "nu": "#7ee2b8", "st": "#a5d6ff",
    "co": "#93a0ac", "pp": "#ffa657",
    "c0": "#4ba3e3", "c1": "#ff8a4c", "c2": "#2fc39a", "c3": "#e593c5",
    "c4": "#f0b232", "c5": "#9fd6f7", "c6": "#b4bcc4", "c7": "#f0e442",
}  # fmt: skip
N_COLOURS = 8
# themes of their own have JupyterLab, VS Code, Colab, and pages made with furo
_LIGHT_THEMES = (
    'body[data-jp-theme-light="true"]', "body.vscode-light", "html[theme=light]",
    "body[data-theme=light]",
)  # fmt: skip
_DARK_THEMES = (
    'body[data-jp-theme-light="false"]', "body.vscode-dark", "html[theme=dark]",
    "body[data-theme=dark]",
)  # fmt: skip

_HTML = """
.ps{font:14px/1.5 system-ui,"Segoe UI",Roboto,sans-serif;color:var(--fg);
background:var(--bg)}
.ps>.card,.ps>svg{padding:.25rem .5rem}
.ps *{box-sizing:border-box}
.ps .card{margin:.25rem 0 .75rem}
.ps .title{margin:.1rem 0 .4rem}
.ps .note,.ps caption,.ps .small{color:var(--muted)}
.ps table{border-collapse:collapse;font-variant-numeric:tabular-nums;
font-size:13px;margin:.25rem 0;color:var(--fg);background:none}
.ps th,.ps td{padding:.15rem .55rem;text-align:left;vertical-align:top;border:0;
border-bottom:1px solid var(--line);background:none;max-width:34rem}
.ps th{font-weight:600;white-space:nowrap}
.ps thead th{vertical-align:bottom}
.ps tbody tr:nth-child(odd),.ps tbody tr:nth-child(even){background:none}
.ps tbody tr:hover{background:var(--panel)}
.ps .n{text-align:right;white-space:nowrap}
.ps caption{text-align:left;caption-side:top;padding:.1rem 0}
.ps .wide{overflow-x:auto;max-width:100%}
.ps .wide td:last-child>code{display:inline-block;min-width:min(18rem,50vw)}
.ps code,.ps pre,.ps .mono{font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,
Consolas,monospace;color:inherit;background:none;padding:0;border:0}
.ps details{margin:.25rem 0}
.ps summary{cursor:pointer;color:var(--fg)}
.ps summary:hover{background:var(--panel)}
.ps .bar{display:inline-block;width:3.4rem;height:.6em;margin-left:.45rem;
background:var(--panel);border:1px solid var(--line);vertical-align:baseline}
.ps .bar i{display:block;height:100%;background:var(--c0)}
.ps .bar.up i{background:var(--c2)}
.ps .code{background:var(--panel);border:1px solid var(--line);border-radius:4px;
overflow-x:auto;padding:.4rem .2rem;margin:.25rem 0;max-width:100%}
.ps .code pre{margin:0;white-space:pre;counter-reset:l}
.ps .code .l{counter-increment:l;display:block;min-height:1.45em}
.ps .code .l::before{content:counter(l);display:inline-block;width:2.6em;
margin-right:.9em;text-align:right;color:var(--muted);user-select:none}
.ps .k{color:var(--kw)}.ps .t{color:var(--ty)}.ps .d{color:var(--nu)}
.ps .s{color:var(--st)}.ps .c{color:var(--co);font-style:italic}
.ps .p{color:var(--pp)}
.ps .side{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:.75rem}
@media(max-width:60rem){.ps .side{grid-template-columns:minmax(0,1fr)}}
.ps .side figure{margin:0;min-width:0}
.ps figure{margin:.5rem 0}
.ps figcaption{color:var(--muted);font-size:13px}
.ps .tree{line-height:1.7}
.ps .tree ul{list-style:none;margin:0;padding:0 0 0 1.1rem;
border-left:1px solid var(--line)}
.ps .tree>ul{border:0;padding:0}
.ps .tree li{margin:0}
.ps .kind{display:inline-block;min-width:4.6em;font-weight:600;font-size:12px;
padding:0 .4em;margin-right:.4em;border-left:4px solid currentColor}
.ps .kind.band{color:var(--c0)}.ps .kind.sequence,.ps .kind.set{color:var(--c4)}
.ps .kind.filter{color:var(--c2)}.ps .kind.domain,.ps .kind.context{color:var(--c3)}
.ps .kind.mark,.ps .kind.extension,.ps .kind.guard,.ps .kind.expansion
{color:var(--c1)}
.ps .kind.leaf{color:var(--c6)}
.ps .mark{border:1px solid var(--c1);color:var(--c1);border-radius:3px;
padding:0 .35em;margin-right:.35em;font-size:12px}
.ps .flag{border:1px solid var(--line);color:var(--muted);border-radius:3px;
padding:0 .35em;margin-left:.35em;font-size:12px}
.ps .bad{color:var(--bad)}
.ps a{color:var(--link)}
"""

_SVG = """
svg.ps-svg{max-width:100%;height:auto;color:var(--fg);
font:12px system-ui,"Segoe UI",Roboto,sans-serif}
.ps-svg text{fill:var(--fg);stroke:none}
.ps-svg .m{fill:var(--muted);stroke:var(--bg);stroke-width:3px;paint-order:stroke;
stroke-linejoin:round}
.ps-svg .h{font-weight:600}
.ps-svg .mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.ps-svg .grid{stroke:var(--line);stroke-width:1;fill:none}
.ps-svg .axis{stroke:var(--muted);stroke-width:1;fill:none}
.ps-svg .box{fill:var(--panel);stroke:var(--line)}
.ps-svg .halo{fill:var(--bg);stroke:none}
.ps-svg .dash{stroke-dasharray:5 3}
.ps-svg .faint{opacity:.45}
.ps-svg .hollow{fill:var(--bg);stroke-width:1.6}
.ps-svg .strong{stroke-width:2}
.ps-svg .tile{stroke-width:1.4}
.ps-svg .time{stroke:none}
.ps-svg .dot{stroke:var(--muted);stroke-width:.8}
.ps-svg a{cursor:pointer}
"""


_ALONE = "svg.ps-svg{background:var(--bg)}\n"


def _colours() -> str:
    lines = [
        f".ps-svg .f{k}{{fill:var(--c{k})}}.ps-svg .s{k}{{stroke:var(--c{k})}}"
        for k in range(N_COLOURS)
    ]
    return "\n".join(lines)


def _variables(values: dict[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in values.items())


def _themes(where: str) -> str:
    """Both sets of colours: the reader's, unless the notebook has its own theme."""
    light, dark = _variables(LIGHT), _variables(DARK)
    bright = ",".join(f"{theme} {where}" for theme in _LIGHT_THEMES)
    dim = ",".join(f"{theme} {where}" for theme in _DARK_THEMES)
    return (
        f"{where}{{color-scheme:light dark;{light}}}\n"
        f"@media(prefers-color-scheme:dark){{{where}{{{dark}}}}}\n"
        f"{bright}{{color-scheme:light;{light}}}\n"
        f"{dim}{{color-scheme:dark;{dark}}}\n"
    )


def html_style(extra: str = "") -> Html:
    """The style of cards and pictures inside an element of class ``ps``."""
    css = f"{_themes('.ps')}{_HTML}{_SVG}{_colours()}{extra}"
    return element("style", Html(css))


def svg_style() -> Html:
    """The style of a picture that stands alone."""
    return element("style", Html(f"{_themes('.ps-svg')}{_SVG}{_ALONE}{_colours()}"))


def shown(content: object) -> str:
    """What a notebook gets: the style and the content, self-contained."""
    return str(element("div", html_style(), content, class_="ps"))
