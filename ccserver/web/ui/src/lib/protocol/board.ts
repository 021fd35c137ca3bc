/** The wallboard, whole in one frame. See `index.ts`. */

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
