import { describe, expect, it } from 'vitest';
import { applyFrame, canFinish, liveItem, type DeskData } from '@/lib/desk_state';
import type { OfferCard, Pop, ScriptPage, WorkItem } from '@/lib/protocol';

const pop = { interaction: 'i1', origin_label: '+62' } as Pop;
const offer = { offer: 'o1', interaction: 'i1', pop, script: null } as OfferCard;

function item(interaction: string, phase: WorkItem['phase'] = 'talking'): WorkItem {
  return { interaction, phase, pop: null, script: null, note: '' } as unknown as WorkItem;
}

function desk(changes: Partial<DeskData> = {}): DeskData {
  return { offer: null, work: [], ...changes } as DeskData;
}

describe('applyFrame', () => {
  it('ignores everything before the first snapshot', () => {
    expect(applyFrame(null, { v: 1, type: 'offer', n: 1, offer })).toBeNull();
  });

  it('keeps work in order of arrival when an item changes', () => {
    const before = desk({ work: [item('i1'), item('i2'), item('i3')] });
    const after = applyFrame(before, { v: 1, type: 'work', n: 2, item: item('i2', 'wrap_up') });
    expect(after?.work.map((one) => [one.interaction, one.phase])).toEqual([
      ['i1', 'talking'],
      ['i2', 'wrap_up'],
      ['i3', 'talking'],
    ]);
  });

  it('ends only the offer that is meant', () => {
    const frame = { v: 1, type: 'offer_ended', n: 2, interaction: 'i1', outcome: 'expired', cause: '' } as const;
    expect(applyFrame(desk({ offer }), { ...frame, offer: 'o0' })?.offer).toBe(offer);
    expect(applyFrame(desk({ offer }), { ...frame, offer: 'o1' })?.offer).toBeNull();
  });

  it('puts a better pop and a script page where their interaction is: offer or item', () => {
    const better = { ...pop, origin_label: 'Siti' };
    const page = { interaction: 'i1', step: 's2' } as ScriptPage;
    const before = desk({ offer, work: [item('i1'), item('i2')] });
    const popped = applyFrame(before, { v: 1, type: 'pop', n: 2, pop: better });
    expect([popped?.offer?.pop, popped?.work[0]?.pop, popped?.work[1]?.pop]).toEqual([better, better, null]);
    const turned = applyFrame(before, { v: 1, type: 'script', n: 2, page });
    expect([turned?.offer?.script, turned?.work[0]?.script, turned?.work[1]?.script]).toEqual([page, page, null]);
  });
});

describe('the strip', () => {
  it('belongs to the live call before the one in wrap-up, never to an unfinished item', () => {
    expect(liveItem([item('i1', 'unfinished'), item('i2', 'wrap_up'), item('i3')])?.interaction).toBe('i3');
    expect(liveItem([item('i1', 'unfinished'), item('i2', 'wrap_up')])?.interaction).toBe('i2');
    expect(liveItem([item('i1', 'unfinished')])).toBeNull();
  });

  it('lets only what is over be finished', () => {
    const phases = ['connecting', 'talking', 'held', 'wrap_up', 'unfinished'] as const;
    expect(phases.map((phase) => canFinish(item('i1', phase)))).toEqual([false, false, false, true, true]);
  });
});
