import { setMaxListeners } from 'node:events';

/** Aborted with the first of these. Node warns of ten listeners; every request and wait adds one. */
export function anySignal(...signals: readonly AbortSignal[]): AbortSignal {
  const any = AbortSignal.any([...signals]);
  setMaxListeners(0, any);
  return any;
}
