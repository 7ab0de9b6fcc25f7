// React as a module, for `import … from 'react'`: Debian's build is a script that sets a global.
const { React } = globalThis;

export default React;
export const {
  createElement, useCallback, useEffect, useRef, useState, useSyncExternalStore,
} = React;
