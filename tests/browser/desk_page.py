"""What tests do on the desk page, in their own words."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Locator, Page, expect

Boxes = dict[str, dict[str, float]]


def region(page: Page, name: str) -> Locator:
    """One of the desk's fixed regions."""
    return page.locator(f"[data-region={name}]")


def note(page: Page) -> Locator:
    """The note of the selected item."""
    return page.locator("textarea")


async def caret(page: Page) -> tuple[int, int]:
    """Where the caret is in the note."""
    place: list[int] = await note(page).evaluate("box => [box.selectionStart, box.selectionEnd]")
    return place[0], place[1]


async def focused(page: Page) -> str:
    """The id of the element with focus, else its tag."""
    return str(
        await page.evaluate("document.activeElement.id || document.activeElement.tagName.toLowerCase()")
    )


async def boxes(page: Page) -> Boxes:
    """Place and size of every region that is shown."""
    return dict(
        await page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll('[data-region], .main')]
              .filter(e => e.offsetHeight > 0)
              .map(e => [e.dataset.region ?? 'main', e.getBoundingClientRect().toJSON()]))"""
        )
    )


CLIPPED = """() => {
  const shown = e => e.checkVisibility({ opacityProperty: true, visibilityProperty: true })
    && !e.closest('.sr') && getComputedStyle(e).clipPath === 'none';
  const reachable = e => {
    for (let box = e.parentElement; box; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (['auto', 'scroll'].includes(style.overflowY)) return true;
      const r = e.getBoundingClientRect(), b = box.getBoundingClientRect();
      const cuts = style.overflow !== 'visible';
      if (cuts && (r.right > b.right + 1 || r.bottom > b.bottom + 1 || r.left < b.left - 1)) return false;
    }
    return true;
  };
  const controls = [...document.querySelectorAll('button, a, input, textarea, select')].filter(shown);
  return controls.filter(e => {
    const r = e.getBoundingClientRect();
    if (e.type === 'radio' || e.type === 'checkbox') return false;
    const wordsCut = e.tagName === 'BUTTON' && !e.matches('.user-menu, .status, .who, .row, .find')
      && [e, ...e.querySelectorAll('*')].some(x => x.scrollWidth > x.clientWidth + 1 && x.clientWidth > 1
          && getComputedStyle(x).display !== 'inline' && getComputedStyle(x).clipPath === 'none');
    return r.width < 16 || r.left < -1 || r.right > innerWidth + 1 || wordsCut || !reachable(e);
  }).concat([...document.querySelectorAll('label *, legend, th, dt')].filter(e =>
    shown(e) && e.tagName !== 'INPUT' && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1
  )).map(e => (e.getAttribute('aria-label') || e.textContent || e.id).trim());
}"""
"""Controls that are cut off, pushed out of the window, or whose words do not fit."""


async def clipped(page: Page) -> list[str]:
    """Names of controls that are lost or cut at this width."""
    return list(await page.evaluate(CLIPPED))


async def until(page: Page, condition: Any) -> None:
    """Wait until `condition()` holds."""
    for _ in range(200):
        if condition():
            return
        await page.wait_for_timeout(50)
    raise AssertionError("it did not become true within 10 s")


__all__ = ["boxes", "caret", "clipped", "expect", "focused", "note", "region", "until"]
