/** The resumable socket in a browser: real WebSocket, timers and storage; its state as runes. */
import type { Command, CommandBody, NumberedFrame } from './protocol';
import { ResumableSocket, type LinkState, type Wire } from './socket';

function stored(key: string): Command[] {
  return JSON.parse(sessionStorage.getItem(key) ?? '[]') as Command[];
}

export class Link {
  state = $state<LinkState>('connecting');
  closeCode = $state(0);
  /** When the connection went, local clock; null while it is up. */
  lostAtMs = $state<number | null>(null);
  /** When anything last came from the server, local clock. */
  heardAtMs = $state(0);
  queued = $state.raw<readonly Command[]>([]);
  private offsetMs = 0;
  private readonly socket: ResumableSocket;
  private readonly onNudge = (): void => {
    if (document.visibilityState === 'visible') this.socket.nudge();
  };

  constructor(path: string, outboxKey: string, onFrame: (frame: NumberedFrame) => void) {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.socket = new ResumableSocket({
      url: `${scheme}//${location.host}${path}`,
      connect: (url) => new WebSocket(url) as unknown as Wire,
      nowMs: () => Date.now(),
      later: (fn, ms) => window.setTimeout(fn, ms),
      cancel: (handle) => window.clearTimeout(handle as number | undefined),
      random: Math.random,
      newId: () => crypto.randomUUID(),
      loadOutbox: () => stored(outboxKey),
      saveOutbox: (commands) => sessionStorage.setItem(outboxKey, JSON.stringify(commands)),
      onFrame,
      onState: (state, code) => this.entered(state, code),
      onClock: (serverMinusLocalMs) => (this.offsetMs = serverMinusLocalMs),
      onOutbox: (commands) => (this.queued = commands),
      onHeard: () => (this.heardAtMs = Date.now()),
    });
  }

  get live(): boolean {
    return this.state === 'live';
  }

  open(): void {
    addEventListener('online', this.onNudge);
    document.addEventListener('visibilitychange', this.onNudge);
    this.socket.open();
  }

  close(): void {
    removeEventListener('online', this.onNudge);
    document.removeEventListener('visibilitychange', this.onNudge);
    this.socket.close();
  }

  send(body: CommandBody): Promise<void> {
    return this.socket.send(body);
  }

  /** The server's clock now. */
  serverNowMs(): number {
    return Date.now() + this.offsetMs;
  }

  private entered(state: LinkState, code: number): void {
    this.state = state;
    this.closeCode = code;
    if (state === 'live') this.lostAtMs = null;
    else if (state !== 'connecting') this.lostAtMs ??= Date.now();
  }
}
