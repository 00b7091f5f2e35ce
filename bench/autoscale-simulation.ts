/** A job of the trace: when it arrives, how much audio it holds and who waits for it. */
export interface Arrival {
  readonly atSec: number;
  readonly audioSec: number;
  readonly kind: 'file' | 'realtime';
}

/** RunPod's two scalers, `value` as in its console: seconds of delay, or requests for a worker. */
export interface Scaler {
  readonly type: 'QUEUE_DELAY' | 'REQUEST_COUNT';
  readonly value: number;
}

export interface Pool {
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly idleTimeoutSec: number;
  readonly scaler: Scaler;
  /** From the start of a worker to its first job. */
  readonly coldStartSec: number;
  /** Jobs that a worker takes at a time. */
  readonly concurrency: number;
}

/** Measured service times: what a job costs a worker that has nothing else to do. */
export interface ServiceTimes {
  /** Seconds of work for a second of audio in a file. */
  readonly fileRealTimeFactor: number;
  /** Fixed part of a file job: fetch, decode, result. */
  readonly fileOverheadSec: number;
  /** One window of a live session. */
  readonly windowSec: number;
}

export interface Outcome {
  /** Seconds from arrival to start, in order of arrival. */
  readonly waitsSec: readonly number[];
  /** Of these, live windows. */
  readonly realtimeWaitsSec: readonly number[];
  /** Sum over workers of the time that is paid for: from start, cold start included, to stop. */
  readonly paidWorkerSec: number;
  readonly busyWorkerSec: number;
  readonly peakWorkers: number;
  readonly coldStarts: number;
}

interface Worker {
  readonly startedAtSec: number;
  readonly readyAtSec: number;
  /** When each place becomes free; as many as `concurrency`. */
  readonly freeAtSec: number[];
  isStopped: boolean;
}

/** RunPod decides every second or so. */
const TICK_SEC = 1;

/**
 * Replays a trace against a pool in steps of a second: jobs go to a free place in order of arrival,
 * the scaler looks at the queue, workers stop after `idleTimeoutSec` without a job.
 *
 * `REQUEST_COUNT` wants ⌈(queued + running) ÷ value⌉ workers; `QUEUE_DELAY` one more whenever the
 * oldest job has waited longer than `value` seconds, as RunPod documents both. A live window takes
 * its place like any job: the queue of an endpoint knows no priority.
 */
export function simulatePool(
  arrivals: readonly Arrival[],
  pool: Pool,
  times: ServiceTimes,
): Outcome {
  return new PoolSimulation(arrivals, pool, times).run();
}

class PoolSimulation {
  readonly #arrivals: readonly Arrival[];
  readonly #pool: Pool;
  readonly #times: ServiceTimes;
  #workers: Worker[] = [];
  readonly #queue: Arrival[] = [];
  /** Jobs of the queue that have left it. */
  #taken = 0;
  #next = 0;
  readonly #waits = new Map<Arrival, number>();
  #paidSec = 0;
  #busySec = 0;
  #peak = 0;
  #coldStarts = 0;

  constructor(arrivals: readonly Arrival[], pool: Pool, times: ServiceTimes) {
    this.#arrivals = [...arrivals].sort((a, b) => a.atSec - b.atSec);
    this.#pool = pool;
    this.#times = times;
    for (let count = 0; count < pool.minWorkers; count++) this.#start(-pool.coldStartSec);
    this.#coldStarts = 0; // Those that always run are not waited for.
  }

  run(): Outcome {
    let nowSec = 0;
    while (this.#next < this.#arrivals.length || this.#queued > 0 || this.#isBusy(nowSec)) {
      this.#arrive(nowSec + TICK_SEC);
      this.#assign(nowSec + TICK_SEC);
      nowSec += TICK_SEC;
      this.#scaleUp(nowSec);
      this.#stopIdle(nowSec);
    }
    for (const worker of this.#workers) this.#stop(worker, nowSec);
    const waited = this.#arrivals.map((arrival) => ({ arrival, sec: this.#waits.get(arrival)! }));
    const live = waited.filter(({ arrival }) => arrival.kind === 'realtime');
    return {
      waitsSec: waited.map(({ sec }) => sec),
      realtimeWaitsSec: live.map(({ sec }) => sec),
      paidWorkerSec: this.#paidSec,
      busyWorkerSec: this.#busySec,
      peakWorkers: this.#peak,
      coldStarts: this.#coldStarts,
    };
  }

  get #queued(): number {
    return this.#queue.length - this.#taken;
  }

  #arrive(untilSec: number): void {
    for (; this.#next < this.#arrivals.length; this.#next++) {
      const arrival = this.#arrivals[this.#next]!;
      if (arrival.atSec >= untilSec) return;
      this.#queue.push(arrival);
    }
  }

  /** Every job that can start before `untilSec`, each as early as a place allows. */
  #assign(untilSec: number): void {
    while (this.#queued > 0) {
      const place = this.#earliestPlace();
      if (!place) return;
      const job = this.#queue[this.#taken]!;
      const startSec = Math.max(job.atSec, place.freeSec);
      if (startSec >= untilSec) return;
      this.#taken += 1;
      const workSec = this.#workOf(job);
      place.worker.freeAtSec[place.index] = startSec + workSec;
      this.#busySec += workSec / this.#pool.concurrency;
      this.#waits.set(job, startSec - job.atSec);
    }
  }

  #earliestPlace() {
    let best: { worker: Worker; index: number; freeSec: number } | undefined;
    for (const worker of this.#workers) {
      for (const [index, freeSec] of worker.freeAtSec.entries()) {
        if (!best || freeSec < best.freeSec) best = { worker, index, freeSec };
      }
    }
    return best;
  }

  #workOf({ kind, audioSec }: Arrival): number {
    const { fileRealTimeFactor, fileOverheadSec, windowSec } = this.#times;
    return kind === 'realtime' ? windowSec : fileOverheadSec + audioSec * fileRealTimeFactor;
  }

  #scaleUp(nowSec: number): void {
    const { scaler, maxWorkers } = this.#pool;
    const running = this.#workers.reduce((sum, worker) => sum + runningOn(worker, nowSec), 0);
    const oldest = this.#queue[this.#taken];
    const starting = this.#workers.filter(({ readyAtSec }) => readyAtSec > nowSec).length;
    let wanted = this.#workers.length;
    if (scaler.type === 'REQUEST_COUNT') {
      wanted = Math.ceil((this.#queued + running) / scaler.value);
    } else if (oldest && nowSec - oldest.atSec > scaler.value && starting === 0) wanted += 1;
    while (this.#workers.length < Math.min(wanted, maxWorkers)) this.#start(nowSec);
  }

  #start(nowSec: number): void {
    const readyAtSec = nowSec + this.#pool.coldStartSec;
    const freeAtSec = Array.from({ length: this.#pool.concurrency }, () => readyAtSec);
    this.#workers.push({
      startedAtSec: Math.max(0, nowSec),
      readyAtSec,
      freeAtSec,
      isStopped: false,
    });
    this.#coldStarts += 1;
    this.#peak = Math.max(this.#peak, this.#workers.length);
  }

  #stopIdle(nowSec: number): void {
    const { idleTimeoutSec, minWorkers } = this.#pool;
    for (const worker of [...this.#workers].reverse()) {
      if (this.#workers.length <= minWorkers || this.#queued > 0) return;
      const idleSinceSec = Math.max(...worker.freeAtSec);
      if (nowSec - idleSinceSec >= idleTimeoutSec) this.#stop(worker, nowSec);
    }
  }

  #stop(worker: Worker, nowSec: number): void {
    this.#paidSec += nowSec - worker.startedAtSec;
    worker.isStopped = true;
    this.#workers = this.#workers.filter(({ isStopped }) => !isStopped);
  }

  #isBusy = (nowSec: number): boolean =>
    this.#workers.some((worker) => runningOn(worker, nowSec) > 0);
}

const runningOn = ({ freeAtSec, readyAtSec }: Worker, nowSec: number): number =>
  readyAtSec > nowSec ? 0 : freeAtSec.filter((freeSec) => freeSec > nowSec).length;
