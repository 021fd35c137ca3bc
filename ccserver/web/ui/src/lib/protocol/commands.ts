/** What the desk asks for. See `index.ts`. */

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
