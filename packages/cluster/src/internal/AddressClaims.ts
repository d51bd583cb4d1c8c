/**
 * One storage at a time has the znodes of a runner's address in a session.
 *
 * Znodes tell the session and the address, and not the storage. A storage that is closed gives back in the background as long
 * as that takes: another one on the same client and with the same address would have its locks deleted, if it did not wait.
 */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

interface Claim {
  readonly by: AddressClaims
  readonly ended: Deferred.Deferred<void>
}

/** By session, then by cluster and address. */
const claims = new WeakMap<ZooKeeper.Service["session"], Map<string, Claim>>()

/** The addresses that one storage has. */
export class AddressClaims {
  private readonly all: Map<string, Claim>
  private readonly cluster: string
  private isEnded = false

  /** `cluster` is the same for storages of the same cluster, by whatever path they know it. */
  constructor(session: ZooKeeper.Service["session"], cluster: string) {
    this.all = claims.get(session) ?? new Map<string, Claim>()
    claims.set(session, this.all)
    this.cluster = cluster
  }

  /** Waits until no other storage of the session has the address. A storage that has ended claims no more. */
  claim(address: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.isEnded) return Effect.void
      const key = `${this.cluster} ${address}`
      const claim = this.all.get(key)
      if (claim === undefined) this.all.set(key, { by: this, ended: Deferred.makeUnsafe() })
      if (claim === undefined || claim.by === this) return Effect.void
      return Effect.andThen(Deferred.await(claim.ended), this.claim(address))
    })
  }

  /** Everything has been given back. */
  readonly end: Effect.Effect<void> = Effect.sync(() => {
    this.isEnded = true
    for (const [key, { by, ended }] of this.all) {
      if (by !== this) continue
      this.all.delete(key)
      Deferred.doneUnsafe(ended, Effect.void)
    }
  })
}
