import { describe, expect, it } from 'vitest';
import { checkLabel, checkName, checkPassword, cleanName, madeUp, refusal } from '@/admin/checks';
import { en } from '@/admin/words/en';
import { id } from '@/admin/words/id';
import { ApiError } from '@/lib/api';

const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((hole) => hole[1] ?? '').sort();

describe('what is said about an entry', () => {
  it('knows a login name as the server does', () => {
    expect(cleanName('  Ayu ')).toBe('ayu');
    for (const good of ['ayu', 'a.b-c_d', '7', 'AYU']) expect([good, checkName(good)]).toEqual([good, null]);
    expect(checkName(' ')?.key).toBe('problem_noName');
    for (const bad of ['.a', 'a b', 'é', 'x'.repeat(65), '<b>']) expect(checkName(bad)?.key).toBe('problem_badName');
  });

  it('wants a name for others, and a password that is long and not the name', () => {
    expect(checkLabel(' ')?.field).toBe('label');
    expect(checkLabel('Ayu')).toBeNull();
    expect(checkPassword('short', 'ayu')).toMatchObject({ key: 'problem_short', params: { n: 5 } });
    expect(checkPassword('x'.repeat(257), 'ayu')?.key).toBe('problem_long');
    expect(checkPassword('my name is AYU', 'ayu')?.key).toBe('problem_nameInside');
    expect(checkPassword('long enough 1', '')).toBeNull();
  });

  it('puts the refusal of the server at its field, and says what is unknown in the words it has', () => {
    expect(refusal(new ApiError(409, 'name_taken', 'x')).field).toBe('name');
    expect(refusal(new ApiError(400, 'weak_password', 'x')).field).toBe('password');
    expect(refusal(new ApiError(500, 'internal', 'A fault.'))).toMatchObject({
      field: 'form',
      key: 'problem_other',
      params: { message: 'A fault.' },
    });
  });

  it('makes up passwords that pass, without letters that look alike', () => {
    const made = Array.from({ length: 200 }, madeUp);
    expect(new Set(made).size).toBe(200);
    for (const one of made) {
      expect(one).toMatch(/^([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}$/);
      expect(checkPassword(one, 'somebody')).toBeNull();
    }
  });
});

describe('the words of the users page', () => {
  it('are the same in both languages, with the same gaps', () => {
    expect(Object.keys(id)).toEqual(Object.keys(en));
    for (const [key, text] of Object.entries(en)) {
      expect([key, holes(id[key as keyof typeof id])]).toEqual([key, holes(text)]);
    }
    expect(Object.keys(en).filter((key) => en[key as keyof typeof en] === id[key as keyof typeof id])).toEqual([]);
  });
});
