/** What the server sends. See `index.ts`. */
import type { Board } from './board';
import type {
  AgentState,
  Code,
  DeviceInfo,
  OfferCard,
  PbxStatus,
  Pop,
  QueueLine,
  ScriptPage,
  Today,
  WorkItem,
} from './things';

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
