/** The desk as data, and how each frame changes it. Pure: `applyFrame(state, frame)` gives the next state. */
import type { DeskFrame, OfferEndedFrame, Snapshot, WorkItem } from './protocol';

export type DeskData = Omit<Snapshot, 'type' | 'n' | 'v'>;

export interface EndedOffer {
  outcome: OfferEndedFrame['outcome'];
  cause: string;
  name: string;
  queue: string;
}

/** Work keeps its order of arrival: an item that changes stays where it is. */
function withItem(work: readonly WorkItem[], item: WorkItem): readonly WorkItem[] {
  const at = work.findIndex((one) => one.interaction === item.interaction);
  return at < 0 ? [...work, item] : work.with(at, item);
}

function changeItem(state: DeskData, id: string, change: Partial<WorkItem>): readonly WorkItem[] {
  return state.work.map((one) => (one.interaction === id ? { ...one, ...change } : one));
}

function fromSnapshot(frame: Snapshot): DeskData {
  const { type: _type, n: _n, v: _v, ...data } = frame;
  return data;
}

export function applyFrame(state: DeskData | null, frame: DeskFrame): DeskData | null {
  if (frame.type === 'snapshot') return fromSnapshot(frame);
  if (state === null) return null;
  switch (frame.type) {
    case 'agent':
      return { ...state, state: frame.state };
    case 'device':
      return { ...state, device: frame.device };
    case 'offer':
      return { ...state, offer: frame.offer };
    case 'offer_ended':
      return state.offer?.offer === frame.offer ? { ...state, offer: null } : state;
    case 'work':
      return { ...state, work: withItem(state.work, frame.item) };
    case 'work_gone':
      return { ...state, work: state.work.filter((one) => one.interaction !== frame.interaction) };
    case 'pop':
      return {
        ...state,
        offer: state.offer?.interaction === frame.pop.interaction ? { ...state.offer, pop: frame.pop } : state.offer,
        work: changeItem(state, frame.pop.interaction, { pop: frame.pop }),
      };
    case 'script':
      return {
        ...state,
        offer:
          state.offer?.interaction === frame.page.interaction ? { ...state.offer, script: frame.page } : state.offer,
        work: changeItem(state, frame.page.interaction, { script: frame.page }),
      };
    case 'queues':
      return { ...state, queues: frame.queues };
    case 'today':
      return { ...state, today: frame.today };
    case 'pbx':
      return { ...state, pbx: frame.pbx };
    case 'notice':
      return state;
  }
}

/** The call on the strip: a live one before one in wrap-up. Unfinished items are no call. */
export function liveItem(work: readonly WorkItem[]): WorkItem | null {
  const live = work.find((one) => one.phase === 'connecting' || one.phase === 'talking' || one.phase === 'held');
  return live ?? work.find((one) => one.phase === 'wrap_up') ?? null;
}

/** May notes be closed with a reason now? */
export function canFinish(item: WorkItem | null): boolean {
  return item !== null && (item.phase === 'wrap_up' || item.phase === 'unfinished');
}
