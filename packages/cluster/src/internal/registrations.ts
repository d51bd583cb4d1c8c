/** The registered runners: an ephemeral znode for each, which lives as long as the runner's session. */
import type { CreateError, ReadError, SetDataError } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { isRunnerOf, type Layout, runnerName } from "./layout.ts"

/** A runner as its registration shows it. */
export interface Registration {
  readonly address: string
  /** The runner as Effect encodes it. */
  readonly runner: string
  readonly healthy: boolean
  readonly machineId: number
}

/** Registers a runner in a session, or writes its registration anew. False if the session has been replaced meanwhile. */
export const register = (
  zk: ZooKeeper.Service,
  layout: Layout,
  sessionId: bigint,
  registration: Registration
): Effect.Effect<boolean, CreateError> =>
  Effect.gen(function* () {
    const path = ZnodePath.join(layout.runners, runnerName(registration.address, sessionId))
    const write = zk.createOrSet(path, encode(registration), { mode: "ephemeral" })
    const { ephemeralOwner } = yield* Outcome.retryTransient(write)
    if (ephemeralOwner === sessionId) return true
    // It was sent in the session that follows, under the name of the one before.
    yield* Effect.ignore(Outcome.retryTransient(zk.delete(path)))
    return false
  })

/** Ends the registration of a runner in a session. A session that is over has taken it along. */
export const unregister = (zk: ZooKeeper.Service, layout: Layout, sessionId: bigint, address: string) =>
  Outcome.retryTransient(zk.delete(ZnodePath.join(layout.runners, runnerName(address, sessionId)))).pipe(
    Effect.catchTag(["NoNode", "SessionExpired", "SessionClosed"], () => Effect.void)
  )

/**
 * All runners, by their names. Of a runner that was started again, and whose former session has not ended yet, the newest
 * registration counts. Data that is no registration is left out.
 */
export const readAll = (
  zk: ZooKeeper.Service,
  { runners }: Layout
): Effect.Effect<ReadonlyArray<Registration>, ReadError> =>
  Effect.gen(function* () {
    const names = (yield* namesOf(zk, runners)).toSorted()
    const newest = new Map<string, { readonly czxid: bigint; readonly registration: Registration }>()
    for (const chunk of Arr.chunksOf(names, 200)) {
      const results = yield* Outcome.retryTransient(zk.read(chunk.map((name) => Op.get(ZnodePath.join(runners, name)))))
      for (const result of results) {
        if (Result.isFailure(result)) {
          if (result.failure._tag === "NoNode") continue
          return yield* result.failure
        }
        const { czxid } = result.success.stat
        const registration = decode(result.success)
        if (Option.isNone(registration)) continue
        const { address } = registration.value
        if (czxid > (newest.get(address)?.czxid ?? 0n)) newest.set(address, { czxid, registration: registration.value })
      }
    }
    return Array.from(newest.values(), ({ registration }) => registration)
  })

/** Marks a runner as healthy or not, in whatever session it is registered. */
export const setHealth = (
  zk: ZooKeeper.Service,
  { runners }: Layout,
  address: string,
  healthy: boolean
): Effect.Effect<void, ReadError | SetDataError> =>
  Effect.gen(function* () {
    const names = (yield* namesOf(zk, runners)).filter((name) => isRunnerOf(name, address))
    for (const name of names) {
      // Its path is that of no other registration, so that a version is of this one.
      const mark = zk.update(ZnodePath.join(runners, name), (znode) =>
        Option.match(decode(znode), {
          onNone: () => znode.data,
          onSome: (registration) => encode({ ...registration, healthy })
        })
      )
      yield* Effect.catchTag(Outcome.retryTransient(mark), "NoNode", () => Effect.void)
    }
  })

/** Whether a runner is registered in any session. */
export const isRegistered = (zk: ZooKeeper.Service, { runners }: Layout, address: string) =>
  Effect.map(namesOf(zk, runners), (names) => names.some((name) => isRunnerOf(name, address)))

// ---- internal

const namesOf = (zk: ZooKeeper.Service, runners: string): Effect.Effect<ReadonlyArray<string>, ReadError> =>
  Effect.catchTag(Outcome.retryTransient(zk.getChildren(runners)), "NoNode", () => Effect.succeed([]))

/** The data of a registration. */
const Data = Schema.fromJsonString(
  Schema.Struct({
    address: Schema.String,
    runner: Schema.String,
    healthy: Schema.Boolean,
    machineId: Schema.Int
  })
)

const encodeData = Schema.encodeSync(Data)
const decodeData = Schema.decodeOption(Data)

const encode = (registration: Registration): string => encodeData(registration)

const decode = ({ data }: DataAndStat): Option.Option<Registration> => decodeData(new TextDecoder().decode(data))
