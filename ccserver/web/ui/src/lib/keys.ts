/**
 * Keys and what they do. Pure: a key event's parts in, an action out. Function keys and Ctrl/Alt chords work
 * everywhere; single characters only outside text fields and only while the agent has them switched on.
 */

export const ACTIONS = [
  'accept',
  'decline',
  'transfer',
  'end',
  'regionNext',
  'regionPrevious',
  'itemPrevious',
  'itemNext',
  'palette',
  'submit',
  'note',
  'script',
  'wrapUp',
  'status',
  'search',
  'keys',
] as const;

export type Action = (typeof ACTIONS)[number];
export type KeyMap = Readonly<Record<Action, string>>;

export const DEFAULT_KEYS: KeyMap = {
  accept: 'F2',
  decline: 'Shift+F2',
  transfer: 'F9',
  end: 'Shift+F9',
  regionNext: 'F6',
  regionPrevious: 'Shift+F6',
  itemPrevious: 'Alt+ArrowUp',
  itemNext: 'Alt+ArrowDown',
  palette: 'Ctrl+K',
  submit: 'Ctrl+Enter',
  note: 'N',
  script: 'S',
  wrapUp: 'W',
  status: 'P',
  search: '/',
  keys: '?',
};

export interface KeyPress {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

const MODIFIERS: ReadonlySet<string> = new Set(['Shift', 'Control', 'Alt', 'Meta', 'AltGraph']);

/** `Shift+F9`, `Ctrl+K`, `?`; null for a modifier alone. Cmd counts as Ctrl. Shift is part of a character. */
export function chord(press: KeyPress): string | null {
  if (MODIFIERS.has(press.key)) return null;
  const single = press.key.length === 1;
  const parts: string[] = [];
  if (press.ctrlKey || press.metaKey) parts.push('Ctrl');
  if (press.altKey) parts.push('Alt');
  if (press.shiftKey && !single) parts.push('Shift');
  parts.push(press.key === ' ' ? 'Space' : single ? press.key.toUpperCase() : press.key);
  return parts.join('+');
}

/** One character without Ctrl or Alt: what WCAG 2.1.4 calls a character key shortcut. */
export function isSingleKey(combination: string): boolean {
  return combination.length === 1;
}

export function actionOf(map: KeyMap, combination: string): Action | null {
  return ACTIONS.find((action) => map[action] === combination) ?? null;
}

/** Which other action already has this combination; null when it is free. */
export function clash(map: KeyMap, action: Action, combination: string): Action | null {
  return ACTIONS.find((other) => other !== action && map[other] === combination) ?? null;
}

const NAMES: Readonly<Record<string, string>> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
};

/** For eyes: `Alt+↑`. */
export function shown(combination: string): string {
  return combination
    .split('+')
    .map((part) => NAMES[part] ?? part)
    .join('+');
}
