/** `w()`: a word of the users page in the language of the page. */
import type { Language } from '@/lib/format';
import { fill, speech } from '@/lib/words/index.svelte';
import { en, type Key, type Words } from './en';
import { id } from './id';

export type { Key } from './en';

const TABLES: Readonly<Record<Language, Words>> = { en, id };

export function w(key: Key, params: Readonly<Record<string, string | number>> = {}): string {
  return fill(TABLES[speech.language][key], params);
}
