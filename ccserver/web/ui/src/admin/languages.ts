/** The languages of the pages, each by its own name. */
import type { Language } from '@/lib/format';

export const LANGUAGES: readonly (readonly [Language, string])[] = [
  ['en', 'English'],
  ['id', 'Indonesia'],
];

export const languageName = (code: string): string => LANGUAGES.find(([one]) => one === code)?.[1] ?? code;
