/** Durations and clock times as people read them. Pure; instants are UTC milliseconds. */

export type Language = 'en' | 'id';

/** `0:48`, `14:02`, `1:04:09`; never negative. */
export function duration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = String(total % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

/** Whole seconds left, rounded up, so that a countdown shows 20 first and 0 only when it is over. */
export function secondsLeft(deadlineMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((deadlineMs - nowMs) / 1000));
}

/** `10:44` in English, `10.44` in Indonesian, in the browser's time zone. */
export function clock(utcMs: number, language: Language): string {
  const at = new Date(utcMs);
  const hours = String(at.getHours()).padStart(2, '0');
  const minutes = String(at.getMinutes()).padStart(2, '0');
  return language === 'id' ? `${hours}.${minutes}` : `${hours}:${minutes}`;
}

const LOCALE: Readonly<Record<Language, string>> = { en: 'en-GB', id: 'id-ID' };

/** `3 Nov`, with the year when it is not this one. */
export function day(utcMs: number, nowMs: number, language: Language): string {
  const at = new Date(utcMs);
  const year = at.getFullYear() === new Date(nowMs).getFullYear() ? {} : { year: 'numeric' as const };
  return at.toLocaleDateString(LOCALE[language], { day: 'numeric', month: 'short', ...year });
}

/** Money without a currency sign: the site's minor units, grouped. */
export function money(cents: number, language: Language): string {
  return new Intl.NumberFormat(LOCALE[language], { maximumFractionDigits: 0 }).format(cents / 100);
}

export function percent(ratio: number, digits: number, language: Language): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(LOCALE[language], options).format(ratio * 100);
}
