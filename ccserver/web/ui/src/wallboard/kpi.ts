/**
 * From a board frame to six tiles. Pure: the numbers, when each is Watch or Act, and the 30 s a new state must
 * hold before it is shown (longest wait changes at once). Too few calls give no number.
 */
import type { Board, QueueBoard } from '@/lib/protocol';

export type Level = 'normal' | 'watch' | 'act';
export type TileId = 'waiting' | 'longest' | 'level' | 'ready' | 'abandoned' | 'asa';
export const TILES: readonly TileId[] = ['waiting', 'longest', 'level', 'ready', 'abandoned', 'asa'];

export const HOLD_MS = 30_000;
export const STALE_MS = 10_000;
export const LEVEL_TARGET = 0.8;
const LEVEL_ACT = 0.7;
const MIN_OFFERED_LEVEL = 10;
const MIN_OFFERED_ABANDONED = 20;

/** The figures of the whole site or of one queue. */
export interface Figures {
  label: string;
  waiting: number;
  oldest_utc_ms: number | null;
  ready: number;
  staffed: number;
  offered: number;
  answered: number;
  abandoned: number;
  level: number | null;
  asa_s: number | null;
  target_s: number;
}

function ofQueue(queue: QueueBoard): Figures {
  const level = queue.offered < MIN_OFFERED_LEVEL ? null : queue.service_level;
  return { ...queue, level };
}

/** The whole site; or the queue named, when the board has it. */
export function figures(board: Board, queue: string): Figures {
  const one = board.queues.find((line) => line.id === queue);
  if (one) return ofQueue(one);
  const label = board.queues.length <= 3 ? board.queues.map((line) => line.label).join(' + ') : board.site;
  return { ...board, label: label || board.site, level: board.service_level_30min };
}

export function waitMs(now: Figures, nowMs: number): number {
  return now.oldest_utc_ms === null ? 0 : Math.max(0, nowMs - now.oldest_utc_ms);
}

/** Abandoned ÷ offered today; null below 20 offered. */
export function abandonRate(now: Figures): number | null {
  return now.offered < MIN_OFFERED_ABANDONED ? null : now.abandoned / now.offered;
}

function steps(value: number, watch: number, act: number): Level {
  if (value >= act) return 'act';
  return value >= watch ? 'watch' : 'normal';
}

const RULES: Readonly<Record<TileId, (now: Figures, nowMs: number) => Level>> = {
  waiting: (now) => steps(now.waiting, Math.max(2, now.staffed * 0.1), Math.max(3, now.staffed * 0.2)),
  longest: (now, nowMs) => {
    const target = now.target_s * 1000;
    const wait = waitMs(now, nowMs);
    if (wait > 3 * target) return 'act';
    return wait > target ? 'watch' : 'normal';
  },
  level: (now) => {
    if (now.level === null || now.level >= LEVEL_TARGET) return 'normal';
    return now.level < LEVEL_ACT ? 'act' : 'watch';
  },
  ready: (now) => {
    if (now.ready === 0 && now.waiting > 0) return 'act';
    return now.ready === 1 ? 'watch' : 'normal';
  },
  abandoned: (now) => {
    const rate = abandonRate(now);
    if (rate === null || rate < 0.05) return 'normal';
    return rate > 0.08 ? 'act' : 'watch';
  },
  asa: () => 'normal',
};

interface Held {
  shown: Level;
  next: Level;
  sinceMs: number;
}

/** Shows a new level only after it has held for 30 s; the first reading and the longest wait show at once. */
export class Levels {
  private readonly held = new Map<TileId, Held>();

  read(now: Figures, nowMs: number): Record<TileId, Level> {
    const result = {} as Record<TileId, Level>;
    for (const tile of TILES) result[tile] = this.step(tile, RULES[tile](now, nowMs), nowMs);
    return result;
  }

  private step(tile: TileId, level: Level, nowMs: number): Level {
    const before = this.held.get(tile);
    if (!before || tile === 'longest') {
      this.held.set(tile, { shown: level, next: level, sinceMs: nowMs });
      return level;
    }
    if (level !== before.next) {
      before.next = level;
      before.sinceMs = nowMs;
    }
    if (nowMs - before.sinceMs >= HOLD_MS) before.shown = before.next;
    return before.shown;
  }
}
