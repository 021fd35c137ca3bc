/** The users as the server has them, and every change to them. The server's answer replaces the row. */
import { ApiError, api, type Me, type NewUser, type User, type UserChange } from '@/lib/api';
import { speech } from '@/lib/words/index.svelte';
import { refusal, type Problem } from './checks';
import type { Key } from './words';

export type State = 'loading' | 'ready' | 'failed' | 'forbidden';

/** Something was done; `undo` takes it back. */
export interface Done {
  key: Key;
  name: string;
  undo?: () => Promise<boolean>;
}

export class Users {
  state = $state<State>('loading');
  site = $state('');
  me = $state.raw<Me | null>(null);
  list = $state.raw<readonly User[]>([]);
  problem = $state.raw<Problem | null>(null);
  done = $state.raw<Done | null>(null);
  busy = $state(false);

  async load(): Promise<void> {
    this.state = 'loading';
    try {
      const [options, me] = await Promise.all([api.loginOptions(), api.me()]);
      this.site = options.site;
      this.me = me;
      speech.suggest(me.language);
      if (me.role === 'admin') await this.refresh();
      this.state = me.role === 'admin' ? 'ready' : 'forbidden';
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) location.assign('/login?next=/admin');
      else this.state = error.code === 'forbidden' ? 'forbidden' : 'failed';
    }
  }

  async logout(): Promise<void> {
    const left = await this.ask(() => api.logout(this.me?.csrf ?? ''));
    if (left !== undefined) location.assign('/login');
  }

  /** The login name of the new user, or null. */
  async add(user: NewUser): Promise<string | null> {
    const made = await this.ask((csrf) => api.addUser(user, csrf));
    if (!made) return null;
    this.put(made);
    this.done = { key: 'done_created', name: made.label };
    return made.id;
  }

  async change(user: User, change: UserChange, done: Key): Promise<boolean> {
    const now = await this.ask((csrf) => api.changeUser(user.id, change, csrf));
    if (!now) return false;
    this.put(now);
    const undo = change.disabled === true ? () => this.change(now, { disabled: false }, 'done_enabled') : undefined;
    this.done = { key: done, name: now.label, ...(undo ? { undo } : {}) };
    return true;
  }

  forget(): void {
    this.problem = null;
    this.done = null;
  }

  private put(user: User): void {
    const others = this.list.filter((one) => one.id !== user.id);
    this.list = [...others, user].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private async refresh(): Promise<void> {
    this.list = (await api.users()).users;
  }

  private async ask<T>(work: (csrf: string) => Promise<T>): Promise<T | undefined> {
    this.forget();
    this.busy = true;
    try {
      return await work(this.me?.csrf ?? '');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) location.assign('/login?next=/admin');
      this.problem = refusal(error);
      if (error.status === 404) await this.refresh().catch(() => undefined);
      return undefined;
    } finally {
      this.busy = false;
    }
  }
}
