/** The few HTTP calls of the pages. Errors carry the server's code, or `unreachable`. */

export interface Me {
  agent: string;
  name: string;
  role: string;
  language: string;
  device: string | null;
  csrf: string;
}

export interface Device {
  id: string;
  label: string;
  free: boolean;
}

export interface DemoLogin {
  name: string;
  password: string;
  role: string;
  device: string | null;
}

export interface LoginOptions {
  site: string;
  languages: string[];
  devices: Device[];
  demo: DemoLogin[];
}

export interface User {
  id: string;
  name: string;
  label: string;
  role: string;
  language: string;
  disabled: boolean;
}

export interface NewUser {
  name: string;
  label: string;
  role: string;
  language: string;
  password: string;
}

export type UserChange = Partial<Pick<User, 'label' | 'role' | 'language' | 'disabled'> & { password: string }>;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly params: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

const LIMIT_MS = 15_000;

async function failure(response: Response): Promise<ApiError> {
  interface Problem {
    code: string;
    message: string;
    params?: Record<string, string>;
  }
  const body = (await response.json().catch(() => ({}))) as { error?: Problem };
  const { code, message, params } = body.error ?? { code: 'refused', message: response.statusText };
  return new ApiError(response.status, code, message, params);
}

async function call<T>(method: string, path: string, body: unknown, csrf: string): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (csrf) headers['X-CSRF-Token'] = csrf;
  const init: RequestInit = { method, headers, signal: AbortSignal.timeout(LIMIT_MS), credentials: 'same-origin' };
  if (body !== undefined) init.body = JSON.stringify(body);
  const response = await fetch(path, init).catch(() => {
    throw new ApiError(0, 'unreachable', 'no answer');
  });
  if (!response.ok) throw await failure(response);
  return (response.status === 204 ? null : await response.json()) as T;
}

export const api = {
  loginOptions: () => call<LoginOptions>('GET', '/api/v1/login-options', undefined, ''),
  login: (name: string, password: string, device: string) =>
    call<Me>('POST', '/api/v1/login', { name, password, device: device || null }, ''),
  me: () => call<Me>('GET', '/api/v1/me', undefined, ''),
  logout: (csrf: string) => call<null>('POST', '/api/v1/logout', {}, csrf),
  users: () => call<{ users: User[] }>('GET', '/api/v1/users', undefined, ''),
  addUser: (user: NewUser, csrf: string) => call<User>('POST', '/api/v1/users', user, csrf),
  changeUser: (id: string, change: UserChange, csrf: string) =>
    call<User>('PATCH', `/api/v1/users/${encodeURIComponent(id)}`, change, csrf),
};

const PAGES_OF: Record<string, string[]> = {
  agent: ['desk', 'wallboard'],
  supervisor: ['wallboard'],
  admin: ['admin', 'wallboard'],
};

/** Where the login leads: the page asked for when it is one of ours and of this role, else the role's own. */
export function landing(role: string, search: string): string {
  const next = new URLSearchParams(search).get('next') ?? '';
  const page = /^\/(desk|wallboard|admin)(\?[\w=&-]*)?$/.exec(next)?.[1];
  if (page && PAGES_OF[role]?.includes(page)) return next;
  if (role === 'supervisor') return '/wallboard?view=floor';
  return role === 'admin' ? '/admin' : '/desk';
}
