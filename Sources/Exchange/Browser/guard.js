// Clears the stale session of this page when the backend was restarted.
//   import useGuard from '/.lychgate/guard.js'; useGuard(React); // or:
//   import { watchBackend } from '/.lychgate/guard.js'; watchBackend();
const own = new URL(import.meta.url);
const names = own.searchParams;
const INSTANCE_KEY = names.get('instance') || 'MDLH_BACKEND_INSTANCE_ID';
const SESSION_KEYS = names.has('key') ? names.getAll('key') : ['snowflake_session'];
const CLEARED_EVENT = names.get('event') || 'snowflake-session-cleared';
const NOTHING = { restarted: false, cleared: false };

const held = () => SESSION_KEYS.map((key) => window.sessionStorage.getItem(key));
const log = (level, ...what) => console[level]('[BackendGuard]', ...what);

let sawSession = false;
let last = Promise.resolve();

async function ask(told, headers) {
  const before = held();
  const res = await fetch(new URL('session', own), {
    headers,
    credentials: 'include',
    cache: 'no-store',
    signal: AbortSignal.timeout(5000),
  });
  const said = res.headers.get('X-Session-Cleared');
  if (!res.ok && !said && res.status !== 401) throw new Error('HTTP ' + res.status);
  const storage = window.sessionStorage;
  const stored = storage.getItem(INSTANCE_KEY);
  const { instanceId: id } = await res.json();
  if (id) {
    storage.setItem(INSTANCE_KEY, id);
    if (!stored) log('info', 'First visit - storing backend instance ID');
  }
  if (res.ok) {
    sawSession = true;
    return NOTHING;
  }
  // Pages that keep the session learn it by the ID alone.
  const reason = said || told || (id && stored && id !== stored ? 'backend-restart' : '');
  if (!reason) return NOTHING;
  if (!id) storage.removeItem(INSTANCE_KEY);
  // A log-in was faster.
  if (held().some((it, i) => it && it !== before[i])) return NOTHING;
  const restarted = reason === 'backend-restart';
  log('warn', restarted ? 'Backend restarted - clearing stale session' : 'Session is ' + reason);
  const kept = SESSION_KEYS.filter((key) => storage.getItem(key) !== null);
  kept.forEach((key) => storage.removeItem(key));
  const cleared = kept.length > 0 || sawSession || !!said;
  sawSession = false;
  if (cleared) {
    log('info', 'Stale session cleared - user will need to reconnect');
    window.dispatchEvent(new CustomEvent(CLEARED_EVENT, { detail: { reason } }));
  }
  return { restarted, cleared };
}

// In turn: one answer takes the cookie.
function check(told, headers) {
  last = last.then(() => ask(told, headers)).catch((error) => {
    log('debug', 'Session check failed', { error: error.message });
    return NOTHING;
  });
  return last;
}

/** Asks now; with { headers: { 'X-Session-ID': id } } if the page keeps it. */
export function checkBackendRestart({ headers } = {}) {
  return check('', headers);
}

/** Asks now and when something happens, until the function that it returns is called. */
export function watchBackend(options = {}) {
  let source;
  const moments = [[document, 'visibilitychange'], [window, 'focus'], [window, 'online']];
  const now = () => checkBackendRestart(options);
  const close = () => {
    if (source) source.close();
    source = null;
  };
  const update = () => {
    // A host has six connections.
    if (document.visibilityState === 'hidden') return close();
    now();
    if (!window.EventSource || (source && source.readyState !== 2)) return;
    source = new EventSource(new URL('events', own), { withCredentials: true });
    source.onerror = () => source?.readyState === 2 && setTimeout(() => source && update(), 9e3);
    source.addEventListener('backend-up', now);
    source.addEventListener('session-cleared', (event) => {
      check(JSON.parse(event.data).reason, options.headers);
    });
  };
  for (const [target, name] of moments) target.addEventListener(name, update);
  update();
  return () => {
    for (const [target, name] of moments) target.removeEventListener(name, update);
    close();
  };
}

export function useBackendInstanceGuard(React, options) {
  React.useEffect(() => watchBackend(options), []);
}

export default useBackendInstanceGuard;
