/** Small numbers that no two living sessions have at once. */
import type { CreateError } from "@effect-zookeeper/client/Errors"
import { deleteByCzxid, type ExactDeleteError } from "@effect-zookeeper/client/ExactDelete"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { NoMachineId } from "../Errors.ts"

/** How many there are: a Snowflake has 10 bits for them. */
export const machineIdLimit = 1024

/** The machine ids of a process: one for each runner, for as long as its session lives. */
export class MachineIds {
  private readonly zk: ZooKeeper.Service
  private readonly parent: string
  /** By the addresses of runners. A take goes on whatever becomes of its caller, so that none is forgotten. */
  private readonly takes = new Map<string, Fiber.Fiber<Taken, TakeError>>()

  constructor(zk: ZooKeeper.Service, parent: string) {
    this.zk = zk
    this.parent = parent
  }

  /** That of a runner in the present session. Fails with `NoMachineId` when all are taken. */
  of(address: string): Effect.Effect<number, TakeError> {
    return Effect.gen({ self: this }, function* () {
      const known = this.takes.get(address)
      if (known !== undefined) {
        const exit = yield* Fiber.await(known)
        // One of a former session has ended with that.
        if (Exit.isSuccess(exit) && exit.value.sessionId === this.zk.session.id) return exit.value.id
      }
      // Another caller may have begun meanwhile.
      const begun = this.takes.get(address)
      if (begun !== known && begun !== undefined) return (yield* Fiber.join(begun)).id
      return (yield* Fiber.join(yield* this.begin(address))).id
    })
  }

  /** An interruption does not come between the beginning and its note. */
  private begin(address: string): Effect.Effect<Fiber.Fiber<Taken, TakeError>> {
    return Effect.uninterruptible(
      Effect.map(
        Effect.forkDetach(takeMachineId(this.zk, this.parent, address), { startImmediately: true }),
        (take) => {
          this.takes.set(address, take)
          return take
        }
      )
    )
  }

  /** Gives all of them back. A failure of one does not keep the others. */
  get releaseAll(): Effect.Effect<void> {
    return Effect.forEach(
      this.takes.values(),
      (take) =>
        Effect.flatMap(Fiber.await(take), (exit) =>
          Exit.isSuccess(exit) ? Effect.ignore(release(this.zk, this.parent, exit.value)) : Effect.void
        ),
      { concurrency: 4, discard: true }
    )
  }
}

interface Taken {
  readonly id: number
  readonly sessionId: bigint
}

type TakeError = NoMachineId | Exclude<CreateError, { readonly _tag: "NodeExists" }>

// ---- internal

/**
 * Takes the lowest number that no living session has: an ephemeral znode, with the runner's address as its data. Run it in
 * one session; one that was taken in a session that has ended meanwhile ended with it.
 */
const takeMachineId = (zk: ZooKeeper.Service, parent: string, address: string): Effect.Effect<Taken, TakeError> =>
  Effect.gen(function* () {
    const taken = new Set(yield* Outcome.retryTransient(zk.getChildren(parent)))
    for (let id = 0; id < machineIdLimit; id++) {
      if (taken.has(String(id))) continue
      const isOurs = yield* Outcome.retryTransient(take(zk, ZnodePath.join(parent, String(id)), address))
      // The session that answered.
      if (isOurs) return { id, sessionId: zk.session.id }
    }
    return yield* new NoMachineId({ path: parent, limit: machineIdLimit })
  })

/** Gives a number back, if the session still has it. */
const release = (
  zk: ZooKeeper.Service,
  parent: string,
  { id, sessionId }: Taken
): Effect.Effect<void, ExactDeleteError> => {
  const path = ZnodePath.join(parent, String(id))
  const deleting = deleteByCzxid(zk, path, ({ ephemeralOwner }) => ephemeralOwner === sessionId)
  // The znodes of a session are gone in the next one.
  const once = Effect.suspend(() => (zk.session.id === sessionId ? deleting : Effect.void))
  return Effect.catchTag(Outcome.retryTransient(once), ["SessionExpired", "SessionClosed"], () => Effect.void)
}

const isOwn = ({ data, stat }: DataAndStat, sessionId: bigint, address: string): boolean =>
  stat.ephemeralOwner === sessionId && new TextDecoder().decode(data) === address

/** Whether it is ours. One that is there may come from a create whose reply was lost. */
const take = (zk: ZooKeeper.Service, path: string, address: string) =>
  zk.create(path, { data: address, mode: "ephemeral" }).pipe(
    Effect.as(true),
    Effect.catchTag("NodeExists", () =>
      Effect.andThen(zk.sync(path), zk.get(path)).pipe(
        Effect.map((znode) => isOwn(znode, zk.session.id, address)),
        // It went away meanwhile, and the next one will do.
        Effect.catchTag("NoNode", () => Effect.succeed(false))
      )
    )
  )
