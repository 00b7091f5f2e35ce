import { LimitExceeded } from './limit-exceeded.ts';
import type { Tenant } from './tenant.ts';

const RETRY_SEC = 10;

/** The bytes of one upload; they count until they are released, once. */
export interface UploadShare {
  /** @throws {LimitExceeded} QUEUE_LIMITED, SERVICE_BUSY */
  add(bytes: number): void;
  release(): void;
}

/** What requests may hold on the disk in this process, together and by tenant. */
export class UploadSpace {
  readonly #maxBytes: number;
  readonly #byTenant = new Map<string, number>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  open(tenant: Tenant | null): UploadShare {
    let own = 0;
    return {
      add: (bytes) => {
        this.#assertRoom(tenant, bytes);
        own += bytes;
        this.#change(tenant, bytes);
      },
      release: () => {
        this.#change(tenant, -own);
        own = 0;
      },
    };
  }

  #assertRoom(tenant: Tenant | null, bytes: number): void {
    const ofTenant = tenant && this.#byTenant.get(tenant.id);
    if (tenant !== null && (ofTenant ?? 0) + bytes > tenant.limits.storedUploadBytes) {
      const message = 'Recordings of this tenant fill its place on the disk';
      throw new LimitExceeded('QUEUE_LIMITED', message, RETRY_SEC);
    }
    if (this.#bytes + bytes <= this.#maxBytes) return;
    const message = 'Recordings that arrive fill their place on the disk';
    throw new LimitExceeded('SERVICE_BUSY', message, RETRY_SEC);
  }

  #change(tenant: Tenant | null, bytes: number): void {
    this.#bytes += bytes;
    if (tenant === null) return;
    const left = (this.#byTenant.get(tenant.id) ?? 0) + bytes;
    if (left > 0) this.#byTenant.set(tenant.id, left);
    else this.#byTenant.delete(tenant.id);
  }
}
