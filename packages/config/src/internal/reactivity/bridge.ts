/** A `Reactivity` that tells those of other processes of its invalidations, and hears of their own. */
import type { InvalidArgument, SessionError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as Printable from "@effect-zookeeper/client/Printable"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import { followEvents } from "../followEvents.ts"
import { everyKey, slotsOf, slotKey, withSlots, type Keys } from "./slots.ts"

export interface Bridge {
  readonly zk: ZooKeeper.Service
  readonly path: string
  readonly slots: number
  /** Done when the server has the watch, or never will have it. */
  readonly ready: Deferred.Deferred<void, InvalidArgument | SessionError>
}

export const makeBridge = Effect.fnUntraced(function* (
  bridge: Bridge
): Effect.fn.Return<Reactivity.Reactivity, never, Scope.Scope> {
  const local = yield* Reactivity.make
  const outbox = new Outbox()
  yield* Effect.forkScoped(listen(bridge, local, outbox))
  yield* Effect.forkScoped(publishAll(bridge, local, outbox))

  const invalidate = (keys: Keys): Effect.Effect<void> =>
    Effect.contextWith((context) => {
      const batch = Context.get(context, Batch)
      const slots = slotsOf(keys, bridge.slots)
      return Effect.andThen(
        local.invalidate(keys),
        Effect.sync(() => (batch === undefined ? outbox.add(slots) : slots.forEach((slot) => batch.add(slot))))
      )
    })

  return {
    ...local,
    invalidateUnsafe: (keys) => {
      local.invalidateUnsafe(keys)
      outbox.add(slotsOf(keys, bridge.slots))
    },
    invalidate,
    registerUnsafe: (keys, handler) => local.registerUnsafe(withSlots(keys, bridge.slots), handler),
    mutation: (keys, effect) => Effect.tap(effect, invalidate(keys)),
    query: (keys, effect) => local.query(withSlots(keys, bridge.slots), effect),
    stream: (keys, effect) => local.stream(withSlots(keys, bridge.slots), effect),
    withBatch: (effect) =>
      Effect.suspend(() => {
        const batch = new Set<number>()
        return local
          .withBatch(Effect.provideService(effect, Batch, batch))
          .pipe(Effect.onExit(() => Effect.sync(() => outbox.add(batch))))
      })
  }
})

// ---- internal

/** The slots that a batch has invalidated; undefined outside of a batch. */
const Batch = Context.Reference<Set<number> | undefined>("@effect-zookeeper/config/internal/reactivity/Batch", {
  defaultValue: () => undefined
})

/** The slots to write to, and the events that come back from these writes. */
class Outbox {
  readonly due = Latch.makeUnsafe()
  private waiting = new Set<number>()
  private readonly echoes = new Map<number, number>()

  add(slots: Iterable<number>): void {
    for (const slot of slots) this.waiting.add(slot)
    if (this.waiting.size > 0) this.due.openUnsafe()
  }

  takeAll(): ReadonlySet<number> {
    const all = this.waiting
    this.waiting = new Set()
    this.due.closeUnsafe()
    return all
  }

  /** A write whose event has to be left out, because its process has invalidated already. */
  expectEcho(slot: number): void {
    this.echoes.set(slot, (this.echoes.get(slot) ?? 0) + 1)
  }

  /**
   * Whether an event may be left out. If it was of another process, the event of the own write, which is still to come,
   * takes its place.
   */
  takeEcho(slot: number): boolean {
    const count = this.echoes.get(slot) ?? 0
    if (count > 1) this.echoes.set(slot, count - 1)
    else this.echoes.delete(slot)
    return count > 0
  }

  forgetEchoes(slot?: number): void {
    if (slot === undefined) this.echoes.clear()
    else this.echoes.delete(slot)
  }
}

const listen = (
  { path, ready, slots, zk }: Bridge,
  local: Reactivity.Reactivity,
  outbox: Outbox
): Effect.Effect<void> => {
  const onGap = () => {
    outbox.forgetEchoes()
    local.invalidateUnsafe([everyKey])
  }
  return followEvents({
    zk,
    path,
    onReady: () => {
      if (!Deferred.doneUnsafe(ready, Effect.void)) onGap()
    },
    onEvent: (event) => {
      if (event.type === "Gap") return onGap()
      const slot = Number(ZnodePath.name(event.path))
      const isWrite = event.type === "NodeCreated" || event.type === "NodeDataChanged"
      if (!isWrite || event.path === path || !(slot < slots) || outbox.takeEcho(slot)) return
      local.invalidateUnsafe([slotKey(slot)])
    },
    whileLost: (error, isNews) => {
      // The caller of `make` is told.
      if (!Deferred.isDoneUnsafe(ready)) return Effect.fail(error)
      const warning = `invalidations of other processes are not heard until the server has a watch of ${Printable.escape(path)}: ${error.message}`
      return isNews ? Effect.logWarning(warning) : Effect.void
    }
  }).pipe(
    Effect.catch((error) => {
      if (Deferred.doneUnsafe(ready, Effect.fail(error)) || error._tag === "SessionClosed") return Effect.void
      return Effect.logWarning(`invalidations of other processes are not heard any more: ${error.message}`)
    })
  )
}

const publishAll = (bridge: Bridge, local: Reactivity.Reactivity, outbox: Outbox): Effect.Effect<never> =>
  Effect.forever(
    Effect.andThen(
      Latch.await(outbox.due),
      Effect.suspend(() =>
        Effect.forEach(outbox.takeAll(), (slot) => publish(bridge, local, outbox, slot), {
          concurrency: 16,
          discard: true
        })
      )
    )
  )

const publish = (
  { path, zk }: Bridge,
  local: Reactivity.Reactivity,
  outbox: Outbox,
  slot: number
): Effect.Effect<void> =>
  Effect.suspend(() => {
    outbox.expectEcho(slot)
    return Outcome.retryAcrossSessions(
      zk.session,
      zk.createOrSet(ZnodePath.join(path, String(slot)), new Uint8Array(0))
    )
  }).pipe(
    Effect.asVoid,
    Effect.catch((error) => {
      // An event of another process may have been taken for the echo of this write.
      outbox.forgetEchoes(slot)
      local.invalidateUnsafe([slotKey(slot)])
      if (error._tag === "SessionClosed") return Effect.void
      return Effect.logWarning(
        `an invalidation is not sent to other processes by ${Printable.escape(path)}: ${error.message}`
      )
    })
  )
