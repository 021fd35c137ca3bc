/** What can be said about an entry before the server is asked, and which field the server's refusal is about. */
import { ApiError } from '@/lib/api';
import type { Key } from './words';

export type Field = 'name' | 'label' | 'role' | 'password' | 'form';

export interface Problem {
  field: Field;
  key: Key;
  params: Readonly<Record<string, string | number>>;
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const MIN_CHARS = 10;
const MAX_CHARS = 256;
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const GROUPS = 4;
const GROUP_CHARS = 4;

const problem = (field: Field, key: Key, params: Problem['params'] = {}): Problem => ({ field, key, params });

/** As the server stores it. */
export const cleanName = (text: string): string => text.trim().toLowerCase();

export function checkName(text: string): Problem | null {
  const name = cleanName(text);
  if (name === '') return problem('name', 'problem_noName');
  return NAME.test(name) ? null : problem('name', 'problem_badName');
}

export function checkLabel(text: string): Problem | null {
  return text.trim() === '' ? problem('label', 'problem_noLabel') : null;
}

export function checkPassword(password: string, name: string): Problem | null {
  const chars = [...password].length;
  if (chars < MIN_CHARS) return problem('password', 'problem_short', { n: chars });
  if (chars > MAX_CHARS) return problem('password', 'problem_long');
  const inside = name !== '' && password.toLowerCase().includes(name.toLowerCase());
  return inside ? problem('password', 'problem_nameInside') : null;
}

const REFUSALS: Readonly<Record<string, readonly [Field, Key]>> = {
  bad_name: ['name', 'problem_badName'],
  name_taken: ['name', 'problem_taken'],
  weak_password: ['password', 'problem_weak'],
  own_account: ['role', 'roleOwn'],
  not_found: ['form', 'problem_gone'],
  unreachable: ['form', 'problem_unreachable'],
  database_away: ['form', 'problem_database'],
  csrf: ['form', 'problem_session'],
};

/** The server's refusal, at the field it is about. */
export function refusal(error: ApiError): Problem {
  const [field, key] = REFUSALS[error.code] ?? (['form', 'problem_other'] as const);
  return problem(field, key, { message: error.message });
}

/** A password to say over the telephone: no letter that looks like another. 4 × 4 of 31 signs, 79 bits. */
export function madeUp(): string {
  const signs: string[] = [];
  while (signs.length < GROUPS * GROUP_CHARS) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    // The last bytes would make the first letters likelier: they are thrown away.
    if (byte !== undefined && byte < Math.floor(256 / ALPHABET.length) * ALPHABET.length)
      signs.push(ALPHABET[byte % ALPHABET.length] ?? '');
  }
  return Array.from({ length: GROUPS }, (_, at) =>
    signs.slice(at * GROUP_CHARS, (at + 1) * GROUP_CHARS).join(''),
  ).join('-');
}
