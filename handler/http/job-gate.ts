import { SttError } from '../../core/errors.ts';
import { LimitExceeded } from '../tenants/admission.ts';

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

  /** @throws {LimitExceeded} SERVICE_BUSY where one more could only be refused. */
  assertRoom(): void {
    if (this.#running < this.#places || this.#waiting < this.#maxWaiting) return;
    throw new LimitExceeded('SERVICE_BUSY', `${this.#waiting} jobs wait already`, RETRY_BUSY_SEC);
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
