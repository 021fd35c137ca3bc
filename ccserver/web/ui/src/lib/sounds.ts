/**
 * Few sounds, one meaning each, made here with WebAudio: `ring` (bound to the open offer, rises over 3 s, ends
 * by itself after 60 s), `missed`, `lost`. While the agent talks every one becomes a single soft tick.
 * Browsers allow sound only after a click or key; `unlock` is called on each until it works.
 */

export type SoundClass = 'ring' | 'missed' | 'lost';
export const SOUND_CLASSES: readonly SoundClass[] = ['ring', 'missed', 'lost'];

const RING_EVERY_MS = 3_000;
const RING_LIMIT_MS = 60_000;
const RISE_S = 3;
const STORED = 'ccserver.volume.';

type Tone = readonly [startS: number, hertz: number, lengthS: number];

const PHRASES: Readonly<Record<SoundClass | 'tick', readonly Tone[]>> = {
  ring: [
    [0, 659, 0.16],
    [0.18, 784, 0.16],
    [0.36, 988, 0.34],
  ],
  missed: [
    [0, 523, 0.18],
    [0.22, 392, 0.3],
  ],
  lost: [
    [0, 330, 0.14],
    [0.2, 330, 0.14],
    [0.4, 262, 0.26],
  ],
  tick: [[0, 1200, 0.03]],
};

export function storedVolume(sound: SoundClass): number {
  const stored = Number.parseFloat(localStorage.getItem(STORED + sound) ?? '');
  return Number.isFinite(stored) ? Math.min(1, Math.max(0, stored)) : 0.6;
}

export function storeVolume(sound: SoundClass, volume: number): void {
  localStorage.setItem(STORED + sound, String(volume));
}

export class Sounds {
  private context: AudioContext | null = null;
  private ringTimer: number | null = null;
  private ringStartedMs = 0;
  private ringGain: GainNode | null = null;

  constructor(private readonly onRing: (ringing: boolean) => void) {}

  get blocked(): boolean {
    return this.context !== null && this.context.state !== 'running';
  }

  async unlock(): Promise<boolean> {
    this.context ??= new AudioContext();
    if (this.context.state === 'suspended') await this.context.resume();
    return this.context.state === 'running';
  }

  /** One sound now; `soft` while the agent talks. */
  play(sound: SoundClass, soft: boolean): void {
    if (this.context?.state !== 'running') return;
    const gain = this.output(this.context, storedVolume(sound) * (soft ? 0.15 : 0.5));
    this.phrase(this.context, gain, soft ? 'tick' : sound);
  }

  startRing(soft: boolean): void {
    if (this.ringTimer !== null) return;
    if (soft) return this.play('ring', true);
    this.ringStartedMs = performance.now();
    this.ringOnce();
    this.ringTimer = window.setInterval(() => this.ringOnce(), RING_EVERY_MS);
    this.onRing(true);
  }

  stopRing(): void {
    if (this.ringTimer === null) return;
    window.clearInterval(this.ringTimer);
    this.ringTimer = null;
    this.ringGain?.disconnect();
    this.ringGain = null;
    this.onRing(false);
  }

  private ringOnce(): void {
    const elapsedMs = performance.now() - this.ringStartedMs;
    if (elapsedMs > RING_LIMIT_MS) return this.stopRing();
    if (this.context?.state !== 'running') return;
    const volume = storedVolume('ring') * 0.5;
    this.ringGain ??= this.output(this.context, volume * 0.15);
    this.ringGain.gain.linearRampToValueAtTime(volume, this.context.currentTime + RISE_S);
    this.phrase(this.context, this.ringGain, 'ring');
  }

  private output(context: AudioContext, volume: number): GainNode {
    const gain = context.createGain();
    gain.gain.setValueAtTime(volume, context.currentTime);
    gain.connect(context.destination);
    return gain;
  }

  private phrase(context: AudioContext, out: GainNode, name: SoundClass | 'tick'): void {
    for (const [startS, hertz, lengthS] of PHRASES[name]) {
      const from = context.currentTime + startS;
      const tone = context.createOscillator();
      const shape = context.createGain();
      tone.type = 'triangle';
      tone.frequency.value = hertz;
      shape.gain.setValueAtTime(0, from);
      shape.gain.linearRampToValueAtTime(0.5, from + 0.012);
      shape.gain.exponentialRampToValueAtTime(0.001, from + lengthS);
      tone.connect(shape).connect(out);
      tone.start(from);
      tone.stop(from + lengthS + 0.05);
    }
  }
}
