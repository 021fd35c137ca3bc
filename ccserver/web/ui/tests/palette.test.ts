import { expect, it } from 'vitest';
import { matching } from '@/desk/commands';

const command = (group: string, label: string) => ({ group, label, run: () => undefined });

it('finds by the beginning of words, its own before those of its group', () => {
  const all = [command('Reason', 'Complaint'), command('Reason', 'Refund promised'), command('Status', 'Go ready')];
  const labels = (typed: string): string[] => matching(all, typed).map((one) => one.label);
  expect(labels('')).toEqual(['Complaint', 'Refund promised', 'Go ready']);
  expect(labels('re')).toEqual(['Refund promised', 'Go ready', 'Complaint']);
  expect(labels('rea com')).toEqual(['Complaint']);
  expect(labels('eady')).toEqual([]);
});
