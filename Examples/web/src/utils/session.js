/** The session as the page knows it, and requests that carry it. */

import { API_URL, WAY } from '../config.js';
import { note } from './journal.js';

const SESSION_KEY = 'snowflake_session'; // Must match useBackendInstanceGuard.js
const LOST = ['SESSION_NOT_FOUND', 'auth-error', 'NO_SESSION_ID'];

/** What the page has kept, or null. There is a `sessionId` in it if the page is who holds it. */
export function readSession() {
  try {
    return JSON.parse(window.sessionStorage.getItem(SESSION_KEY));
  } catch {
    return null;
  }
}

export function keepSession({ sessionId, user }) {
  const session = { user, since: Date.now() };
  if (WAY.sessionIn === 'page') session.sessionId = sessionId;
  window.sessionStorage.setItem(SESSION_KEY, JSON.stringify(session));
}

export function dropSession() {
  window.sessionStorage.removeItem(SESSION_KEY);
}

/** Forgets the session and tells the whole page, as the guard does when it loads. */
function loseSession(reason) {
  dropSession();
  window.dispatchEvent(new CustomEvent('snowflake-session-cleared', { detail: { reason } }));
}

/**
 * One request with the session, if there is one.
 *
 * Gives `{ ok, status, reason, body }`; throws if there is no answer that the browser would show.
 */
export async function request(method, path, content) {
  const before = readSession();
  const headers = {};
  if (before?.sessionId) headers['X-Session-ID'] = before.sessionId;
  if (content) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(API_URL + path, {
      method,
      headers,
      body: content && JSON.stringify(content),
      credentials: WAY.sessionIn === 'cookie' ? 'include' : 'same-origin',
      signal: AbortSignal.timeout(10000),
    });
  } catch (error) {
    note({ status: 'none', what: `${method} ${path}`, remark: error.message });
    throw error;
  }
  const body = await response.json().catch(() => ({}));
  const cleared = response.headers.get('X-Session-Cleared');
  const remark = cleared ? `${body.reason}, ${cleared}` : body.reason;
  note({ status: response.status, what: `${method} ${path}`, remark });
  // A late answer to an older session must not take a fresh one away.
  const isCurrent = before && before.since === readSession()?.since;
  if (response.status === 401 && LOST.includes(body.reason) && isCurrent && WAY.guard !== 'none') {
    loseSession(cleared ?? body.reason);
  }
  return { ok: response.ok, status: response.status, reason: body.reason, body };
}
