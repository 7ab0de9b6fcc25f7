/** Lines on the console that begin with who says them, as in `[BackendGuard] Backend restarted`. */
export function createLogger(name) {
  const say = (level) => (message, details) => {
    console[level](`[${name}] ${message}`, ...(details === undefined ? [] : [details]));
  };
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
}
