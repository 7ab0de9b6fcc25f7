/**
 * useSnowflake Hooks
 *
 * useConnection: whether there is a session, and how to get and end one.
 * useQuery: data that needs the session.
 */

import { useCallback, useEffect, useRef, useState } from 'react';
import { WAY } from '../config.js';
import { createLogger } from '../utils/logger.js';
import { dropSession, keepSession, readSession, request } from '../utils/session.js';

const connectionLog = createLogger('Connection');

const getSessionId = () => readSession()?.sessionId ?? null;

export function useConnection() {
  const [status, setStatus] = useState({ connected: false, unreachable: false });
  const [loading, setLoading] = useState(false);
  const [error, setError] = useState(null);
  const consecutiveStatusTimeoutsRef = useRef(0);
  const timerRef = useRef(null);

  // 401 is "please reconnect", 503 is "try again later".
  const checkStatus = useCallback(async () => {
    clearTimeout(timerRef.current);
    const { ok, status: code, body } = await request('GET', '/api/session/status')
      .catch(() => ({ status: 0 }));
    if (ok) {
      consecutiveStatusTimeoutsRef.current = 0;
      // Another tab may have got the session that a cookie stands for.
      if (!readSession()) keepSession(body);
      setStatus({ connected: true, unreachable: false });
    } else if (code === 401) {
      consecutiveStatusTimeoutsRef.current = 0;
      setStatus({ connected: !!readSession(), unreachable: false });
    } else {
      const count = (consecutiveStatusTimeoutsRef.current += 1);
      setStatus({ connected: !!readSession(), unreachable: true });
      timerRef.current = setTimeout(checkStatus, Math.min(500 * 2 ** count, 15000));
    }
  }, []);

  useEffect(() => {
    if (WAY.guard === 'none') {
      setStatus({ connected: !!readSession(), unreachable: false });
    } else if (readSession() || WAY.sessionIn === 'cookie') {
      checkStatus();
    }
    return () => clearTimeout(timerRef.current);
  }, [checkStatus]);

  useEffect(() => {
    function handleSessionCleared(event) {
      connectionLog.info('Session cleared by external event', { reason: event.detail?.reason });
      consecutiveStatusTimeoutsRef.current = 0;
      setStatus({ connected: false, unreachable: false });
      setError(null);
    }

    window.addEventListener('snowflake-session-cleared', handleSessionCleared);
    return () => {
      window.removeEventListener('snowflake-session-cleared', handleSessionCleared);
    };
  }, []);

  const attempt = useCallback(async (path, succeed) => {
    clearTimeout(timerRef.current);
    setLoading(true);
    setError(null);
    try {
      const answer = await request('POST', path);
      if (answer.ok) succeed(answer.body);
      else if (answer.status >= 500) checkStatus();
      else if (answer.status !== 401) setError(`${answer.status} ${answer.reason ?? ''}`);
    } catch (failure) {
      connectionLog.warn('No answer', { error: failure.message });
      checkStatus();
    } finally {
      setLoading(false);
    }
  }, [checkStatus]);

  const testConnection = useCallback(() => attempt('/api/connect', (session) => {
    keepSession(session);
    connectionLog.info('Connected', { user: session.user });
    setStatus({ connected: true, unreachable: false });
  }), [attempt]);

  const disconnect = useCallback(() => attempt('/api/disconnect', () => {
    dropSession();
    setStatus({ connected: false, unreachable: false });
  }), [attempt]);

  return {
    status, testConnection, disconnect, loading, error, getSessionId: () => getSessionId(),
    checkStatus,
  };
}

/** `run(table)` asks for a table's rows; `onFailure` hears of an answer that says "later". */
export function useQuery(onFailure) {
  const [result, setResult] = useState(null);
  const [error, setError] = useState(null);

  useEffect(() => {
    const clear = () => {
      setResult(null);
      setError(null);
    };
    window.addEventListener('snowflake-session-cleared', clear);
    return () => window.removeEventListener('snowflake-session-cleared', clear);
  }, []);

  const run = useCallback(async (table) => {
    const answer = await request('POST', '/api/query', { table })
      .catch(() => ({ status: 0, reason: 'no answer' }));
    if (answer.ok) {
      setResult(answer.body);
      setError(null);
    } else if (answer.status !== 401 || WAY.guard === 'none') {
      setResult(null);
      setError(`The query failed: ${answer.status || ''} ${answer.reason ?? ''}`);
    }
    if (answer.status === 0 || answer.status >= 502) onFailure();
  }, [onFailure]);

  return { result, error, run };
}
