"""axe-core, the rules of accessibility that browsers' own tools use, asked about a page as it stands.

Installed from npm into `.axe` by the first test that asks (https://www.npmjs.com/package/axe-core, MPL-2.0).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from local.process.npm import npm_install

if TYPE_CHECKING:
    from playwright.async_api import Page

VERSION = "4.14.1"
FOLDER = Path(__file__).parents[3] / ".axe"
SCRIPT = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    const shown = (nodes) => nodes.map((one) => one.html.slice(0, 160)).join(" | ");
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${shown(nodes)}`);
}"""


@cache
def source() -> str:
    """The script; installs it where it is not there."""
    if not SCRIPT.is_file():
        npm_install(f"axe-core@{VERSION}", FOLDER)
    return SCRIPT.read_text(encoding="utf-8")


async def violations(page: Page) -> list[str]:
    """Every rule that the page breaks, best practices included, with the elements that do."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(f"() => {{ {source()} }}")
    found: list[str] = await page.evaluate(RUN)
    return found
