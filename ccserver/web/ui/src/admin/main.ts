/** `/admin`: who may log in, for administrators. */
import { mount } from 'svelte';
import '@/styles/base.css';
import { startTheme } from '@/lib/theme';
import { speech } from '@/lib/words/index.svelte';
import Page from './Page.svelte';

startTheme();
speech.start();
const target = document.getElementById('app');
if (!target) throw new Error('no #app in the page');
mount(Page, { target });
