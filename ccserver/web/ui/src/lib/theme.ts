/** Light or dark: the agent's choice, else the system's, followed while it changes. */

export type Theme = 'system' | 'light' | 'dark';

const STORED = 'ccserver.theme';
const dark = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');

export function storedTheme(): Theme {
  const stored = localStorage.getItem(STORED);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

function paint(): void {
  const choice = storedTheme();
  document.documentElement.dataset['theme'] = choice === 'system' ? (dark().matches ? 'dark' : 'light') : choice;
}

export function chooseTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, theme);
  paint();
}

export function startTheme(): void {
  paint();
  dark().addEventListener('change', paint);
}
