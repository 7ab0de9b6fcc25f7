/** The guard of the chosen way: the page's own, the one that Lychgate serves, or none. */

import React from 'react';
import { API_URL, WAY } from '../config.js';
import { createLogger } from '../utils/logger.js';
import { useBackendInstanceGuard } from './useBackendInstanceGuard.js';

const log = createLogger('BackendGuard');

async function choose() {
  if (WAY.guard === 'none') return () => {};
  if (WAY.guard === 'page') return useBackendInstanceGuard;
  try {
    const guard = await import(`${API_URL}/.lychgate/guard.js`);
    return () => guard.useBackendInstanceGuard(React);
  } catch (error) {
    // The page works without it, and then learns of a restart from its next request.
    log.warn('No guard.js from Lychgate', { error: error.message });
    return () => {};
  }
}

export const useGuard = await choose();
