/** The agent's own keys, kept in this browser. */
import { DEFAULT_KEYS, type Action, type KeyMap } from '@/lib/keys';

const MAP = 'ccserver.keys';
const SINGLE = 'ccserver.keys.single';

export class Hotkeys {
  map = $state.raw<KeyMap>(DEFAULT_KEYS);
  /** Single characters are shortcuts outside text fields (WCAG 2.1.4: they can be switched off). */
  single = $state(true);

  constructor() {
    const stored = JSON.parse(localStorage.getItem(MAP) ?? '{}') as Partial<KeyMap>;
    this.map = { ...DEFAULT_KEYS, ...stored };
    this.single = localStorage.getItem(SINGLE) !== 'off';
  }

  change(action: Action, combination: string): void {
    this.map = { ...this.map, [action]: combination };
    localStorage.setItem(MAP, JSON.stringify(this.map));
  }

  reset(): void {
    this.map = DEFAULT_KEYS;
    localStorage.removeItem(MAP);
  }

  switchSingle(on: boolean): void {
    this.single = on;
    localStorage.setItem(SINGLE, on ? 'on' : 'off');
  }
}
