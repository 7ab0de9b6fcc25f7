import { createElement as h, useEffect, useState } from 'react';
import { API_URL, CHOSEN, WAY, WAYS } from './config.js';
import { useBackend } from './hooks/useBackend.js';
import { useGuard } from './hooks/useGuard.js';
import { useConnection, useQuery } from './hooks/useSnowflake.js';
import { useJournal } from './utils/journal.js';

/** Why the session went, until there is another. */
function useClearedReason(connected) {
  const [reason, setReason] = useState(null);

  useEffect(() => {
    const keep = (event) => setReason(event.detail?.reason ?? 'unknown');
    window.addEventListener('snowflake-session-cleared', keep);
    return () => window.removeEventListener('snowflake-session-cleared', keep);
  }, []);

  useEffect(() => {
    if (connected) setReason(null);
  }, [connected]);

  return reason;
}

const REASONS = {
  'backend-restart': 'The backend was restarted, and your session ended with it.',
  SESSION_NOT_FOUND: 'The backend does not know your session any more.',
  expired: 'Your session has expired.',
  'auth-error': 'Your session was rejected.',
};

export default function App() {
  // =========================================================================
  // Backend Restart Detection
  // =========================================================================
  // This MUST be first - it clears stale sessions before any other hooks run
  useGuard();

  const connection = useConnection();
  const query = useQuery(connection.checkStatus);
  const reason = useClearedReason(connection.status.connected);

  return h('main', null,
    h(Header),
    h(Ways),
    h(Connection, { connection, query, reason }),
    h(Data, { query }),
    h(Journal));
}

function Header() {
  return h('header', null,
    h('svg', { viewBox: '0 0 32 32', 'aria-hidden': true },
      h('path', { d: 'M2 14 16 3l14 11v3H2z', fill: 'var(--accent)' }),
      h('path', { d: 'M6 17h3v12H6zM23 17h3v12h-3zM11 20h10v1.5H11z', fill: 'var(--soft)' })),
    h('div', null,
      h('h1', null, 'Lychgate example'),
      h('p', null, WAY.about)));
}

function Ways() {
  return h('nav', { 'aria-label': 'Ways to run this page' },
    Object.entries(WAYS).map(([name, way]) => h('a', {
      key: name,
      href: `?way=${name}`,
      'aria-current': name === CHOSEN ? 'page' : undefined,
    }, way.title)));
}

function Connection({ connection, query, reason }) {
  const { status, testConnection, disconnect, loading, error } = connection;
  const [canRestart, setCanRestart] = useState(true);
  const instance = useBackend(`${status.connected} ${status.unreachable}`);
  const { connected, unreachable } = status;

  const restart = async () => {
    const answer = await fetch(`${API_URL}/demo/restart`, { method: 'POST' }).catch(() => null);
    if (answer?.status === 404) setCanRestart(false);
  };

  const [kind, state] = unreachable ? ['unreachable', 'Backend not reachable']
    : connected ? ['connected', 'Connected']
      : [reason ? 'cleared' : 'idle', 'Not connected'];
  const detail = unreachable ? `Trying again.${connected ? ' Your session is kept.' : ''}`
    : error ?? (connected || !reason ? null
      : `${REASONS[reason] ?? 'The session is gone.'} Please connect again.`);

  return h('section', { className: `connection ${kind}` },
    h('div', { className: 'state', role: 'status' },
      h('span', { className: 'dot' }), h('span', { id: 'state' }, state)),
    h('p', { className: 'detail', id: 'detail' }, detail),
    h('div', { className: 'buttons' },
      h('button', {
        id: 'connect',
        className: 'primary',
        disabled: connected || loading,
        onClick: testConnection,
      }, 'Connect'),
      h('button', { id: 'load', onClick: () => query.run('VISITORS') }, 'Load data'),
      h('button', {
        id: 'disconnect', disabled: !connected || loading, onClick: disconnect,
      }, 'Disconnect'),
      canRestart && h('button', {
        className: 'quiet', title: 'kill -9, then started again', onClick: restart,
      }, 'Restart backend')),
    h('dl', null,
      h('dt', null, 'API'), h('dd', null, h('code', null, API_URL)),
      h('dt', null, 'Backend instance'),
      h('dd', null, h('code', null, instance ? `${instance.slice(0, 8)}…` : '–')),
      h('dt', null, 'Session ID'),
      h('dd', null, !connected ? '–' : WAY.sessionIn === 'cookie' ? 'not in this page'
        : h('code', null, `${connection.getSessionId()?.slice(0, 8)}…`))));
}

function Data({ query }) {
  const rows = query.result?.rows ?? [];
  const columns = Object.keys(rows[0] ?? {});
  return h('section', { id: 'data' },
    h('h2', null, 'Data that needs the session'),
    query.error ? h('p', { className: 'failure' }, query.error)
      : rows.length === 0 ? h('p', { className: 'empty' }, 'Connect, then load data.')
        : h('table', null,
          h('thead', null, h('tr', null, columns.map((name) => h('th', { key: name }, name)))),
          h('tbody', null, rows.map((row) => h('tr', { key: row.ID },
            columns.map((name) => h('td', { key: name }, row[name])))))));
}

function Journal() {
  const entries = useJournal();
  return h('section', null,
    h('h2', null, 'What was asked and answered'),
    entries.length === 0 ? h('p', { className: 'empty' }, 'Nothing yet.')
      : h('ol', null, entries.map(({ key, status, what, remark }) => h('li', { key },
        h('b', { className: `s${String(status)[0]}` }, status),
        h('span', { className: 'what' },
          what, remark && h('span', { className: 'note' }, ` – ${remark}`))))));
}
