/**
 * useBackendInstanceGuard Hook
 *
 * Detects when the backend has restarted and clears stale sessions.
 *
 * The backend generates a unique SERVER_INSTANCE_ID on startup.
 * When the frontend loads, it compares the current backend instance ID
 * to the one it saw last time. If they differ, the backend has restarted
 * and any stored session ID is stale.
 *
 * This prevents the "zombie session" problem where:
 * - Backend restarts (losing all session state)
 * - Frontend still has a sessionId in sessionStorage
 * - API calls fail mysteriously because the session doesn't exist
 *
 * Result: After backend restart, user sees "Not connected" and can cleanly reconnect.
 */

import { useEffect, useRef } from 'react';
import { API_URL } from '../config.js';
import { createLogger } from '../utils/logger.js';

// Keys in sessionStorage
const BACKEND_INSTANCE_KEY = 'MDLH_BACKEND_INSTANCE_ID';
const SESSION_KEY = 'snowflake_session'; // Must match useSnowflake.js

const log = createLogger('BackendGuard');

/**
 * Hook that runs on app load to detect backend restarts.
 *
 * If the backend has restarted since last visit:
 * - Clears the stale session from sessionStorage
 * - User will see "Not connected" state and can reconnect cleanly
 *
 * Usage:
 * ```jsx
 * function App() {
 *   useBackendInstanceGuard();
 *   // rest of app...
 * }
 * ```
 */
export function useBackendInstanceGuard() {
  const hasCheckedRef = useRef(false);

  useEffect(() => {
    // Only run once per app mount
    if (hasCheckedRef.current) {
      return;
    }
    hasCheckedRef.current = true;

    async function checkBackendInstance() {
      try {
        const res = await fetch(`${API_URL}/health`, {
          // Short timeout - this is just a quick check
          signal: AbortSignal.timeout(5000),
        });

        if (!res.ok) {
          log.warn('Health check failed', { status: res.status });
          return;
        }

        const data = await res.json();
        const newInstanceId = data.serverInstanceId;

        if (!newInstanceId) {
          log.debug('No serverInstanceId in health response (old backend?)');
          return;
        }

        const storedInstanceId = window.sessionStorage.getItem(BACKEND_INSTANCE_KEY);

        // First run: just store the instance ID
        if (!storedInstanceId) {
          log.info('First visit - storing backend instance ID', {
            instanceId: newInstanceId.substring(0, 8) + '...'
          });
          window.sessionStorage.setItem(BACKEND_INSTANCE_KEY, newInstanceId);
          return;
        }

        // Check if backend restarted
        if (storedInstanceId !== newInstanceId) {
          log.warn('Backend restarted - clearing stale session', {
            oldInstance: storedInstanceId.substring(0, 8) + '...',
            newInstance: newInstanceId.substring(0, 8) + '...',
          });

          // Clear the stale session
          const hadSession = !!window.sessionStorage.getItem(SESSION_KEY);
          window.sessionStorage.removeItem(SESSION_KEY);

          // Store the new instance ID
          window.sessionStorage.setItem(BACKEND_INSTANCE_KEY, newInstanceId);

          if (hadSession) {
            log.info('Stale session cleared - user will need to reconnect');

            // Dispatch a custom event so components can react
            window.dispatchEvent(new CustomEvent('snowflake-session-cleared', {
              detail: { reason: 'backend-restart' }
            }));
          }
        } else {
          log.debug('Backend instance unchanged', {
            instanceId: newInstanceId.substring(0, 8) + '...'
          });
        }
      } catch (err) {
        // If health check fails, don't worry about it
        // The regular connection flow will handle errors
        if (err.name === 'TimeoutError' || err.name === 'AbortError') {
          log.debug('Health check timed out - backend may be slow/unreachable');
        } else {
          log.debug('Health check failed', { error: err.message });
        }
      }
    }

    checkBackendInstance();
  }, []);
}

/**
 * Utility to manually check if the backend has restarted.
 * Useful for programmatic checks outside React.
 *
 * @returns {Promise<{restarted: boolean, cleared: boolean}>}
 */
export async function checkBackendRestart() {
  try {
    const res = await fetch(`${API_URL}/health`, {
      signal: AbortSignal.timeout(5000),
    });

    if (!res.ok) {
      return { restarted: false, cleared: false };
    }

    const data = await res.json();
    const newInstanceId = data.serverInstanceId;

    if (!newInstanceId) {
      return { restarted: false, cleared: false };
    }

    const storedInstanceId = window.sessionStorage.getItem(BACKEND_INSTANCE_KEY);

    if (!storedInstanceId) {
      window.sessionStorage.setItem(BACKEND_INSTANCE_KEY, newInstanceId);
      return { restarted: false, cleared: false };
    }

    if (storedInstanceId !== newInstanceId) {
      const hadSession = !!window.sessionStorage.getItem(SESSION_KEY);
      window.sessionStorage.removeItem(SESSION_KEY);
      window.sessionStorage.setItem(BACKEND_INSTANCE_KEY, newInstanceId);

      return { restarted: true, cleared: hadSession };
    }

    return { restarted: false, cleared: false };
  } catch {
    return { restarted: false, cleared: false };
  }
}

export default useBackendInstanceGuard;
