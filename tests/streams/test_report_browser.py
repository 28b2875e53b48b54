"""The page in a real browser, from disk and without a network; skipped where there is none."""

import json
import os
import re
import shutil
import subprocess
from html import unescape

import numpy as np
import pytest
from matplotlib.image import imread

from streams.report.page import write_page
from tests.streams.test_report import evaluation_of, gone, loyal

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here: apt-get install chromium, say")
BLUE = (0x00, 0x72, 0xB2)  # of the bars and lines; no text of the page has it
ASK = """<script>addEventListener("load", () => {
  const images = [...document.images];
  document.body.dataset.found = JSON.stringify({
    decoded: images.map(image => image.naturalWidth), shown: images.map(image => image.clientWidth),
    inside: document.documentElement.scrollWidth <= innerWidth});
})</script></head>"""


def chromium(*arguments, profile):
    quiet = (
        "--headless",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    )
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()  # its sandbox refuses root, as in a container
    command = [BROWSER, *quiet, *root, f"--user-data-dir={profile}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    directory = tmp_path_factory.mktemp("page")
    return write_page(evaluation_of(directory / "log.csv", loyal(100) + gone(50)), directory)


def test_the_page_shows_its_pictures_when_opened_from_disk(page, tmp_path):
    chromium("--window-size=1000,4000", f"--screenshot={tmp_path / 'shot.png'}", page.as_uri(), profile=tmp_path / "p")
    shot = np.rint(imread(tmp_path / "shot.png")[..., :3] * 255)
    assert (shot == BLUE).all(axis=-1).sum() > 1_000


def test_the_page_alone_shows_them_too(page, tmp_path):
    alone = tmp_path / "mailed.html"
    alone.write_bytes(page.read_bytes())
    chromium("--window-size=1000,4000", f"--screenshot={tmp_path / 'shot.png'}", alone.as_uri(), profile=tmp_path / "p")
    shot = np.rint(imread(tmp_path / "shot.png")[..., :3] * 255)
    assert (shot == BLUE).all(axis=-1).sum() > 1_000


@pytest.mark.parametrize("width", [360, 1200])
def test_every_picture_is_decoded_and_nothing_runs_off_the_side(page, tmp_path, width):
    """Asked by a script in a copy: the page itself forbids scripts."""
    copy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    (tmp_path / "asked.html").write_text(copy.replace("</head>", ASK), encoding="utf-8")
    uri = (tmp_path / "asked.html").as_uri()
    dom = chromium(f"--window-size={width},800", "--dump-dom", uri, profile=tmp_path / "p")
    found = json.loads(unescape(re.search(r'data-found="([^"]*)"', dom)[1]))
    assert len(found["decoded"]) == 6 and min(found["decoded"]) > 1_000
    assert min(found["shown"]) > 0.7 * min(width, 800)
    assert found["inside"]
