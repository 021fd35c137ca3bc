/** What stands in each tile: the figure, its unit, and the line below. Pure but for the words. */
import { duration, percent, type Language } from '@/lib/format';
import { t, type Key } from '@/lib/words/index.svelte';
import { abandonRate, LEVEL_TARGET, waitMs, type Figures, type Level, type TileId } from './kpi';

export interface TileText {
  label: string;
  figure: string;
  unit: string;
  below: string;
  /** No number because too few calls. */
  few: boolean;
}

const LABELS: Readonly<Record<TileId, Key>> = {
  waiting: 'kpiWaiting',
  longest: 'kpiLongest',
  level: 'kpiLevel',
  ready: 'kpiReady',
  abandoned: 'kpiAbandoned',
  asa: 'kpiAsa',
};

/** From ten minutes on the seconds do not matter, and `12 min` can be read from further away. */
function waited(ms: number): [string, string] {
  return ms < 600_000 ? [duration(ms), ''] : [String(Math.floor(ms / 60_000)), t('minutes')];
}

function figure(tile: TileId, now: Figures, nowMs: number, language: Language): [string, string] | null {
  switch (tile) {
    case 'waiting':
      return [String(now.waiting), ''];
    case 'longest':
      return waited(waitMs(now, nowMs));
    case 'level':
      return now.level === null ? null : [percent(now.level, 0, language), '%'];
    case 'ready':
      return [String(now.ready), t('ofN', { n: now.staffed })];
    case 'abandoned': {
      const rate = abandonRate(now);
      return rate === null ? null : [percent(rate, rate < 0.0995 ? 1 : 0, language), '%'];
    }
    case 'asa':
      return now.asa_s === null ? null : waited(Math.round(now.asa_s) * 1000);
  }
}

function below(tile: TileId, now: Figures): string {
  switch (tile) {
    case 'longest':
      return t('targetTime', { time: duration(now.target_s * 1000) });
    case 'level':
      return t('targetLevel', { n: percent(LEVEL_TARGET, 0, 'en'), s: now.target_s });
    case 'abandoned':
      return t('todayN', { n: now.abandoned });
    case 'asa':
      return t('answeredN', { n: now.answered });
    default:
      return '';
  }
}

export function tileText(tile: TileId, now: Figures, nowMs: number, language: Language): TileText {
  const shown = figure(tile, now, nowMs, language);
  const [text, unit] = shown ?? [t('fewCalls'), ''];
  return { label: t(LABELS[tile]), figure: text, unit, below: below(tile, now), few: shown === null };
}

/** The one line at the bottom: the worst thing now in words, else how the service level is computed. */
export function bottomLine(
  levels: Readonly<Record<TileId, Level>>,
  now: Figures,
  nowMs: number,
  pbxUp: boolean,
  language: Language,
): { level: Level; text: string } {
  if (!pbxUp) return { level: 'act', text: t('pbxIsDown') };
  if (levels.ready === 'act') return { level: 'act', text: t('nobodyReady', { n: now.waiting }) };
  const words: Partial<Record<TileId, string>> = {
    longest: t('longestIs', { time: duration(waitMs(now, nowMs)), target: duration(now.target_s * 1000) }),
    waiting: t('manyWaiting', { n: now.waiting }),
    level: t('levelIs', { n: percent(now.level ?? 0, 0, language) }),
    abandoned: t('abandonedIs', { n: percent(abandonRate(now) ?? 0, 1, language) }),
  };
  for (const level of ['act', 'watch'] as const) {
    const tile = (['longest', 'waiting', 'level', 'abandoned'] as const).find((one) => levels[one] === level);
    if (tile) return { level, text: words[tile] ?? '' };
  }
  return { level: 'normal', text: t('formulaShort', { s: now.target_s }) };
}
