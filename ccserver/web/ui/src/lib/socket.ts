/**
 * A socket that comes back. Pure: connections, clock, chance and storage are handed in.
 *
 *     connecting --hello--> live --close, silence, gap in the numbers--> lost --back-off--> connecting
 *
 * Frames are numbered within an epoch; we come back with `?epoch=E&last=N` and the server sends what was missed,
 * or a snapshot. Commands carry our id and stay in the outbox until the server acks them; after every hello
 * the outbox is sent again (the server carries out each id once). The outbox survives a reload.
 */
import type { Ack, Command, CommandBody, NumberedFrame, ServerMessage } from './protocol';

export type LinkState = 'connecting' | 'live' | 'lost' | 'closed';

/** The part of WebSocket that is used. */
export interface Wire {
  send(text: string): void;
  close(): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

export interface SocketDeps {
  url: string;
  connect: (url: string) => Wire;
  nowMs: () => number;
  later: (fn: () => void, ms: number) => unknown;
  cancel: (handle: unknown) => void;
  random: () => number;
  newId: () => string;
  loadOutbox: () => Command[];
  saveOutbox: (commands: Command[]) => void;
  onFrame: (frame: NumberedFrame) => void;
  onState: (state: LinkState, code: number) => void;
  onClock: (serverMinusLocalMs: number) => void;
  onOutbox: (commands: readonly Command[]) => void;
  onHeard?: () => void;
}

export const PING_EVERY_MS = 3_000;
/** Noticed at the next ping at the latest, so 9.5 s after the last word. */
export const SILENCE_LIMIT_MS = 6_500;
export const HELLO_LIMIT_MS = 6_000;
export const ACK_LIMIT_MS = 10_000;
export const OUTBOX_LIMIT = 200;
const BACKOFF_FIRST_MS = 400;
const BACKOFF_CAP_MS = 8_000;
/** Close codes of the server (ccserver/web/ports.py) after which trying again is useless. */
export const TAKEN_OVER = 4001;
export const DEVICE_IN_USE = 4009;
export const NOT_LOGGED_IN = 4401;
export const FORBIDDEN = 4403;
const FINAL_CODES: ReadonlySet<number> = new Set([TAKEN_OVER, DEVICE_IN_USE, NOT_LOGGED_IN, FORBIDDEN]);

/** Why a command was not carried out: the server's code, or `timeout`, `outbox_full`, `closed`. */
export class CommandRefused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

interface Waiting {
  resolve: () => void;
  reject: (why: CommandRefused) => void;
  timer: unknown;
}

/** Delay before attempt `attempt` (0 first): doubling, capped, between half and whole by chance. */
export function backoffMs(attempt: number, random: number): number {
  const whole = Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(whole * (0.5 + random / 2));
}

function parsed(text: string): ServerMessage | null {
  try {
    return JSON.parse(text) as ServerMessage;
  } catch {
    return null; // half a frame: the caller drops the connection and asks again from the last whole one
  }
}

export class ResumableSocket {
  private wire: Wire | null = null;
  private state: LinkState = 'connecting';
  private epoch = '';
  private last = 0;
  private attempt = 0;
  private heardMs = 0;
  private outbox: Command[];
  private readonly waiting = new Map<string, Waiting>();
  private watch: unknown = null;
  private retry: unknown = null;

  constructor(private readonly deps: SocketDeps) {
    this.outbox = deps.loadOutbox();
  }

  open(): void {
    this.deps.onOutbox(this.outbox);
    for (const command of this.outbox) this.expect(command.id, () => undefined, () => undefined);
    this.connect();
  }

  /** Send, or queue until the connection is back. Resolves when the server has carried it out. */
  send(body: CommandBody): Promise<void> {
    if (this.state === 'closed') return Promise.reject(new CommandRefused('closed'));
    if (this.outbox.length >= OUTBOX_LIMIT) return Promise.reject(new CommandRefused('outbox_full'));
    const command = { ...body, id: this.deps.newId() } as Command;
    this.supersede(command);
    this.setOutbox([...this.outbox, command]);
    return new Promise((resolve, reject) => {
      this.expect(command.id, resolve, reject);
      if (this.state === 'live') this.transmit(command);
    });
  }

  /** The network or the lid says something changed: look at once instead of at the next tick. */
  nudge(): void {
    if (this.state === 'live') this.ping();
    else if (this.state === 'lost') this.connect();
  }

  close(): void {
    this.enter('closed', 0);
    this.dropWire();
    for (const one of this.waiting.values()) one.reject(new CommandRefused('closed'));
    this.waiting.clear();
  }

  private expect(id: string, resolve: () => void, reject: (why: CommandRefused) => void): void {
    this.waiting.set(id, { resolve, reject, timer: null });
  }

  /** Only the newest text of a note counts: an older one that was never sent is dropped. */
  private supersede(command: Command): void {
    if (command.cmd !== 'note' || this.state === 'live') return;
    const stale = (c: Command): boolean => c.cmd === 'note' && c.interaction === command.interaction;
    for (const old of this.outbox.filter(stale)) this.settle(old.id, null);
  }

  private connect(): void {
    this.dropWire();
    this.enter('connecting', 0);
    const joint = this.deps.url.includes('?') ? '&' : '?';
    const place = this.epoch ? `${joint}epoch=${encodeURIComponent(this.epoch)}&last=${this.last}` : '';
    const wire = this.deps.connect(this.deps.url + place);
    this.wire = wire;
    this.heardMs = this.deps.nowMs();
    wire.onmessage = (event) => this.received(wire, event.data);
    wire.onclose = (event) => this.lost(wire, event.code);
    this.watch = this.deps.later(() => this.lost(wire, 0), HELLO_LIMIT_MS);
  }

  private received(wire: Wire, data: unknown): void {
    if (wire !== this.wire || typeof data !== 'string') return;
    this.heardMs = this.deps.nowMs();
    this.deps.onHeard?.();
    const message = parsed(data);
    if (message === null) return this.lost(wire, 0);
    if (message.type === 'hello') this.greeted(message.epoch, message.resumed, message.server_utc_ms);
    else if (message.type === 'ack') this.acked(message);
    else if (message.type === 'pong') this.deps.onClock(message.server_utc_ms - this.deps.nowMs());
    else this.numbered(wire, message);
  }

  private greeted(epoch: string, resumed: boolean, serverMs: number): void {
    if (!resumed) this.last = 0;
    this.epoch = epoch;
    this.attempt = 0;
    this.deps.onClock(serverMs - this.deps.nowMs());
    this.enter('live', 0);
    this.tick();
    for (const command of this.outbox) this.transmit(command);
  }

  private numbered(wire: Wire, frame: NumberedFrame): void {
    const whole = frame.type === 'snapshot' || frame.type === 'board';
    if (!whole && frame.n <= this.last) return;
    if (!whole && frame.n !== this.last + 1) return this.lost(wire, 0);
    this.last = frame.n;
    this.deps.onFrame(frame);
  }

  private acked(ack: Ack): void {
    // `code: words for programmers` or the code alone
    this.settle(ack.id, ack.ok ? null : ack.error.split(':')[0] || 'refused');
  }

  private settle(id: string, error: string | null): void {
    this.setOutbox(this.outbox.filter((command) => command.id !== id));
    const one = this.waiting.get(id);
    if (!one) return;
    this.waiting.delete(id);
    if (one.timer !== null) this.deps.cancel(one.timer);
    if (error === null) one.resolve();
    else one.reject(new CommandRefused(error));
  }

  private transmit(command: Command): void {
    this.wire?.send(JSON.stringify(command));
    const one = this.waiting.get(command.id);
    if (!one) return;
    if (one.timer !== null) this.deps.cancel(one.timer);
    one.timer = this.deps.later(() => this.unanswered(command.id), ACK_LIMIT_MS);
  }

  /** No ack although the connection lives: the server lost it. While lost, it keeps waiting instead. */
  private unanswered(id: string): void {
    if (this.state === 'live') this.settle(id, 'timeout');
  }

  private tick(): void {
    if (this.state !== 'live' || !this.wire) return;
    this.deps.cancel(this.watch);
    if (this.deps.nowMs() - this.heardMs > SILENCE_LIMIT_MS) return this.lost(this.wire, 0);
    this.ping();
    this.watch = this.deps.later(() => this.tick(), PING_EVERY_MS);
  }

  private ping(): void {
    this.wire?.send(JSON.stringify({ cmd: 'ping', id: 'ping' }));
  }

  private lost(wire: Wire, code: number): void {
    if (wire !== this.wire || this.state === 'closed') return;
    this.dropWire();
    if (FINAL_CODES.has(code)) return this.enter('closed', code);
    this.enter('lost', code);
    this.retry = this.deps.later(() => this.connect(), backoffMs(this.attempt, this.deps.random()));
    this.attempt += 1;
  }

  private dropWire(): void {
    this.deps.cancel(this.watch);
    this.deps.cancel(this.retry);
    const wire = this.wire;
    this.wire = null;
    if (!wire) return;
    wire.onmessage = null;
    wire.onclose = null;
    wire.close();
  }

  private enter(state: LinkState, code: number): void {
    if (state === this.state && state !== 'closed') return;
    this.state = state;
    this.deps.onState(state, code);
  }

  private setOutbox(commands: Command[]): void {
    this.outbox = commands;
    this.deps.saveOutbox(commands);
    this.deps.onOutbox(commands);
  }
}
