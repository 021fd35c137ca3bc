/** Four pages, hashed assets under /assets/, nothing inline (the server sends `default-src 'self'`). */
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  resolve: { alias: { '@': '/src' } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { login: 'login.html', desk: 'desk.html', wallboard: 'wallboard.html', admin: 'admin.html' },
    },
  },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
});
