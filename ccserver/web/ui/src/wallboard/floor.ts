/** The floor: who does what, and who needs the supervisor. Pure. */
import type { AgentLine } from '@/lib/protocol';
import type { Key } from '@/lib/words/index.svelte';
import type { ShapeKind } from '@/parts/Shape.svelte';

const LONG_TALK_MS = 600_000;
const LONG_WRAP_MS = 120_000;

interface Look {
  word: Key;
  shape: ShapeKind;
}

const LOOKS: Readonly<Record<string, Look>> = {
  READY: { word: 'ready', shape: 'ready' },
  RESERVED: { word: 'reserved', shape: 'ready' },
  TALKING: { word: 'talking', shape: 'talking' },
  WRAP_UP: { word: 'wrapUp', shape: 'wrapup' },
  NOT_READY: { word: 'notReady', shape: 'break' },
};
const OUT: Look = { word: 'loggedOut', shape: 'break' };

export function look(line: AgentLine): Look {
  return LOOKS[line.status] ?? OUT;
}

/** Why this line needs the supervisor, or null. Missed calls pause an agent without their asking for it. */
export function flag(line: AgentLine, nowMs: number): Key | null {
  const ms = nowMs - line.since_utc_ms;
  if (line.status === 'TALKING' && ms > LONG_TALK_MS) return 'flagTalk';
  if (line.status === 'WRAP_UP' && ms > LONG_WRAP_MS) return 'flagWrap';
  if (line.status === 'NOT_READY' && line.reason === 'missed_offers') return 'reason_missed_offers';
  if (line.status === 'NOT_READY' && line.reason === 'phone_lost') return 'reason_phone_lost';
  return null;
}

/** Those logged in, by name; rows never reorder while states change. */
export function present(lines: readonly AgentLine[]): AgentLine[] {
  const here = lines.filter((line) => line.status !== 'LOGGED_OUT');
  return here.sort((a, b) => a.name.localeCompare(b.name));
}
