import { SttError } from '../../core/errors.ts';
import { LimitExceeded } from '../tenants/limit-exceeded.ts';

const RETRY_BUSY_SEC = 10;

interface Waiting {
  readonly enter: () => void;
}

/** Lets a few jobs in at a time; those that wait take turns by tenant, each tenant's in order. */
export class JobGate {
  readonly #places: number;
  readonly #maxWaiting: number;
  /** In order of turns: a tenant that was served goes to the end. */
  readonly #queues = new Map<string | null, Waiting[]>();
  #running = 0;
  #waiting = 0;
  /** Requests that will come for a place once they have arrived. */
  #reserved = 0;

  constructor(places: number, maxWaiting: number) {
    this.#places = places;
    this.#maxWaiting = maxWaiting;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Jobs of the tenant that wait for a place. */
  waitingOf(tenant: string | null): number {
    return this.#queues.get(tenant)?.length ?? 0;
  }

  /**
   * Keeps room for a job that is still arriving; to be given up when it enters, or will not.
   * @throws {LimitExceeded} SERVICE_BUSY where there is none left.
   */
  reserve(): () => void {
    const taken = this.#running + this.#waiting + this.#reserved;
    if (taken >= this.#places + this.#maxWaiting) {
      const message = `${taken} jobs are at work or wait already`;
      throw new LimitExceeded('SERVICE_BUSY', message, RETRY_BUSY_SEC);
    }
    this.#reserved += 1;
    let isReserved = true;
    return () => {
      if (isReserved) this.#reserved -= 1;
      isReserved = false;
    };
  }

  /** A place; whoever has it leaves it once. @throws the reason of `signal` */
  enter(tenant: string | null, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(reasonOf(signal));
    if (this.#running < this.#places) {
      this.#running += 1;
      return Promise.resolve(this.#leaveOnce());
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#remove(tenant, waiting);
        reject(reasonOf(signal));
      };
      const waiting: Waiting = {
        enter: () => {
          signal.removeEventListener('abort', onAbort);
          resolve(this.#leaveOnce());
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const queue = this.#queues.get(tenant);
      if (queue) queue.push(waiting);
      else this.#queues.set(tenant, [waiting]);
      this.#waiting += 1;
    });
  }

  #leaveOnce(): () => void {
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#running -= 1;
      this.#admitNext();
    };
  }

  #admitNext(): void {
    const [turn] = this.#queues;
    if (turn === undefined) return;
    const [tenant, queue] = turn;
    const next = queue.shift();
    this.#queues.delete(tenant);
    if (queue.length > 0) this.#queues.set(tenant, queue);
    if (next === undefined) return;
    this.#waiting -= 1;
    this.#running += 1;
    next.enter();
  }

  #remove(tenant: string | null, waiting: Waiting): void {
    const queue = this.#queues.get(tenant);
    const index = queue?.indexOf(waiting) ?? -1;
    if (queue === undefined || index === -1) return;
    queue.splice(index, 1);
    if (queue.length === 0) this.#queues.delete(tenant);
    this.#waiting -= 1;
  }
}

const reasonOf = ({ reason }: AbortSignal): SttError =>
  reason instanceof SttError ? reason : new SttError('JOB_CANCELLED', 'The job was cancelled');
