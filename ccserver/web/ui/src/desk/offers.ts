/** Words about offers: who calls, and why an offer ended without a conversation. */
import type { Match, OfferCard, OfferEndedFrame } from '@/lib/protocol';
import { t, type Key } from '@/lib/words/index.svelte';

/** A customer's name, else the number, as people read it. */
export function nameOf(name: string | undefined, origin: string): string {
  return name && name.length > 0 ? name : origin;
}

export function offerNames(offer: OfferCard): { name: string; queue: string } {
  return { name: nameOf(offer.pop.customer?.name, offer.pop.origin_label), queue: offer.pop.queue_label };
}

export const MATCH_WORDS: Readonly<Record<Match['kind'], Key>> = {
  known: 'matchKnown',
  several: 'matchSeveral',
  unknown: 'matchUnknown',
  withheld: 'matchWithheld',
  malformed: 'matchMalformed',
  pending: 'matchPending',
};

const BY_CAUSE: Readonly<Record<string, Key>> = {
  declined: 'notice_declined',
  busy: 'notice_busy',
  unreachable: 'notice_unreachable',
  customer_left: 'notice_caller_left',
  connect_failed: 'notice_connect_failed',
  connect_timeout: 'notice_connect_failed',
};

export function offerEndWords(frame: OfferEndedFrame, names: { name: string; queue: string }): string {
  return t(BY_CAUSE[frame.cause] ?? 'notice_returned', names);
}
