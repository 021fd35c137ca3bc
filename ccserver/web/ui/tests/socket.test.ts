import { describe, expect, it } from 'vitest';
import { backoffMs, CommandRefused, OUTBOX_LIMIT } from '@/lib/socket';
import { Bench } from './wires';

const note = { cmd: 'note', interaction: 'i1', text: 'a' } as const;

describe('frames', () => {
  it('come once and in order, doubles are dropped', () => {
    const bench = new Bench().live(4);
    for (const n of [5, 5, 4, 6]) bench.notice(n);
    expect(bench.frames.map((frame) => frame.n)).toEqual([4, 5, 6]);
  });

  it('with a gap are asked for again from the last whole one', () => {
    const bench = new Bench().live(4);
    bench.notice(5);
    bench.notice(7);
    bench.pass(400);
    expect(bench.wire.url).toBe('/ws/desk?epoch=e1&last=5');
    bench.hello('e1', true);
    bench.notice(6);
    bench.notice(7);
    expect(bench.frames.map((frame) => frame.n)).toEqual([4, 5, 6, 7]);
  });

  it('of another epoch begin with a snapshot', () => {
    const bench = new Bench().live(4);
    bench.wire.onclose?.({ code: 1006 });
    bench.pass(400);
    bench.hello('e2', false);
    bench.wire.receive({ v: 1, type: 'snapshot', n: 1 });
    bench.notice(2);
    expect(bench.frames.map((frame) => frame.n)).toEqual([4, 1, 2]);
  });

  it('that are rubbish end the connection, not the page', () => {
    const bench = new Bench().live();
    bench.wire.onmessage?.({ data: '{"type":' });
    expect(bench.states.at(-1)).toBe('lost');
  });
});

describe('loss', () => {
  it('is noticed within ten seconds of silence, whenever the last word came', () => {
    for (let quietFromMs = 0; quietFromMs < 3_000; quietFromMs += 100) {
      const bench = new Bench().live();
      bench.pass(quietFromMs);
      bench.wire.receive({ v: 1, type: 'pong', server_utc_ms: bench.nowMs });
      bench.pass(9_999);
      expect(bench.states).toContain('lost');
    }
  });

  it('is not seen while pongs come', () => {
    const bench = new Bench().live();
    for (let i = 0; i < 100; i++) {
      bench.pass(1_000);
      bench.wire.receive({ v: 1, type: 'pong', server_utc_ms: bench.nowMs });
    }
    expect(bench.states).toEqual(['live']);
  });

  it('is followed by attempts that grow rarer, up to eight seconds', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(attempt, 1))).toEqual([
      400, 800, 1_600, 3_200, 6_400, 8_000, 8_000,
    ]);
    expect(backoffMs(1, 0)).toBe(400);
  });

  it('of a connection that never says hello counts too', () => {
    const bench = new Bench();
    bench.socket.open();
    bench.pass(6_000);
    expect(bench.states.at(-1)).toBe('lost');
  });

  it.each([4001, 4009, 4401, 4403])('with code %i is final', (code) => {
    const bench = new Bench().live();
    bench.wire.onclose?.({ code });
    bench.pass(60_000);
    expect(bench.states.at(-1)).toBe('closed');
    expect(bench.wires).toHaveLength(1);
  });

  it('is looked into at once when the network says it is back', () => {
    const bench = new Bench().live();
    bench.wire.onclose?.({ code: 1006 });
    bench.socket.nudge();
    expect(bench.wires).toHaveLength(2);
  });
});

describe('commands', () => {
  it('resolve with the ack and leave the outbox', async () => {
    const bench = new Bench().live();
    const sent = bench.socket.send({ cmd: 'ready' });
    expect(bench.outbox).toHaveLength(1);
    bench.wire.receive({ v: 1, type: 'ack', id: 'c1', ok: true, error: '' });
    await expect(sent).resolves.toBeUndefined();
    expect(bench.outbox).toEqual([]);
  });

  it('that are refused say the code without the words behind it', async () => {
    const bench = new Bench().live();
    const sent = bench.socket.send({ cmd: 'ready' });
    bench.wire.receive({ v: 1, type: 'ack', id: 'c1', ok: false, error: 'too_many: wait' });
    await expect(sent).rejects.toEqual(new CommandRefused('too_many'));
  });

  it('without an ack are sent again under the same id after reconnecting', () => {
    const bench = new Bench().live();
    void bench.socket.send({ cmd: 'ready' });
    bench.wire.onclose?.({ code: 1006 });
    bench.pass(400);
    bench.hello('e1', true);
    expect(bench.wire.commands()).toEqual([{ cmd: 'ready', id: 'c1' }]);
  });

  it('given while offline wait, and of a note only the newest', async () => {
    const bench = new Bench().live();
    bench.wire.onclose?.({ code: 1006 });
    const older = bench.socket.send(note);
    void bench.socket.send({ ...note, interaction: 'i2' });
    void bench.socket.send({ ...note, text: 'ab' });
    await expect(older).resolves.toBeUndefined();
    bench.pass(400);
    bench.hello('e1', true);
    expect(bench.wire.commands().map((one) => one['id'])).toEqual(['c2', 'c3']);
  });

  it('survive a reload', () => {
    const bench = new Bench([{ cmd: 'finish', id: 'old', interaction: 'i1', disposition: 'x', note: '', next: 'ready' }]);
    bench.live();
    expect(bench.wire.commands().map((one) => one['id'])).toEqual(['old']);
    bench.wire.receive({ v: 1, type: 'ack', id: 'old', ok: true, error: '' });
    expect(bench.outbox).toEqual([]);
  });

  it('that the server never answers are given up after ten seconds, but not while offline', async () => {
    const bench = new Bench().live();
    const sent = bench.socket.send({ cmd: 'ready' });
    bench.wire.onclose?.({ code: 1006 });
    bench.pass(11_000);
    expect(bench.outbox).toHaveLength(1);
    bench.hello('e1', true);
    for (let i = 0; i < 11; i++) {
      bench.pass(1_000);
      bench.wire.receive({ v: 1, type: 'pong', server_utc_ms: bench.nowMs });
    }
    await expect(sent).rejects.toEqual(new CommandRefused('timeout'));
  });

  it('are bounded', async () => {
    const bench = new Bench();
    bench.socket.open();
    for (let i = 0; i < OUTBOX_LIMIT; i++) void bench.socket.send({ cmd: 'extend', interaction: `i${i}` });
    await expect(bench.socket.send({ cmd: 'ready' })).rejects.toEqual(new CommandRefused('outbox_full'));
  });
});
