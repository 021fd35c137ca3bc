import { describe, expect, it } from 'vitest';
import { landing } from '@/lib/api';
import { Drafts, type Store } from '@/lib/drafts';
import { clock, duration, percent, secondsLeft } from '@/lib/format';
import { ACTIONS, actionOf, chord, clash, DEFAULT_KEYS, isSingleKey, shown } from '@/lib/keys';

describe('durations', () => {
  it.each([
    [-5, '0:00'],
    [48_999, '0:48'],
    [842_000, '14:02'],
    [3_849_000, '1:04:09'],
  ])('%i ms is %s', (ms, words) => expect(duration(ms)).toBe(words));

  it('count down from whole seconds and stop at zero', () => {
    expect([secondsLeft(20_000, 0), secondsLeft(20_000, 1), secondsLeft(20_000, 19_001)]).toEqual([20, 20, 1]);
    expect(secondsLeft(20_000, 99_000)).toBe(0);
  });

  it('and clocks follow the language', () => {
    const at = new Date(2026, 10, 22, 10, 4).getTime();
    expect([clock(at, 'en'), clock(at, 'id')]).toEqual(['10:04', '10.04']);
    expect([percent(0.031, 1, 'en'), percent(0.031, 1, 'id')]).toEqual(['3.1', '3,1']);
  });
});

describe('keys', () => {
  const press = (key: string, mods: Partial<Record<'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey', boolean>> = {}) =>
    chord({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...mods });

  it('are named the same whatever the keyboard', () => {
    expect(press('F2')).toBe('F2');
    expect(press('F9', { shiftKey: true })).toBe('Shift+F9');
    expect(press('k', { metaKey: true })).toBe('Ctrl+K');
    expect(press('?', { shiftKey: true })).toBe('?');
    expect(press('Shift', { shiftKey: true })).toBeNull();
  });

  it('do one thing each', () => {
    expect(new Set(Object.values(DEFAULT_KEYS)).size).toBe(ACTIONS.length);
    expect(actionOf(DEFAULT_KEYS, 'F2')).toBe('accept');
    expect(actionOf(DEFAULT_KEYS, 'Escape')).toBeNull();
    expect(clash(DEFAULT_KEYS, 'accept', 'F9')).toBe('transfer');
    expect(clash(DEFAULT_KEYS, 'accept', 'F2')).toBeNull();
  });

  it('are shown with arrows, and single ones are known', () => {
    expect(shown('Alt+ArrowUp')).toBe('Alt+↑');
    expect([isSingleKey('N'), isSingleKey('Ctrl+K'), isSingleKey('F2')]).toEqual([true, false, false]);
  });
});

class MemoryStore implements Store {
  private readonly kept = new Map<string, string>();
  getItem = (key: string): string | null => this.kept.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.kept.set(key, value);
  removeItem = (key: string): void => void this.kept.delete(key);
  key = (index: number): string | null => [...this.kept.keys()][index] ?? null;
  get length(): number {
    return this.kept.size;
  }
}

describe('drafts', () => {
  const words = { note: 'a', disposition: '', next: 'ready', answers: {} } as const;

  it('stay with their interaction and their agent', () => {
    const store = new MemoryStore();
    const ayu = new Drafts(store, 'ayu', () => 1);
    ayu.write('i1', { ...words, note: 'one' });
    ayu.write('i2', { ...words, note: 'two' });
    expect([ayu.read('i1')?.note, ayu.read('i2')?.note]).toEqual(['one', 'two']);
    expect(new Drafts(store, 'budi', () => 1).read('i1')).toBeNull();
    ayu.forget('i1');
    expect([ayu.read('i1'), ayu.read('i2')?.note]).toEqual([null, 'two']);
  });

  it('go after a day, and leave what is not ours', () => {
    const store = new MemoryStore();
    let now = 0;
    const drafts = new Drafts(store, 'ayu', () => now);
    store.setItem('other', 'x');
    drafts.write('old', words);
    now = 20 * 3_600_000;
    drafts.write('new', words);
    now = 25 * 3_600_000;
    drafts.prune();
    expect([drafts.read('old'), drafts.read('new')?.note, store.getItem('other')]).toEqual([null, 'a', 'x']);
  });
});

describe('after login', () => {
  it.each([
    ['agent', '', '/desk'],
    ['supervisor', '', '/wallboard?view=floor'],
    ['admin', '', '/admin'],
    ['agent', '?next=/wallboard?queue=billing', '/wallboard?queue=billing'],
    ['supervisor', '?next=/desk', '/wallboard?view=floor'],
    ['agent', '?next=/admin', '/desk'],
    ['agent', '?next=https://evil.example', '/desk'],
    ['agent', '?next=//evil.example/desk', '/desk'],
    ['agent', '?next=/desk/../../evil', '/desk'],
  ])('%s with %s goes to %s', (role, search, where) => expect(landing(role, search)).toBe(where));
});
