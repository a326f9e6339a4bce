"""The portal in a browser: nothing that axe objects to, nothing from elsewhere, all of it without scripts."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
import segno
from axe_playwright_python.sync_playwright import Axe

from tests.unit.auditor.portal.site import PAGES, PATH

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page, Request

    from tests.browser.conftest import Served

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    return [
        f"{one['id']}: {node['html'][:200]}" for one in found.response["violations"] for node in one["nodes"]
    ]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_axe_finds_nothing_on_any_page(served: Served, chromium: Browser, language: str) -> None:
    # bypass_csp lets axe itself into the page; what the pages' own policy allows, another test shows.
    with chromium.new_context(locale=language, bypass_csp=True) as context:
        page = context.new_page()
        found: dict[str, list[str]] = {}
        for path in PAGES:
            page.goto(served.origin + path)
            found[path] = violations(page)
        served.site.player.closed()
        served.site.stage.publish()
        served.site.watcher.refresh()
        page.goto(served.origin + PATH)
        assert page.locator("table").count() >= 5
        found["closed"] = violations(page)
        fill(page, served, "/check", receipt=served.site.receipt("an").decode())
        assert page.locator("svg.qr").count() == 1
        found["checked"] = violations(page)
        fill(page, served, f"{PATH}/no-vote", place=json.dumps(served.site.place("an")))
        found["found"] = violations(page)
        answer = served.site.officer("records", served.site.player.officer)
        fill(page, served, f"{PATH}/records", answer=answer)
        found["records"] = violations(page)
    assert {name: one for name, one in found.items() if one} == {}


def fill(page: Page, served: Served, path: str, **fields: str) -> None:
    page.goto(served.origin + path)
    for name, value in fields.items():
        page.locator(f"textarea[name={name}]").fill(value)
    page.locator("button[type=submit]").first.click()
    page.wait_for_load_state("load")


def test_the_check_would_notice(served: Served, chromium: Browser) -> None:
    with chromium.new_context(bypass_csp=True) as context:
        page = context.new_page()
        page.goto(served.origin)
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=\"/x.png\"><input>')")
        assert {one.split(":")[0] for one in violations(page)} >= {"image-alt", "label"}


def test_everything_works_without_scripts_and_from_one_origin(served: Served, chromium: Browser) -> None:
    asked: list[str] = []
    with chromium.new_context(locale="en", java_script_enabled=False) as context:
        page = context.new_page()

        def note(request: Request) -> None:
            asked.append(request.url)

        page.on("request", note)
        page.goto(served.origin)
        page.get_by_role("link", name="Meeting of lenders: 出借人会议").click()
        assert "2 / 7" in page.locator("main").inner_text()
        page.get_by_role("link", name="中文").click()
        assert page.locator("html").get_attribute("lang") == "zh-CN"
        page.get_by_role("link", name="English").click()

        signed = served.site.player.ballot("chen")
        place = json.dumps(served.site.place("chen"))
        fill(page, served, f"{PATH}/door", ballot=signed.compact, place=place)
        assert "on its way to the chain" in page.locator("[role=status]").inner_text()
        fill(page, served, f"{PATH}/no-vote", place=place)
        assert "No ballot was cast in your name" in page.locator("[role=status]").inner_text()
        upload(page, served)
        assert "was accepted, and it stands" in page.locator("[role=status]").inner_text()
    assert asked
    assert {url for url in asked if not url.startswith(f"{served.origin}/")} == set()


def upload(page: Page, served: Served) -> None:
    """Upload a picture of a receipt's code."""
    code = served.site.parts.desk.check(served.site.receipt("an")).code
    drawn = io.BytesIO()
    segno.make(str(code), error="m", micro=False).save(drawn, kind="png", scale=6)
    page.goto(f"{served.origin}/check")
    photo: FilePayload = {"name": "photo.png", "mimeType": "image/png", "buffer": drawn.getvalue()}
    page.locator("input[name=receipt_file]").set_input_files(photo)
    page.locator("button[type=submit]").click()
    page.wait_for_load_state("load")


def test_the_policy_lets_no_script_run(served: Served, chromium: Browser) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(served.origin)
        page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
            " document.body.append(s); }"
        )
        assert page.evaluate("window.ran === undefined")
        assert any("Content Security Policy" in text for text in said)


def test_a_phone_needs_no_sideways_scrolling(served: Served, chromium: Browser) -> None:
    with chromium.new_context(viewport={"width": 320, "height": 640}, locale="zh-CN") as context:
        page = context.new_page()
        for path in PAGES:
            page.goto(served.origin + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
