/** What is on a desk. See `index.ts`. */

export const VERSION = 1;
export const MAX_NOTE_CHARS = 8000;

export interface AgentState {
  status: 'LOGGED_OUT' | 'NOT_READY' | 'READY';
  reason: string;
  since_utc_ms: number;
}

export interface DeviceInfo {
  id: string;
  label: string;
  state: string;
}

export interface Candidate {
  customer: string;
  name: string;
  tier: string;
}

export interface Match {
  kind: 'known' | 'several' | 'unknown' | 'withheld' | 'malformed' | 'pending';
  confidence: number;
  evidence: readonly string[];
  candidates: readonly Candidate[];
}

export interface PastContact {
  interaction: string;
  at_utc_ms: number;
  medium: string;
  queue: string;
  outcome: string;
  disposition: string;
  agent: string;
  note: string;
}

export interface CustomerCard {
  id: string;
  name: string;
  tier: string;
  language: string;
  since: string;
  numbers: readonly string[];
  email: string;
  remarks: string;
  worth_cents: number | null;
  stake_cents: number | null;
}

export interface Pop {
  interaction: string;
  medium: string;
  origin: string;
  origin_label: string;
  destination: string;
  queue: string;
  queue_label: string;
  queued_utc_ms: number;
  match: Match;
  customer: CustomerCard | null;
  contacts: readonly PastContact[];
  contacts_7d: number;
  entered: readonly (readonly [string, string])[];
  why: string;
}

export interface Choice {
  value: string;
  label: string;
}

export interface Block {
  kind: 'say' | 'hint' | 'field' | 'choice';
  text: string;
  name: string;
  required: boolean;
  choices: readonly Choice[];
  value: string;
}

export interface ScriptPage {
  interaction: string;
  script: string;
  version: string;
  step: string;
  title: string;
  index: number;
  total: number;
  blocks: readonly Block[];
  last: boolean;
  problems: readonly string[];
}

export interface WorkItem {
  interaction: string;
  medium: string;
  phase: 'connecting' | 'talking' | 'held' | 'wrap_up' | 'unfinished';
  label: string;
  queue_label: string;
  since_utc_ms: number;
  answered_utc_ms: number;
  wrap_up_until_utc_ms: number | null;
  pop: Pop | null;
  script: ScriptPage | null;
  note: string;
}

export interface OfferCard {
  offer: string;
  interaction: string;
  medium: string;
  made_utc_ms: number;
  deadline_utc_ms: number;
  pop: Pop;
  script: ScriptPage | null;
}

export interface QueueLine {
  id: string;
  label: string;
  waiting: number;
  oldest_utc_ms: number | null;
}

export interface Code {
  code: string;
  label: string;
}

export interface Today {
  handled: number;
  missed: number;
}

export interface PbxStatus {
  up: boolean;
  since_utc_ms: number;
}
