import { describe, expect, it } from 'vitest';
import { en } from '@/lib/words/en';
import { id } from '@/lib/words/id';

const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((hole) => hole[1] ?? '').sort();

describe('the two languages', () => {
  it('have the same words with the same gaps to fill', () => {
    expect(Object.keys(id).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of Object.entries(en)) {
      expect([key, holes(id[key as keyof typeof id])]).toEqual([key, holes(text)]);
    }
  });

  it('leave nothing empty and nothing untranslated but names', () => {
    const same = Object.keys(en).filter((key) => en[key as keyof typeof en] === id[key as keyof typeof id]);
    expect(same.map((key) => en[key as keyof typeof en])).toEqual(
      expect.arrayContaining(['Status', 'Supervisor', 'Administrator', 'Demo', 'target {time}']),
    );
    expect(same.length).toBeLessThanOrEqual(8);
    expect(Object.values(id).filter((text) => text.trim() === '')).toEqual([]);
  });
});
