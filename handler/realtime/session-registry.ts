import { timingSafeEqual } from 'node:crypto';
import type { SessionIdentity } from './session-store.ts';

interface Registered {
  readonly identity: SessionIdentity;
  /** All that was said is final; only its client has to come for it. */
  readonly isOver: boolean;
}

/** Sessions by tenant and name. One that another of its name has replaced is still there. */
export class SessionRegistry<Session extends Registered> {
  readonly #all = new Set<Session>();
  readonly #byName = new Map<string, Session>();

  /** Those that are under way. */
  get count(): number {
    return this.#underWay().length;
  }

  countOf(tenant: string | null): number {
    return this.#underWay().filter(({ identity }) => identity.tenant === tenant).length;
  }

  byTenant(): ReadonlyMap<string | null, number> {
    const counts = new Map<string | null, number>();
    for (const { identity } of this.#underWay()) {
      counts.set(identity.tenant, (counts.get(identity.tenant) ?? 0) + 1);
    }
    return counts;
  }

  add(session: Session): void {
    this.#all.add(session);
    this.#byName.set(nameOf(session.identity), session);
  }

  remove(session: Session): void {
    this.#all.delete(session);
    const name = nameOf(session.identity);
    if (this.#byName.get(name) === session) this.#byName.delete(name);
  }

  find(identity: Pick<SessionIdentity, 'tenant' | 'sessionId'>): Session | undefined {
    return this.#byName.get(nameOf(identity));
  }

  all(): readonly Session[] {
    return [...this.#all];
  }

  #underWay(): readonly Session[] {
    return this.all().filter(({ isOver }) => !isOver);
  }
}

const nameOf = ({ tenant, sessionId }: Pick<SessionIdentity, 'tenant' | 'sessionId'>): string =>
  JSON.stringify([tenant, sessionId]);

/** In constant time. */
export const isSameHash = (a: string, b: string): boolean =>
  timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
