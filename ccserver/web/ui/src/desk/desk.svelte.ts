/**
 * The desk: the server's data, what is selected, and every command the agent can give. Components read from
 * here and call it; nothing else talks to the socket. State shown is always the server's, never hoped for.
 */
import { applyFrame, canFinish, liveItem, type DeskData } from '@/lib/desk_state';
import { Link } from '@/lib/link.svelte';
import type { CommandBody, DeskFrame, NumberedFrame, OfferCard, OfferEndedFrame, WorkItem } from '@/lib/protocol';
import { CommandRefused } from '@/lib/socket';
import { Sounds } from '@/lib/sounds';
import { coded, speech, t } from '@/lib/words/index.svelte';
import { clock, duration } from '@/lib/format';
import { phoneLight } from './device';
import { FocusMemory } from './focus';
import { Notes } from './notes.svelte';
import { Notices } from './notices.svelte';
import { offerEndWords, offerNames } from './offers';

export type Tab = 'script' | 'customer' | 'notes';

const END_AGAIN_MS = 2_000;
const WARNING_MS = 5_000;

export class Desk {
  data = $state.raw<DeskData | null>(null);
  now = $state(Date.now());
  selected = $state<string | null>(null);
  tab = $state<Tab>('script');
  ringing = $state(false);
  soundBlocked = $state(false);
  /** A status command is on its way. */
  changing = $state(false);
  /** Commands on their way, by what they act on: their buttons wait. */
  busy = $state<Readonly<Record<string, boolean>>>({});
  /** `heading`, or the interaction whose caret is to come back. The agent's own acts set it, arrivals never. */
  focusWanted = $state<string | null>(null);
  readonly link: Link;
  readonly notices = new Notices();
  readonly notes: Notes;
  readonly focus = new FocusMemory();
  readonly sounds = new Sounds((ringing) => (this.ringing = ringing));
  private endArmedMs = -Infinity;
  private warned = '';
  private accepted = '';
  private saidLost = false;
  /** Who the last offer was about, for words that come after it is gone. */
  private ended = { name: '', queue: '' };
  /** Accepted, and its work item not here yet: the page keeps showing it in between. */
  private bridging = $state.raw<OfferCard | null>(null);

  readonly live = $derived(liveItem(this.data?.work ?? []));
  readonly item = $derived(this.data?.work.find((one) => one.interaction === this.selected) ?? null);
  /** What the middle and the right panel show: the selected item, else the offer. */
  readonly offerShown = $derived(this.item === null ? (this.data?.offer ?? this.bridging) : null);
  readonly pop = $derived(this.item?.pop ?? this.offerShown?.pop ?? null);
  readonly script = $derived(this.item?.script ?? this.offerShown?.script ?? null);
  /** The strip belongs to the live call, else to the selected item that waits to be finished. */
  readonly strip = $derived(this.live ?? (this.item?.phase === 'unfinished' ? this.item : null));
  /** No call and no offer, and everything a call needs is there. */
  readonly canDial = $derived.by(() => {
    const data = this.data;
    if (!data || data.offer || !this.link.live || !data.pbx.up) return false;
    return this.live?.phase !== 'talking' && this.live?.phase !== 'held' && phoneLight(data).usable;
  });
  readonly inCall = $derived(this.live?.phase === 'talking' || this.live?.phase === 'connecting');

  constructor(readonly agent: string) {
    this.link = new Link('/ws/desk', `ccserver.outbox.${agent}`, (frame) => this.received(frame));
    this.notes = new Notes(agent, this.link);
  }

  /** Called four times a second: moves the clock and whatever hangs on it. */
  tick(): void {
    this.now = this.link.serverNowMs();
    this.soundBlocked = this.sounds.blocked;
    this.watchLink();
    const offer = this.data?.offer;
    if (!offer) return;
    if (this.now >= offer.deadline_utc_ms) this.sounds.stopRing();
    const close = offer.deadline_utc_ms - this.now <= WARNING_MS;
    if (close && this.warned !== offer.offer && this.now < offer.deadline_utc_ms) {
      this.warned = offer.offer;
      this.notices.alert = t('sayOfferWarning', offerNames(offer));
    }
  }

  select(interaction: string | null): void {
    if (interaction === this.selected) return;
    this.focus.leave(this.selected);
    this.selected = interaction;
    this.tab = 'script';
  }

  /** Show who is calling, leaving the selected item as it is. */
  peek(): void {
    this.select(null);
    this.tab = 'customer';
  }

  /** One item up or down in the list's own order. */
  step(by: 1 | -1): void {
    const work = this.data?.work ?? [];
    if (work.length === 0) return;
    const at = work.findIndex((one) => one.interaction === this.selected);
    const next = work[(at + by + work.length) % work.length];
    if (next) this.select(next.interaction);
  }

  async goReady(): Promise<void> {
    await this.statusCommand({ cmd: 'ready' });
  }

  async pause(reason: string): Promise<void> {
    await this.statusCommand({ cmd: 'not_ready', reason });
  }

  async accept(): Promise<void> {
    const offer = this.data?.offer;
    if (!offer || !this.link.live) return;
    this.accepted = offer.interaction;
    this.sounds.stopRing();
    await this.command(offer.offer, { cmd: 'accept', offer: offer.offer });
  }

  async decline(): Promise<void> {
    const offer = this.data?.offer;
    if (!offer || !this.link.live) return;
    this.sounds.stopRing();
    await this.command(offer.offer, { cmd: 'decline', offer: offer.offer });
  }

  async hangup(): Promise<void> {
    const item = this.live;
    if (!item || item.phase === 'wrap_up' || !this.link.live) return;
    await this.command(item.interaction, { cmd: 'hangup', interaction: item.interaction });
  }

  /** The keyboard's way to end: twice within two seconds. */
  async hangupTwice(key: string): Promise<void> {
    const item = this.live;
    if (!item || item.phase === 'wrap_up') return;
    const again = performance.now() - this.endArmedMs < END_AGAIN_MS;
    this.endArmedMs = again ? -Infinity : performance.now();
    if (again) await this.hangup();
    else this.notices.say(t('endAgain', { key, name: item.label }));
  }

  async transfer(queue: string): Promise<void> {
    const item = this.live;
    if (!item) return;
    const done = await this.command(item.interaction, { cmd: 'transfer', interaction: item.interaction, queue });
    const label = this.data?.all_queues.find((one) => one.code === queue)?.label ?? queue;
    if (done) this.notices.say(t('notice_transferred', { queue: label }));
  }

  /** True when the agent's own phone rings now; the number is called once it is picked up. */
  async dial(number: string): Promise<boolean> {
    const done = await this.command('dial', { cmd: 'dial', number });
    if (done) this.notices.say(t('notice_dialling', { number }));
    return done;
  }

  async extend(item: WorkItem): Promise<void> {
    await this.command(`extend ${item.interaction}`, { cmd: 'extend', interaction: item.interaction });
  }

  async answerScript(item: WorkItem, step: string, answers: Record<string, string>, back: boolean): Promise<void> {
    const { interaction } = item;
    const done = await this.command(`script ${interaction}`, { cmd: 'script', interaction, step, answers, back });
    const page = this.data?.work.find((one) => one.interaction === interaction)?.script;
    const last = page?.step === step && page.last && page.problems.length === 0;
    this.notes.of(item).scriptDone = done && !back && last;
    if (done && page?.step !== step) this.focusWanted = 'heading';
  }

  /** False when a reason is missing: the caller shows where to pick one. */
  finish(item: WorkItem): boolean {
    if (!canFinish(item)) return true;
    const sheet = this.notes.of(item);
    if (sheet.disposition === '' && (this.data?.dispositions.length ?? 0) > 0) {
      this.notices.show({ text: t('pickReason'), tone: 'watch' });
      return false;
    }
    const { disposition, note, next } = sheet;
    const { interaction } = item;
    void this.command(interaction, { cmd: 'finish', interaction, disposition, note, next }).then((done) => {
      if (done) this.notes.forget(interaction);
    });
    return true;
  }

  private async statusCommand(body: CommandBody): Promise<void> {
    if (!this.link.live) return;
    this.changing = true;
    await this.command('status', body);
    this.changing = false;
  }

  /** True when the server carried it out; otherwise the notice line says why not. */
  private async command(what: string, body: CommandBody): Promise<boolean> {
    this.busy = { ...this.busy, [what]: true };
    try {
      await this.link.send(body);
      return true;
    } catch (error) {
      const code = error instanceof CommandRefused ? error.code : String(error);
      if (code !== 'closed') this.notices.refused(code, coded('error_', code, {}));
      return false;
    } finally {
      const { [what]: _done, ...rest } = this.busy;
      this.busy = rest;
    }
  }

  private received(frame: NumberedFrame): void {
    if (frame.type === 'board') return;
    const before = this.data;
    this.data = applyFrame(before, frame);
    this.now = this.link.serverNowMs();
    this.afterFrame(frame, before);
  }

  private afterFrame(frame: DeskFrame, before: DeskData | null): void {
    if (frame.type === 'snapshot') this.afterSnapshot();
    else if (frame.type === 'offer') this.offered();
    else if (frame.type === 'offer_ended') this.offerEnded(frame, before);
    else if (frame.type === 'work') this.workChanged(frame.item, before);
    else if (frame.type === 'work_gone') this.workGone(frame.interaction);
    else if (frame.type === 'device' || frame.type === 'pbx') this.phoneChanged(before);
    else if (frame.type === 'notice') this.noticed(frame.code, frame.params);
  }

  private afterSnapshot(): void {
    const data = this.data;
    if (!data) return;
    speech.suggest(data.language);
    this.notices.dismiss();
    this.bridging = null;
    const still = data.work.some((one) => one.interaction === this.selected);
    if (!still) this.select(liveItem(data.work)?.interaction ?? data.work[0]?.interaction ?? null);
    for (const item of data.work) this.notes.refresh(item);
    if (data.offer) this.offered();
    else this.sounds.stopRing();
  }

  private offered(): void {
    const offer = this.data?.offer;
    if (!offer) return;
    const n = Math.max(0, Math.round((offer.deadline_utc_ms - this.link.serverNowMs()) / 1000));
    this.notices.alert = t('sayOffer', { ...offerNames(offer), n, key: this.acceptKey() });
    this.sounds.startRing(this.inCall);
  }

  /** Filled in by the page, which knows the agent's own keys. */
  acceptKey: () => string = () => 'F2';

  private offerEnded(frame: OfferEndedFrame, before: DeskData | null): void {
    const offer = before?.offer;
    if (offer?.offer !== frame.offer) return;
    this.sounds.stopRing();
    this.ended = offerNames(offer);
    if (frame.outcome === 'accepted') this.bridging = offer;
    else if (frame.outcome !== 'expired') this.notices.say(offerEndWords(frame, this.ended));
  }

  /** Nobody picked up. Whether the agent is paused for it comes with a frame of its own, so wait for that. */
  private missed(customer: string): void {
    this.sounds.play('missed', this.inCall);
    const params = { name: customer || this.ended.name, queue: this.ended.queue };
    const show = (): void => {
      const paused = this.data?.state.status === 'NOT_READY';
      const text = t(paused ? 'notice_missed' : 'notice_missed_still_ready', params);
      const action = { label: t('goReady'), run: () => void this.goReady() };
      this.notices.show({ text, tone: 'watch', ...(paused ? { action } : {}) });
    };
    window.setTimeout(show, 150);
  }

  private workChanged(item: WorkItem, before: DeskData | null): void {
    if (this.bridging?.interaction === item.interaction) this.bridging = null;
    this.notes.refresh(item);
    const was = before?.work.find((one) => one.interaction === item.interaction);
    if (was) {
      if (item.phase === 'unfinished' && was.phase === 'wrap_up') {
        this.notices.say(t('notice_wrap_up_over', { name: item.label }));
      }
      return;
    }
    const mine = this.accepted === item.interaction;
    if (!mine && this.focus.isTyping() && this.selected !== null) return;
    this.accepted = '';
    this.select(item.interaction);
    if (mine || !this.focus.isTyping()) this.focusWanted = 'heading';
  }

  private workGone(interaction: string): void {
    this.notes.forget(interaction);
    this.focus.forget(interaction);
    if (this.selected !== interaction) return;
    const next = this.live?.interaction ?? this.data?.work[0]?.interaction ?? null;
    this.selected = next;
    if (next !== null) this.focusWanted = next;
  }

  private noticed(code: string, params: Readonly<Record<string, string>>): void {
    if (code === 'missed') return this.missed(params['customer'] ?? '');
    if (code === 'taken_over') return; // the closing of the socket says it
    const filled = { ...this.ended, ...params, time: clock(this.link.serverNowMs(), speech.language) };
    const text = coded('notice_', code, filled);
    this.notices.show({ text: text ?? t('noticeOther', { code }), tone: 'plain' });
  }

  private phoneChanged(before: DeskData | null): void {
    const data = this.data;
    if (!data || !before) return;
    const [was, is] = [phoneLight(before), phoneLight(data)];
    if (was.usable && !is.usable) {
      const text = t('notice_phone_lost', { phone: data.device.label || data.device.id });
      this.notices.show({ text, tone: 'act' });
    } else if (!was.usable && is.usable) this.notices.say(t('notice_phone_back'));
    else if (!before.pbx.up && data.pbx.up) this.notices.say(t('notice_pbx_up'));
  }

  /** Says once that the connection went, and once that it is back; the line itself shows it all the time. */
  private watchLink(): void {
    if (this.data === null || this.link.state === 'connecting') return;
    if (!this.saidLost && this.link.lostAtMs !== null) {
      this.saidLost = true;
      this.sounds.play('lost', this.inCall);
      this.notices.alert = t('lost', { time: duration(0) });
    } else if (this.saidLost && this.link.live) {
      this.saidLost = false;
      this.notices.say(t('back'));
    }
  }
}
