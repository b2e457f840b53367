"""House style of every figure: colours that survive colour blindness and greyscale, one font."""

from typing import Any, Final

# Okabe and Ito (2008), "Color Universal Design"; ordered from dark to light, so that neighbours
# also differ in greyscale. Meaning never rests on colour alone: shapes and fills differ too.
INK: Final = "#1a1a1a"
QUIET: Final = "#5f6368"
RULE: Final = "#b8bcc2"
BLUE: Final = "#0072b2"
ORANGE: Final = "#d55e00"
SERIES: Final = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#e69f00")

FONT_SIZE_PT: Final = 9.0

# Any: rc_context wants a dict keyed by literal names
HOUSE: Final[Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "Helvetica"],
    "font.size": FONT_SIZE_PT,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "figure.facecolor": "white",
    "figure.dpi": 100.0,
    "savefig.dpi": 200.0,
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "xtick.color": INK,
    "svg.fonttype": "none",
    "svg.hashsalt": "vertebro-outcomes",
    "path.simplify": False,
}
