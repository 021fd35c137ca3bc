/** `/desk`: who is logged in, then the page; to the login when nobody is. */
import { mount } from 'svelte';
import '@/styles/base.css';
import { ApiError, api } from '@/lib/api';
import { startTheme } from '@/lib/theme';
import { speech } from '@/lib/words/index.svelte';
import Desk from './Desk.svelte';

const RETRY_MS = 2_000;

async function start(): Promise<void> {
  const target = document.getElementById('app');
  if (!target) throw new Error('no #app in the page');
  try {
    const me = await api.me();
    speech.suggest(me.language);
    mount(Desk, { target, props: { me } });
  } catch (error) {
    if (error instanceof ApiError && error.status === 0) window.setTimeout(() => void start(), RETRY_MS);
    else if (error instanceof ApiError) location.assign('/login?next=/desk');
    else throw error;
  }
}

startTheme();
speech.start();
void start();
