"""The pictures of the guide to running a trial: screens of a demonstration that is being served.

Start one (``sevenfold serve --demo``), then ``python docs/figures/serve.py [address]``; needs Debian's Chromium.
"""

import io
import os
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parents[1] / "_static" / "serve"
PICTURES = {  # name: role, address ("ongoing": the last subject who is in the trial), width, height
    "dashboard": ("sponsor", "/progress", 1100, 720),
    "subject": ("nurse", "ongoing", 1100, 760),
    "telephone": ("nurse", "ongoing", 390, 700),
    "closed-report": ("IDMC statistician", "/committee/closed", 1100, 860),
    "unblinding": ("sponsor", "/report", 1100, 430),
}
COLOURS = 64


def main() -> None:
    """Take every picture."""
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8707"
    OUT.mkdir(exist_ok=True)
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=root)
        for name, (role, where, width, height) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height}, locale="en-GB")
            page.goto(f"{address}/login")
            page.locator(".doors button", has=page.locator("strong", has_text=role)).first.click()
            page.goto(f"{address}{dosed(page, address) if where == 'ongoing' else where}")
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.quantize(COLOURS).save(OUT / f"{name}.png", optimize=True)
            page.close()
        browser.close()


def dosed(page: Page, address: str) -> str:
    """The page of a subject in the trial who has been dosed for a while."""
    page.goto(f"{address}/subjects")
    ongoing = page.locator("tbody tr", has_text="ongoing")
    doses = [int(text) for text in ongoing.locator("td:nth-child(6)").all_inner_texts()]
    found = ongoing.nth(doses.index(max(doses))).locator("a").get_attribute("href")
    assert found is not None
    return found


if __name__ == "__main__":
    main()
