/**
 * What the agent typed and has not handed in, one record per agent and interaction, in the browser's storage.
 * A draft survives reload, reconnection and reassignment; it goes when the item is finished, or after a day.
 */

export interface Draft {
  note: string;
  disposition: string;
  next: 'ready' | 'not_ready';
  /** Script answers not sent yet: step → name → value. */
  answers: Record<string, Record<string, string>>;
  savedMs: number;
}

export interface Store {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  key(index: number): string | null;
  readonly length: number;
}

const KEEP_MS = 24 * 3600 * 1000;
const PREFIX = 'ccserver.draft.';

export class Drafts {
  constructor(
    private readonly store: Store,
    private readonly agent: string,
    private readonly nowMs: () => number,
  ) {}

  read(interaction: string): Draft | null {
    const text = this.store.getItem(this.key(interaction));
    return text === null ? null : (JSON.parse(text) as Draft);
  }

  write(interaction: string, draft: Omit<Draft, 'savedMs'>): void {
    this.store.setItem(this.key(interaction), JSON.stringify({ ...draft, savedMs: this.nowMs() }));
  }

  forget(interaction: string): void {
    this.store.removeItem(this.key(interaction));
  }

  /** Forget what is older than a day, whoever wrote it: a shared computer keeps nothing for ever. */
  prune(): void {
    const keys = Array.from({ length: this.store.length }, (_, i) => this.store.key(i));
    for (const key of keys) {
      if (!key?.startsWith(PREFIX)) continue;
      const draft = JSON.parse(this.store.getItem(key) ?? '{}') as Partial<Draft>;
      if (this.nowMs() - (draft.savedMs ?? 0) > KEEP_MS) this.store.removeItem(key);
    }
  }

  private key(interaction: string): string {
    return `${PREFIX}${this.agent}.${interaction}`;
  }
}
