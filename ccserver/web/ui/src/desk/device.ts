/** What the phone's state means to the agent. The PBX's words in, ours out. */
import type { Key } from '@/lib/words/index.svelte';
import type { DeskData } from '@/lib/desk_state';

export interface PhoneLight {
  word: Key;
  /** May the agent go ready with it? */
  usable: boolean;
  trouble: boolean;
}

const LIGHTS: Readonly<Record<string, PhoneLight>> = {
  NOT_INUSE: { word: 'phoneOk', usable: true, trouble: false },
  INUSE: { word: 'phoneBusy', usable: true, trouble: false },
  BUSY: { word: 'phoneBusy', usable: true, trouble: false },
  ONHOLD: { word: 'phoneBusy', usable: true, trouble: false },
  RINGING: { word: 'phoneRinging', usable: true, trouble: false },
  UNAVAILABLE: { word: 'phoneGone', usable: false, trouble: true },
};
const UNKNOWN: PhoneLight = { word: 'phoneUnknown', usable: false, trouble: true };

export function phoneLight(data: DeskData): PhoneLight {
  if (!data.pbx.up) return { word: 'pbxGone', usable: true, trouble: true };
  return LIGHTS[data.device.state] ?? UNKNOWN;
}
