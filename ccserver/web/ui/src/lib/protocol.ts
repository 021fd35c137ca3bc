/**
 * What goes over `/ws/desk` and `/ws/wallboard`: the twin of `ccserver/desk/protocol.py`, which explains it.
 *
 * Written by hand for the reader, compared with the Python classes field by field and type by type in
 * `tests/browser/test_protocol_twin.py`, so that the two cannot drift. Instants end in `_utc_ms` (server clock).
 */

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

export interface Hello {
  type: 'hello';
  epoch: string;
  resumed: boolean;
  n: number;
  server_utc_ms: number;
  v: number;
}

export interface Snapshot {
  type: 'snapshot';
  n: number;
  agent: string;
  name: string;
  language: string;
  role: string;
  state: AgentState;
  device: DeviceInfo;
  offer: OfferCard | null;
  work: readonly WorkItem[];
  queues: readonly QueueLine[];
  today: Today;
  pbx: PbxStatus;
  reasons: readonly Code[];
  dispositions: readonly Code[];
  all_queues: readonly Code[];
  demo: boolean;
  v: number;
}

export interface AgentFrame {
  type: 'agent';
  n: number;
  state: AgentState;
  v: number;
}

export interface DeviceFrame {
  type: 'device';
  n: number;
  device: DeviceInfo;
  v: number;
}

export interface OfferFrame {
  type: 'offer';
  n: number;
  offer: OfferCard;
  v: number;
}

export interface OfferEndedFrame {
  type: 'offer_ended';
  n: number;
  offer: string;
  interaction: string;
  outcome: 'accepted' | 'rejected' | 'expired' | 'revoked';
  cause: string;
  v: number;
}

export interface WorkFrame {
  type: 'work';
  n: number;
  item: WorkItem;
  v: number;
}

export interface WorkGoneFrame {
  type: 'work_gone';
  n: number;
  interaction: string;
  v: number;
}

export interface PopFrame {
  type: 'pop';
  n: number;
  pop: Pop;
  v: number;
}

export interface ScriptFrame {
  type: 'script';
  n: number;
  page: ScriptPage;
  v: number;
}

export interface QueuesFrame {
  type: 'queues';
  n: number;
  queues: readonly QueueLine[];
  v: number;
}

export interface TodayFrame {
  type: 'today';
  n: number;
  today: Today;
  v: number;
}

export interface PbxFrame {
  type: 'pbx';
  n: number;
  pbx: PbxStatus;
  v: number;
}

export interface NoticeFrame {
  type: 'notice';
  n: number;
  code: string;
  params: Readonly<Record<string, string>>;
  v: number;
}

export interface Ack {
  type: 'ack';
  id: string;
  ok: boolean;
  error: string;
  v: number;
}

export interface Pong {
  type: 'pong';
  server_utc_ms: number;
  v: number;
}

export interface QueueBoard {
  id: string;
  label: string;
  waiting: number;
  oldest_utc_ms: number | null;
  ready: number;
  staffed: number;
  offered: number;
  answered: number;
  answered_in_target: number;
  abandoned: number;
  short_abandoned: number;
  service_level: number | null;
  target_s: number;
  asa_s: number | null;
}

export interface AgentLine {
  agent: string;
  name: string;
  status: string;
  reason: string;
  since_utc_ms: number;
  queue_label: string;
  device: string;
}

export interface Board {
  type: 'board';
  n: number;
  at_utc_ms: number;
  midnight_utc_ms: number;
  site: string;
  waiting: number;
  oldest_utc_ms: number | null;
  ready: number;
  staffed: number;
  offered: number;
  answered: number;
  abandoned: number;
  service_level: number | null;
  service_level_30min: number | null;
  formula: string;
  target_s: number;
  asa_s: number | null;
  queues: readonly QueueBoard[];
  agents: readonly AgentLine[];
  pbx_up: boolean;
  v: number;
}

export type DeskFrame =
  | Snapshot
  | AgentFrame
  | DeviceFrame
  | OfferFrame
  | OfferEndedFrame
  | WorkFrame
  | WorkGoneFrame
  | PopFrame
  | ScriptFrame
  | QueuesFrame
  | TodayFrame
  | PbxFrame
  | NoticeFrame;

/** Every frame that bears a number. */
export type NumberedFrame = DeskFrame | Board;

export type ServerMessage = NumberedFrame | Hello | Ack | Pong;

export interface Ready {
  cmd: 'ready';
  id: string;
}

export interface NotReady {
  cmd: 'not_ready';
  id: string;
  reason: string;
}

export interface Accept {
  cmd: 'accept';
  id: string;
  offer: string;
}

export interface Decline {
  cmd: 'decline';
  id: string;
  offer: string;
}

export interface Hangup {
  cmd: 'hangup';
  id: string;
  interaction: string;
}

export interface Transfer {
  cmd: 'transfer';
  id: string;
  interaction: string;
  queue: string;
}

export interface Dial {
  cmd: 'dial';
  id: string;
  number: string;
}

export interface ScriptAnswer {
  cmd: 'script';
  id: string;
  interaction: string;
  step: string;
  answers: Readonly<Record<string, string>>;
  back: boolean;
}

export interface Note {
  cmd: 'note';
  id: string;
  interaction: string;
  text: string;
}

export interface Finish {
  cmd: 'finish';
  id: string;
  interaction: string;
  disposition: string;
  note: string;
  next: 'ready' | 'not_ready';
}

export interface Extend {
  cmd: 'extend';
  id: string;
  interaction: string;
}

export interface Ping {
  cmd: 'ping';
  id: string;
}

export type Command =
  | Ready
  | NotReady
  | Accept
  | Decline
  | Hangup
  | Transfer
  | Dial
  | ScriptAnswer
  | Note
  | Finish
  | Extend
  | Ping;

/** A command before the socket has given it its id. */
export type CommandBody = Command extends infer C ? (C extends Command ? Omit<C, 'id'> : never) : never;
