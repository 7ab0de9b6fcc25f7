/** What was asked and answered, newest first, for the page to show. */

import { useSyncExternalStore } from 'react';

let entries = [];
let count = 0;
const listeners = new Set();

/** One more entry: `{ status, what, remark }`. */
export function note(entry) {
  count += 1;
  entries = [{ ...entry, key: count }, ...entries].slice(0, 8);
  listeners.forEach((listener) => listener());
}

window.addEventListener('snowflake-session-cleared', (event) => {
  note({ status: 'event', what: event.type, remark: event.detail?.reason });
});

function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useJournal() {
  return useSyncExternalStore(subscribe, () => entries);
}
