"""show: pictures and HTML of every noun, for notebooks, reports and plain files.

Takes what the rooms below give, and changes nothing of it. Cards are static and need no
script; pictures are SVG in light and dark. May import every room but `cli` and
`testing`; no other room imports it, the nouns ask it by `base.Shown`.
"""

from polysched.show.domains import domain_picture
from polysched.show.graph import dependence_graph
from polysched.show.nouns import card_of, to_html
from polysched.show.parallel import parallel_coordinates
from polysched.show.picture import Picture
from polysched.show.report import spaces_report, tuned_report
from polysched.show.roofline import memory_traffic, roofline
from polysched.show.scatter import scatter
from polysched.show.tuned import predicted_measured, tuning_curve
from polysched.show.widget import browse

__all__ = [
    "Picture",
    "browse",
    "card_of",
    "dependence_graph",
    "domain_picture",
    "memory_traffic",
    "parallel_coordinates",
    "predicted_measured",
    "roofline",
    "scatter",
    "spaces_report",
    "to_html",
    "tuned_report",
    "tuning_curve",
]
