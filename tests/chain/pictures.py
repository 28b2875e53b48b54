"""The story as pictures: well, the workers killed, a feed dead. Those in the README are of `make chain`."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from deploy.pictures.asked import Prometheus, Shown, Stretch
from deploy.pictures.drawing import Headline, Moment, drawn
from deploy.pictures.golden import GOLDEN
from tests.chain.chain import Length
from tests.chain.story import CUT, DOWN, SOURCE_OUT, UNSERVED

BESIDE = 1.0
"""Minutes of the rules' time that are shown before and after."""
WELL = "well"
PICTURES: Mapping[str, tuple[Headline, tuple[str, ...]]] = {
    "well.png": (Headline("All is well", "正常"), (WELL, "worker 2 killed")),
    "workers-killed.png": (
        Headline("Both workers killed, one after the other", "ワーカー2台が相次いで停止", is_well=False),
        ("worker 2 killed", f"{DOWN} told", "worker 1 killed", f"{UNSERVED} told", "worker 1 started",
         "both alerts over"),
    ),
    "feed-dead.png": (
        Headline("No more logins arrive", "ログインのイベントが途絶", is_well=False),
        (f"{CUT} cut", f"{CUT} known to be out", f"{SOURCE_OUT} told", f"{CUT} back", f"{SOURCE_OUT} over"),
    ),
}  # fmt: skip
"""What each is about, and the moments that it has, the first and the last of which say when it is."""


def pictures(address: str, at_s: Mapping[str, float], length: Length) -> dict[str, tuple[list[Shown], Figure]]:
    """Ask Prometheus, and draw; what each panel shows is given, too."""
    return {name: _picture(address, at_s, length, *about) for name, about in PICTURES.items()}


def _picture(
    address: str, at_s: Mapping[str, float], length: Length, headline: Headline, names: tuple[str, ...]
) -> tuple[list[Shown], Figure]:
    moments = [] if headline.is_well else [Moment(at_s[name], name) for name in names]
    beside_s = 0.0 if headline.is_well else 60 * BESIDE / length.by
    stretch = Stretch(at_s[names[0]] - beside_s, at_s[names[-1]] + beside_s, length.every_s)
    asked = Prometheus(address, stretch)
    shown = [asked.shown(panel) for panel in GOLDEN]
    return shown, drawn(headline, stretch, shown, asked.alerts(), moments)
