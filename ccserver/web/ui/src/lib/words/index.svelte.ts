/** The language of the page, and `t()`: a key of the word table, filled in. Changing it redraws the page. */
import type { Language } from '../format';
import { en, type Key, type Words } from './en';
import { id } from './id';

export type { Key } from './en';

const TABLES: Readonly<Record<Language, Words>> = { en, id };
const STORED = 'ccserver.language';

export function isLanguage(text: string | null | undefined): text is Language {
  return text === 'en' || text === 'id';
}

/** `{name}` → its value; a name that is not given stays visible, so that a slip is seen. */
export function fill(template: string, params: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

class Speech {
  language = $state<Language>('en');

  /** The stored choice, else what the browser prefers. */
  start(): void {
    const stored = localStorage.getItem(STORED);
    const preferred = navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage);
    this.show(isLanguage(stored) ? stored : (preferred ?? 'en'));
  }

  /** The agent's own language from the server, unless they chose one here. */
  suggest(language: string): void {
    if (localStorage.getItem(STORED) === null && isLanguage(language)) this.show(language);
  }

  choose(language: Language): void {
    localStorage.setItem(STORED, language);
    this.show(language);
  }

  private show(language: Language): void {
    this.language = language;
    document.documentElement.lang = language;
  }
}

export const speech = new Speech();

export function t(key: Key, params: Readonly<Record<string, string | number>> = {}): string {
  return fill(TABLES[speech.language][key], params);
}

/** The words for a code of the server (`error_` + code), or `fallback` with the code in it. */
export function coded(
  prefix: 'notice_' | 'error_' | 'reason_' | 'login_',
  code: string,
  params: Readonly<Record<string, string>>,
): string | null {
  const key = `${prefix}${code}`;
  return key in en ? t(key as Key, params) : null;
}
