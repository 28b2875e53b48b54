"""A font that has Japanese, if there is one: of this machine, or of the package matplotlib-fontja.

The one that comes with matplotlib has none. Without any, pictures have English text only.
"""

from importlib.util import find_spec
from pathlib import Path

from matplotlib.font_manager import fontManager

LATIN = "DejaVu Sans"
JAPANESE = ("Noto Sans CJK JP", "IPAexGothic", "IPAGothic", "TakaoPGothic", "Hiragino Sans", "Yu Gothic")


def families() -> list[str]:
    """Return fonts in the order in which a sign is looked for; one only, where Japanese would come out as boxes."""
    known = {font.name for font in fontManager.ttflist}
    package = find_spec("matplotlib_fontja")
    if not known & set(JAPANESE) and package and package.origin:
        for path in (Path(package.origin).parent / "fonts").glob("*.ttf"):
            fontManager.addfont(str(path))
        known = {font.name for font in fontManager.ttflist}
    return [LATIN, *(name for name in JAPANESE if name in known)]
