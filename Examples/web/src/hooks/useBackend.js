/** The backend's instance, to be shown; asked for again whenever `moment` changes. */

import { useEffect, useState } from 'react';
import { API_URL } from '../config.js';

export function useBackend(moment) {
  const [instance, setInstance] = useState(null);

  useEffect(() => {
    let isCurrent = true;
    fetch(`${API_URL}/health`)
      .then((response) => response.json())
      .then((health) => isCurrent && setInstance(health.serverInstanceId ?? null))
      .catch(() => {});
    return () => { isCurrent = false; };
  }, [moment]);

  return instance;
}
