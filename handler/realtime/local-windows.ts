import type { LiveWindow } from '../../pipeline/realtime/recognize-window.ts';
import type { WindowResult } from '../../pipeline/realtime/session-state.ts';
import type { WindowRecognizer } from './contracts.ts';

/** Windows on the engine of this process; a newer one of its session replaces one that waits. */
export const localWindows = (
  recognizeWindow: (window: LiveWindow, signal: AbortSignal) => Promise<WindowResult>,
): WindowRecognizer => ({
  recognize: ({ sessionId, tenant, ...window }, signal) => {
    const urgent = { priority: 'realtime', tenant } as const;
    const scheduling = window.isLast ? urgent : { ...urgent, replaces: sessionId };
    return recognizeWindow({ ...window, scheduling }, signal);
  },
});
