/** What the notice line says, and what a screen reader hears: one line each, never a pile. */
import { t } from '@/lib/words/index.svelte';

export interface Notice {
  text: string;
  tone: 'plain' | 'watch' | 'act';
  action?: { label: string; run: () => void };
}

const KEEP_MS: Readonly<Record<Notice['tone'], number>> = { plain: 8_000, watch: 30_000, act: 600_000 };

export class Notices {
  shown = $state.raw<Notice | null>(null);
  /** role=alert: an offer, a lost connection. */
  alert = $state('');
  /** role=status: saved, sent, done. */
  spoken = $state('');
  private timer = 0;

  show(notice: Notice): void {
    this.shown = notice;
    if (notice.tone === 'act') this.alert = notice.text;
    else this.spoken = notice.text;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.dismiss(), KEEP_MS[notice.tone]);
  }

  say(text: string): void {
    this.show({ text, tone: 'plain' });
  }

  dismiss(): void {
    clearTimeout(this.timer);
    this.shown = null;
  }

  /** A command that was not carried out. */
  refused(code: string, words: string | null): void {
    this.show({ text: words ?? t('errorOther', { code }), tone: 'watch' });
  }
}
