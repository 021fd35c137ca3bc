/** Where the caret was in each item, and bringing it back there. */

interface Place {
  id: string;
  start: number | null;
  end: number | null;
  scroll: number;
}

function editable(element: Element | null): element is HTMLInputElement | HTMLTextAreaElement {
  if (element instanceof HTMLTextAreaElement) return true;
  return element instanceof HTMLInputElement && !['radio', 'checkbox', 'range', 'button'].includes(element.type);
}

export class FocusMemory {
  private readonly places = new Map<string, Place>();

  isTyping(): boolean {
    return editable(document.activeElement);
  }

  leave(interaction: string | null): void {
    const element = document.activeElement;
    if (interaction === null || !(element instanceof HTMLElement) || element.id === '') return;
    const [start, end] = editable(element) ? [element.selectionStart, element.selectionEnd] : [null, null];
    this.places.set(interaction, { id: element.id, start, end, scroll: element.scrollTop });
  }

  forget(interaction: string): void {
    this.places.delete(interaction);
  }

  /** After the page was drawn: to the heading of what is shown, or to where the caret was in an interaction. */
  settle(wanted: string): void {
    const place = this.places.get(wanted) ?? null;
    const element = document.getElementById(place?.id ?? 'item-heading');
    if (!(element instanceof HTMLElement)) return;
    element.focus({ preventScroll: true });
    if (place && editable(element) && place.start !== null) {
      element.setSelectionRange(place.start, place.end ?? place.start);
      element.scrollTop = place.scroll;
    }
  }
}

const FOCUSABLE =
  'button:not(:disabled), input:not(:disabled), textarea:not(:disabled), select:not(:disabled), [tabindex]';

function firstIn(region: HTMLElement): HTMLElement | null {
  return region.querySelector<HTMLElement>(FOCUSABLE);
}

/** F6: the regions in page order, each a landmark with `data-region`. True when there was a next one. */
export function moveRegion(by: 1 | -1): boolean {
  const shown = (element: HTMLElement): boolean => element.offsetParent !== null || element.offsetHeight > 0;
  const all = [...document.querySelectorAll<HTMLElement>('[data-region]')].filter(shown);
  const regions = all.filter((region) => region.hasAttribute('tabindex') || firstIn(region) !== null);
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[at < 0 ? (by > 0 ? 0 : regions.length - 1) : at + by];
  if (!next) return false;
  (firstIn(next) ?? next).focus();
  return true;
}

/** Two controls must not trade places under a pointer: clicks within half a second of appearing are dropped. */
export function settled(node: HTMLElement): () => void {
  const bornMs = performance.now();
  const guard = (event: Event): void => {
    const byPointer = event instanceof MouseEvent && event.detail > 0;
    if (!byPointer || performance.now() - bornMs > 500) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  node.addEventListener('click', guard, { capture: true });
  return () => node.removeEventListener('click', guard, { capture: true });
}
