import type { EndedSession, Refinement } from '../../handler/realtime/contracts.ts';

/** Keeps what it is given, and says at once that it is done. */
export class ScriptedRefinement implements Refinement {
  readonly handedOver: EndedSession[] = [];
  /** What the next hand-overs fail with. */
  readonly failures: Error[] = [];

  async checkWebhook(): Promise<void> {}

  async handOver(session: EndedSession): Promise<void> {
    const failure = this.failures.shift();
    if (failure) throw failure;
    this.handedOver.push(session);
  }

  async outcome(_tenant: string | null, jobId: string) {
    const session = this.handedOver.find((ended) => ended.jobId === jobId);
    if (session === undefined) return undefined;
    const result = { meeting_id: session.meetingId, transcript: 'refined' };
    return { status: 'completed', result, error: null };
  }
}
