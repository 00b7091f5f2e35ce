import { SttError } from '../../core/errors.ts';
import { migrate } from '../../handler/store/migrate.ts';
import { type Store, type StoreSettings, storeOn } from '../../handler/store/open-store.ts';
import type { SqlDatabase, SqlQuery } from '../../handler/store/sql-database.ts';
import { openSqlite } from '../../handler/store/sqlite-database.ts';

type Fault = 'fails' | 'commits and fails';

/** A real database whose transactions and statements fail, or wait, when a test wants it. */
export class FaultyDatabase implements SqlDatabase {
  readonly lockMigrations = null;
  readonly skipLocked: string;
  readonly isExclusive: boolean;
  readonly #real: SqlDatabase;
  readonly #faults: { readonly matches: RegExp; readonly fault: Fault; left: number }[] = [];
  #held: { readonly matches: RegExp; readonly until: Promise<void> } | undefined;
  readonly #waiting = new Set<RegExp>();

  constructor(real: SqlDatabase) {
    this.#real = real;
    this.skipLocked = real.skipLocked;
    this.isExclusive = real.isExclusive;
  }

  static async open(path: string): Promise<FaultyDatabase> {
    const real = await openSqlite(path);
    await migrate(real);
    return new FaultyDatabase(real);
  }

  /** As `openStore`, on this database. */
  readonly openStore = async (settings: StoreSettings): Promise<Store> => storeOn(this, settings);

  /** The next `times` statements like that fail, alone or with their transaction. */
  failNext(matches: RegExp, times: number, fault: Fault = 'fails'): void {
    this.#faults.push({ matches, fault, left: times });
  }

  /** Statements like that wait; call what is returned to let them go on. */
  hold(matches: RegExp): () => void {
    let release = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#held = { matches, until };
    return () => {
      this.#held = undefined;
      release();
    };
  }

  /** Whether such a statement is waiting. */
  isHolding(matches: RegExp): boolean {
    return this.#waiting.has(matches);
  }

  get faultsLeft(): number {
    return this.#faults.reduce((sum, { left }) => sum + left, 0);
  }

  readonly query: SqlQuery = async (statement, parameters) => {
    await this.#wait(statement);
    if (this.#faultOf(statement) !== undefined) throw unavailable();
    return this.#real.query(statement, parameters);
  };

  async transaction<T>(work: (query: SqlQuery) => Promise<T>): Promise<T> {
    let isLost = false;
    const result = await this.#real.transaction((query) =>
      work(async (statement, parameters) => {
        await this.#wait(statement);
        const fault = this.#faultOf(statement);
        if (fault === 'fails') throw unavailable();
        isLost ||= fault === 'commits and fails';
        return query(statement, parameters);
      }),
    );
    if (isLost) throw unavailable();
    return result;
  }

  now(): number {
    return this.#real.now();
  }

  lockQueue(query: SqlQuery): Promise<void> {
    return this.#real.lockQueue(query);
  }

  purge(): Promise<void> {
    return this.#real.purge();
  }

  close(): Promise<void> {
    return this.#real.close();
  }

  #faultOf(statement: string): Fault | undefined {
    const found = this.#faults.find(({ matches, left }) => left > 0 && matches.test(statement));
    if (found === undefined) return undefined;
    found.left -= 1;
    return found.fault;
  }

  async #wait(statement: string): Promise<void> {
    if (!this.#held?.matches.test(statement)) return;
    const { matches, until } = this.#held;
    this.#waiting.add(matches);
    await until;
    this.#waiting.delete(matches);
  }
}

const unavailable = (): SttError => new SttError('STORE_UNAVAILABLE', 'The test wants it so');
