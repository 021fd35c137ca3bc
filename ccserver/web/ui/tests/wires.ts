/** Connections, time and storage for the socket tests: everything by hand, nothing waits. */
import type { Command, NumberedFrame } from '@/lib/protocol';
import { ResumableSocket, type LinkState, type Wire } from '@/lib/socket';

export class FakeWire implements Wire {
  onmessage: Wire['onmessage'] = null;
  onclose: Wire['onclose'] = null;
  sent: Record<string, unknown>[] = [];
  closed = false;

  constructor(readonly url: string) {}

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    this.closed = true;
  }

  receive(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  commands(): Record<string, unknown>[] {
    return this.sent.filter((one) => one['cmd'] !== 'ping');
  }
}

interface Timer {
  atMs: number;
  fn: () => void;
}

/** One socket and everything around it. */
export class Bench {
  nowMs = 1_000;
  wires: FakeWire[] = [];
  states: LinkState[] = [];
  frames: NumberedFrame[] = [];
  outbox: Command[] = [];
  readonly socket: ResumableSocket;
  private timers: Timer[] = [];
  private ids = 0;

  constructor(outbox: Command[] = []) {
    this.outbox = outbox;
    this.socket = new ResumableSocket({
      url: '/ws/desk',
      connect: (url) => {
        this.wires.push(new FakeWire(url));
        return this.wire;
      },
      nowMs: () => this.nowMs,
      later: (fn, ms) => {
        const timer = { atMs: this.nowMs + ms, fn };
        this.timers.push(timer);
        return timer;
      },
      cancel: (handle) => {
        this.timers = this.timers.filter((one) => one !== handle);
      },
      random: () => 1,
      newId: () => `c${++this.ids}`,
      loadOutbox: () => this.outbox,
      saveOutbox: (commands) => (this.outbox = commands),
      onFrame: (frame) => this.frames.push(frame),
      onState: (state) => this.states.push(state),
      onClock: () => undefined,
      onOutbox: () => undefined,
    });
  }

  get wire(): FakeWire {
    const wire = this.wires.at(-1);
    if (!wire) throw new Error('not connected yet');
    return wire;
  }

  /** Time passes; timers run in order. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = this.timers.filter((one) => one.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.timers = this.timers.filter((one) => one !== next);
      this.nowMs = next.atMs;
      next.fn();
    }
    this.nowMs = endMs;
  }

  hello(epoch = 'e1', resumed = false): void {
    this.wire.receive({ v: 1, type: 'hello', epoch, resumed, n: 0, server_utc_ms: this.nowMs });
  }

  notice(n: number): void {
    this.wire.receive({ v: 1, type: 'notice', n, code: `k${n}`, params: {} });
  }

  /** Connected, with a snapshot as of frame `n`. */
  live(n = 0): this {
    this.socket.open();
    this.hello();
    this.wire.receive({ v: 1, type: 'snapshot', n });
    return this;
  }
}
