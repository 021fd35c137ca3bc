/** `/wallboard`: six numbers for the wall; `?view=floor` for supervisors; `?queue=ID` for one queue. */
import { mount } from 'svelte';
import '@/styles/base.css';
import { startTheme } from '@/lib/theme';
import { speech } from '@/lib/words/index.svelte';
import Board from './Board.svelte';

startTheme();
speech.start();
const target = document.getElementById('app');
if (!target) throw new Error('no #app in the page');
const query = new URLSearchParams(location.search);
mount(Board, { target, props: { floor: query.get('view') === 'floor', queue: query.get('queue') ?? '' } });
