/**
 * What the agent writes about each interaction, kept apart per interaction, saved as they type: at once in the
 * browser, after a short pause at the server. What was typed here and not saved there wins over what comes.
 */
import { Drafts, type Draft } from '@/lib/drafts';
import { MAX_NOTE_CHARS, type WorkItem } from '@/lib/protocol';
import type { Link } from '@/lib/link.svelte';

const PAUSE_MS = 700;

export type SaveState = 'none' | 'saving' | 'saved' | 'kept' | 'too_long';

export class Sheet {
  note = $state('');
  disposition = $state('');
  next = $state<Draft['next']>('ready');
  answers = $state<Draft['answers']>({});
  /** The last page of the script was answered; the server shows the same page again. */
  scriptDone = $state(false);
  save = $state<SaveState>('none');
  savedAtMs = $state(0);
  /** Typed here and not acknowledged by the server. */
  dirty = false;
  timer = 0;
}

export class Notes {
  private readonly sheets = new Map<string, Sheet>();
  private readonly drafts: Drafts;

  constructor(
    agent: string,
    private readonly link: Link,
  ) {
    this.drafts = new Drafts(localStorage, agent, () => Date.now());
    this.drafts.prune();
  }

  /** The sheet of an item, from the draft, else from the server's note. */
  of(item: WorkItem): Sheet {
    const known = this.sheets.get(item.interaction);
    if (known) return known;
    const sheet = new Sheet();
    const draft = this.drafts.read(item.interaction);
    sheet.note = draft?.note ?? item.note;
    sheet.disposition = draft?.disposition ?? '';
    sheet.next = draft?.next ?? 'ready';
    sheet.answers = draft?.answers ?? {};
    this.sheets.set(item.interaction, sheet);
    if (draft && draft.note !== item.note) this.changed(item.interaction);
    return sheet;
  }

  /** A `work` frame came: take its note unless something unsaved is here. */
  refresh(item: WorkItem): void {
    const sheet = this.sheets.get(item.interaction);
    if (sheet && !sheet.dirty) sheet.note = item.note;
  }

  /** The note changed: keep it here now, send it after a pause in typing. */
  changed(interaction: string): void {
    const sheet = this.sheets.get(interaction);
    if (!sheet) return;
    sheet.dirty = true;
    this.keep(interaction);
    clearTimeout(sheet.timer);
    sheet.save = sheet.note.length > MAX_NOTE_CHARS ? 'too_long' : this.link.live ? 'saving' : 'kept';
    if (sheet.save !== 'too_long') sheet.timer = window.setTimeout(() => void this.send(interaction, sheet), PAUSE_MS);
  }

  /** Reason, what comes next, script answers: kept here only, they are sent with their own command. */
  keep(interaction: string): void {
    const sheet = this.sheets.get(interaction);
    if (!sheet) return;
    const { note, disposition, next, answers } = sheet;
    this.drafts.write(interaction, { note, disposition, next, answers: $state.snapshot(answers) });
  }

  /** Finished or gone: nothing of it stays in the browser. */
  forget(interaction: string): void {
    clearTimeout(this.sheets.get(interaction)?.timer);
    this.sheets.delete(interaction);
    this.drafts.forget(interaction);
  }

  private async send(interaction: string, sheet: Sheet): Promise<void> {
    const text = sheet.note;
    try {
      await this.link.send({ cmd: 'note', interaction, text });
    } catch {
      sheet.save = 'kept'; // the words stay in the draft; the next change or the end sends them again
      return;
    }
    if (sheet.note !== text) return;
    sheet.dirty = false;
    sheet.save = 'saved';
    sheet.savedAtMs = Date.now();
  }
}
