"""A page by keyboard alone: Tab comes by all that can be used, and can be seen each time.

WCAG 2.2: 2.1.1 (keyboard), 2.1.2 (no trap), 2.4.7 (focus visible).
"""

from __future__ import annotations

from playwright.sync_api import Page

ROUNDS = 8
"""What scrolls is a stop as well, and so is each part of some fields: it takes a few more than there are."""

STOPS = """() => {
    const usable = (one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility();
    const all = [...document.querySelectorAll("*")].filter(usable);
    const beside = (one, other) => other.type === "radio" && other.name === one.name && other.form === one.form;
    const kin = (one) => all.filter((other) => beside(one, other));
    const first = (one) => kin(one).find((other) => other.checked) || kin(one)[0];
    window.stops = all.filter((one) => one.type !== "radio" || one === first(one));
    window.passed = [];
    document.addEventListener("focusin", (event) => {
        const style = getComputedStyle(event.target);
        const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
        window.passed.push([window.stops.indexOf(event.target), seen, event.target.outerHTML.slice(0, 80)]);
    });
    return window.stops.length;
}"""
"""Where Tab has to stop: whatever can be used and is there to be seen, and of a group of choices the chosen one."""


def walk(page: Page) -> None:
    """Press Tab until everything was passed. Raises AssertionError where something is not, or is unseen."""
    wanted = page.evaluate(STOPS)
    assert page.locator("[tabindex]:not([tabindex='0'], [tabindex='-1'])").count() == 0, "an order of its own"
    passed: list[tuple[int, bool, str]] = []
    for _ in range(ROUNDS):
        for _ in range(wanted // 2 + 10):
            page.keyboard.press("Tab")
        passed = page.evaluate("window.passed")
        if {place for place, _, _ in passed} >= set(range(wanted)):
            break
    missed = sorted(set(range(wanted)) - {place for place, _, _ in passed})
    assert missed == [], [page.evaluate("place => window.stops[place].outerHTML", place) for place in missed]
    assert [what for _, seen, what in passed if not seen] == [], "the focus cannot be seen"
