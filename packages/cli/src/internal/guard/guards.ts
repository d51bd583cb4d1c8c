/** `zk lock`, `zk semaphore` and `zk elect`: a command that runs while something is held. */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type { Held } from "@effect-zookeeper/recipes/Held"
import * as LeaderElection from "@effect-zookeeper/recipes/LeaderElection"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as Semaphore from "@effect-zookeeper/recipes/Semaphore"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Os from "node:os"
import { Client } from "../frame/Client.ts"
import { parseDuration } from "../frame/durations.ts"
import { UsageError } from "../frame/errors.ts"
import { explain } from "../frame/explain.ts"
import { Printer } from "../output/Printer.ts"
import { type Holder, runHeld } from "./hold.ts"
import { candidateNames, lockNames, refuseOtherPermits, refuseOthers } from "./others.ts"
import { whileWaiting } from "./waiting.ts"

export interface Input {
  readonly path: string
  readonly command: ReadonlyArray<string>
  readonly sessionTimeout: string
}

export interface WaitInput extends Input {
  /** Left out: as long as it takes. */
  readonly wait: string | undefined
}

export interface LockInput extends WaitInput {
  readonly layout: Lock.Layout
}

export interface ElectInput extends Input {
  readonly layout: LeaderElection.Layout
}

export interface SemaphoreInput extends WaitInput {
  readonly permits: number
}

export const lock = Effect.fnUntraced(function* (input: LockInput) {
  const timeout = yield* waitOf(input)
  const { layout, path } = input
  const holder = yield* holderOf("lock", input)
  const lock = yield* Effect.provideService(Lock.make(path, { identifier, layout }), ZooKeeper.ZooKeeper, holder.zk)
  const refuse = refuseOthers(holder.zk, path, { layout, names: lockNames })
  yield* refuse
  return yield* whileWaiting(path, firstOf(lock), (acquired) =>
    lock.withLock(
      (held) => acquired.pipe(Effect.andThen(refuse), Effect.andThen(runHeld(holder, held, input.command))),
      timeout
    )
  )
})

export const semaphore = Effect.fnUntraced(function* (input: SemaphoreInput) {
  const timeout = yield* waitOf(input)
  const { path } = input
  const holder = yield* holderOf("semaphore", input)
  const options = { identifier, permits: input.permits }
  const semaphore = yield* Effect.provideService(Semaphore.make(path, options), ZooKeeper.ZooKeeper, holder.zk)
  const refuse = refuseOtherPermits(holder.zk, path)
  yield* refuse
  return yield* whileWaiting(path, semaphore.holders, (acquired) =>
    semaphore.withPermit(
      (held) => acquired.pipe(Effect.andThen(refuse), Effect.andThen(runHeld(holder, held, input.command))),
      timeout
    )
  )
})

/** After a loss of the leadership it is a candidate again. */
export const elect = Effect.fnUntraced(function* (input: ElectInput) {
  const { layout, path } = input
  const holder = yield* holderOf("elect", input)
  const election = yield* Effect.provideService(
    LeaderElection.make(path, { identifier, layout }),
    ZooKeeper.ZooKeeper,
    holder.zk
  )
  const leader = Effect.map(election.leader, Option.toArray)
  const refuse = refuseOthers(holder.zk, path, { layout, names: candidateNames })
  yield* refuse
  const { note } = yield* Printer
  const sayLoss = (error: { readonly message: string }) => note(`zk: ${explain(error)}, and is a candidate again`)
  const lead = (held: Held) =>
    runHeld(holder, held, input.command).pipe(
      Effect.tapError((error) => (error._tag === "HoldUncertain" ? sayLoss(error) : Effect.void)),
      Effect.onInterrupt(() =>
        Effect.flatMap(Effect.raceFirst(Effect.flip(held.lost), Effect.undefined), (loss) =>
          loss === undefined ? Effect.void : sayLoss(loss)
        )
      )
    )
  return yield* Effect.retry(
    whileWaiting(path, leader, (acquired) =>
      election.whileLeader((held) => acquired.pipe(Effect.andThen(refuse), Effect.andThen(lead(held))))
    ),
    { while: ({ _tag }) => _tag === "HoldUncertain" }
  )
})

/** The holder of a lock. */
export const firstOf = (lock: Pick<Lock.Lock, "contenders">) =>
  Effect.map(lock.contenders, (contenders) => contenders.slice(0, 1))

/** Tells others who it is. */
export const identifier = `${Os.hostname()}:${process.pid}`

/** The option `timeout` of recipes. */
export const waitOf = ({ wait }: WaitInput) =>
  wait === undefined ? Effect.succeed({}) : Effect.map(parseDuration("--wait", wait), (timeout) => ({ timeout }))

/** A client that holds something for a command. */
export const holderOf = Effect.fnUntraced(function* (command: string, { sessionTimeout }: Input) {
  if (process.platform === "win32") {
    return yield* new UsageError({ message: `${command} needs process groups, which Windows does not have` })
  }
  const timeout = yield* parseDuration("--session-timeout", sessionTimeout)
  const margin = Duration.divideUnsafe(timeout, 5)
  const zk = yield* (yield* Client).holder(command, { sessionTimeout: timeout, ownershipMargin: margin })
  return { zk, margin } satisfies Holder
})
