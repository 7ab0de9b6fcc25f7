/**
 * One page, four ways to run it, chosen by `?way=` in its address.
 *
 * Two things differ between them: API_URL, and which guard runs.
 */

import { BACKEND_PORT, LYCHGATE_PORT } from './env.js';

const at = (port) => `${location.protocol}//${location.hostname}:${port}`;

export const WAYS = {
  none: {
    title: 'No guard',
    about: 'The page keeps the session ID; nothing notices a restart.',
    api: at(BACKEND_PORT),
    guard: 'none',
    sessionIn: 'page',
  },
  bare: {
    title: 'Guard in the page',
    about: 'The page keeps the session ID and looks for restarts when it loads.',
    api: at(BACKEND_PORT),
    guard: 'page',
    sessionIn: 'page',
  },
  header: {
    title: 'Through Lychgate',
    about: 'The same page, unchanged: only API_URL is another.',
    api: at(LYCHGATE_PORT),
    guard: 'page',
    sessionIn: 'page',
  },
  jar: {
    title: 'Held by Lychgate',
    about: 'The page keeps no session ID: Lychgate does, and tells it of restarts at once.',
    api: at(LYCHGATE_PORT),
    guard: 'lychgate',
    sessionIn: 'cookie',
  },
};

const asked = new URLSearchParams(location.search).get('way');

/** The name of the way that was chosen; the last one unless the address says otherwise. */
export const CHOSEN = Object.hasOwn(WAYS, asked) ? asked : 'jar';

export const WAY = WAYS[CHOSEN];
export const API_URL = WAY.api;
