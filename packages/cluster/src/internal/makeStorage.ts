/** The storage of one process: its methods, with their bounds and errors. */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { PersistenceError } from "effect/cluster/ClusterError"
import * as RunnerStorage from "effect/cluster/RunnerStorage"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { StorageTimeout } from "../Errors.ts"
import { AddressClaims } from "./AddressClaims.ts"
import { ensureLayout } from "./ensureLayout.ts"
import type { Layout } from "./layout.ts"
import { MachineIds } from "./machineIds.ts"
import * as Registrations from "./registrations.ts"
import { SessionOwnership } from "./SessionOwnership.ts"
import { type Times, timesProblem } from "./settings.ts"
import { ShardLocks } from "./ShardLocks.ts"

/** A storage that gives everything back when the Scope closes. */
export const makeStorage = (
  zk: ZooKeeper.Service,
  layout: Layout,
  times: Times
): Effect.Effect<RunnerStorage.RunnerStorage["Service"], InvalidArgument | PersistenceError, Scope.Scope> =>
  Effect.gen(function* () {
    const checkTimes = Effect.suspend(() => {
      // Without a connection yet the timeout is the one that was asked for.
      const isGranted = zk.session.id !== 0n
      const problem = times.isRunner && isGranted ? timesProblem(times, zk.session.timeout) : undefined
      return problem === undefined ? Effect.void : Effect.fail(problem)
    })
    yield* checkTimes
    const clock = yield* Clock.Clock
    const ownership = new SessionOwnership({ zk, clock, scope: yield* Effect.scope, layout, times })
    const bounded = bounding(zk, layout, times)
    const birth = Effect.andThen(
      ensureLayout(zk, layout),
      // Servers since 3.8.4 give a stat only to clients that may read the znode.
      Effect.catchTag(
        Outcome.retryAcrossSessions(zk.session, zk.stat(layout.shards)),
        "NoAuth",
        () => Effect.succeedNone
      )
    )
    const cluster = Option.match(yield* bounded("make", birth), {
      onNone: () => layout.prefix,
      onSome: ({ czxid }) => String(czxid)
    })
    yield* checkTimes
    const claims = new AddressClaims(zk.session, cluster)

    const locks = new Map<string, ShardLocks>()
    const locksOf = (address: string): ShardLocks => {
      const known = locks.get(address)
      if (known !== undefined) return known
      const made = new ShardLocks({ zk, layout, address, ownership })
      locks.set(address, made)
      return made
    }

    const machineIds = new MachineIds(zk, layout.machines)
    const registered = new Map<string, bigint>()

    const register = (address: string, runner: string, healthy: boolean) =>
      Effect.gen(function* () {
        while (true) {
          // From now on the session is proved, so that the shards which follow are owned at once.
          const { sessionId } = yield* ownership.begin
          const problem = timesProblem(times, zk.session.timeout)
          if (problem !== undefined) return yield* problem
          const write = Effect.gen(function* () {
            const machineId = yield* machineIds.of(address)
            registered.set(address, sessionId)
            const isOurs = yield* Registrations.register(zk, layout, sessionId, { address, runner, healthy, machineId })
            return isOurs && zk.session.id === sessionId ? machineId : undefined
          })
          const machineId = yield* Effect.catch(
            Effect.catchTag(write, "NoNode", () => Effect.as(ensureLayout(zk, layout), undefined)),
            (error) =>
              Effect.flatMap(Outcome.isReplacedExpiry(zk.session, error), (isReplaced) =>
                isReplaced ? Effect.undefined : Effect.fail(error)
              )
          )
          if (machineId !== undefined) return machineId
        }
      })

    const unregister = (address: string) =>
      Effect.suspend(() => {
        const sessionId = registered.get(address)
        if (sessionId === undefined) return Effect.void
        return Effect.tap(Registrations.unregister(zk, layout, sessionId, address), () =>
          Effect.sync(() => registered.delete(address))
        )
      })

    yield* Effect.addFinalizer(() =>
      zk.session.closing.giveBack(
        Effect.all(
          [
            ...Array.from(locks.values(), (each) => each.releaseAll),
            ...Array.from(registered.keys(), unregister),
            machineIds.releaseAll
          ].map((each) => Effect.ignore(each)),
          { concurrency: 4, discard: true }
        ).pipe(Effect.ensuring(claims.end))
      )
    )
    const claimed = <A, E>(address: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.andThen(claims.claim(address), effect)

    return RunnerStorage.makeEncoded({
      getRunners: bounded(
        "getRunners",
        Effect.map(Registrations.readAll(zk, layout), (all) =>
          all.map(({ healthy, runner }) => [runner, healthy] as const)
        )
      ),
      register: (address, runner, healthy) => bounded("register", claimed(address, register(address, runner, healthy))),
      unregister: (address) => bounded("unregister", unregister(address)),
      setRunnerHealth: (address, healthy) =>
        bounded("setRunnerHealth", Registrations.setHealth(zk, layout, address, healthy)),
      acquire: (address, shardIds) => bounded("acquire", claimed(address, locksOf(address).acquire(shardIds))),
      refresh: (address, shardIds) => bounded("refresh", locksOf(address).refresh(shardIds)),
      release: (address, shardId) => bounded("release", locksOf(address).release(shardId)),
      releaseAll: (address) => bounded("releaseAll", locksOf(address).releaseAll)
    })
  })

/** Bounds the methods, and makes their errors those of Effect. Calls are too frequent for spans. */
export const bounding =
  (zk: ZooKeeper.Service, { prefix }: Layout, { interval }: Pick<Times, "interval">) =>
  <A, E, R>(method: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, PersistenceError, R> =>
    effect.pipe(
      Effect.timeoutOrElse({
        duration: interval,
        orElse: () => {
          const session = zk.session.state._tag
          return Effect.fail(new StorageTimeout({ path: prefix, method, timeout: interval, session }))
        }
      }),
      PersistenceError.refail,
      Effect.withTracerEnabled(false)
    )
