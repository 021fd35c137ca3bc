import { describe, expect, it } from 'vitest';
import type { Board } from '@/lib/protocol';
import { abandonRate, figures, HOLD_MS, Levels, type Figures, type Level, type TileId } from '@/wallboard/kpi';

const calm: Figures = {
  label: 'Billing',
  waiting: 0,
  oldest_utc_ms: null,
  ready: 5,
  staffed: 14,
  offered: 100,
  answered: 98,
  abandoned: 2,
  level: 0.9,
  asa_s: 10,
  target_s: 20,
};
const at = (changes: Partial<Figures>, nowMs = 0): Record<TileId, Level> =>
  new Levels().read({ ...calm, ...changes }, nowMs);

describe('levels', () => {
  it.each<[TileId, Partial<Figures>, Level]>([
    ['waiting', { waiting: 1 }, 'normal'],
    ['waiting', { waiting: 2 }, 'watch'],
    ['waiting', { waiting: 3 }, 'act'],
    ['waiting', { waiting: 3, staffed: 30 }, 'watch'],
    ['waiting', { waiting: 6, staffed: 30 }, 'act'],
    ['longest', { oldest_utc_ms: -20_000 }, 'normal'],
    ['longest', { oldest_utc_ms: -20_001 }, 'watch'],
    ['longest', { oldest_utc_ms: -60_001 }, 'act'],
    ['level', { level: null }, 'normal'],
    ['level', { level: 0.8 }, 'normal'],
    ['level', { level: 0.79 }, 'watch'],
    ['level', { level: 0.69 }, 'act'],
    ['ready', { ready: 2 }, 'normal'],
    ['ready', { ready: 1 }, 'watch'],
    ['ready', { ready: 0 }, 'normal'],
    ['ready', { ready: 0, waiting: 1 }, 'act'],
    ['abandoned', { abandoned: 4 }, 'normal'],
    ['abandoned', { abandoned: 5 }, 'watch'],
    ['abandoned', { abandoned: 9 }, 'act'],
    ['abandoned', { abandoned: 9, offered: 19 }, 'normal'],
  ])('%s with %o is %s', (tile, changes, level) => expect(at(changes)[tile]).toBe(level));

  it('hold for 30 s before they change, longest wait at once', () => {
    const levels = new Levels();
    const worse = { ...calm, waiting: 3, oldest_utc_ms: 0 };
    levels.read(calm, 0);
    expect(levels.read(worse, 61_000)).toMatchObject({ waiting: 'normal', longest: 'act' });
    expect(levels.read(worse, 61_000 + HOLD_MS - 1).waiting).toBe('normal');
    expect(levels.read(worse, 61_000 + HOLD_MS).waiting).toBe('act');
  });

  it('start again when the reading goes back before its time', () => {
    const levels = new Levels();
    const worse = { ...calm, waiting: 3 };
    levels.read(calm, 0);
    levels.read(worse, 1_000);
    levels.read(calm, 20_000);
    levels.read(worse, 21_000);
    expect(levels.read(worse, 40_000).waiting).toBe('normal');
  });
});

describe('figures', () => {
  const line = { id: 'billing', label: 'Billing', offered: 9, service_level: 0.5 };
  const board = { site: 'Site', service_level_30min: 0.7, queues: [line, { ...line, id: 'b', label: 'B' }] };

  it('say nothing about too few calls', () => {
    expect(abandonRate({ ...calm, offered: 19, abandoned: 3 })).toBeNull();
    expect(figures(board as unknown as Board, 'billing').level).toBeNull();
  });

  it('are the site, named by its queues, or one queue', () => {
    expect(figures(board as unknown as Board, '')).toMatchObject({ label: 'Billing + B', level: 0.7 });
    expect(figures(board as unknown as Board, 'b').label).toBe('B');
    expect(figures(board as unknown as Board, 'gone').label).toBe('Billing + B');
  });
});
