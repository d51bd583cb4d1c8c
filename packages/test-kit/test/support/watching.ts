/** Clients that watch thousands of znodes, and the fate of their watches. */
import * as Op from "@effect-zookeeper/client/Op"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Session from "@effect-zookeeper/session/Session"
import * as Transport from "@effect-zookeeper/transport/Transport"
import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { closable, outcome, text, now, gather, eachAtOnce } from "../../src/Expectations.ts"
import type { ZooKeeperServer } from "../../src/ZooKeeperServer.ts"
import { clientOf } from "../../src/conformance/Target.ts"

export interface Client {
  readonly zk: ZooKeeper.Service
  /** The tags of all states since it was connected. */
  readonly states: ReadonlyArray<string>
}

/** How many znodes are watched when the leader is killed, and everywhere in a long run. */
export const MANY = 10_000
export const isLong = process.env["ZK_LONG"] === "1"
export const COUNT = isLong ? MANY : 2000

/** So many of `COUNT` as `n` is of `of`. */
export const share = (n: number, of: number): number => Math.round((n * COUNT) / of)

/** A client in the Scope of the test; `lookup` in the place of the system's resolver. */
export const connect = Effect.fnUntraced(function* (
  options: ZooKeeper.Options,
  { lookup }: Pick<Transport.Options, "lookup"> = {}
) {
  const layer = ZooKeeper.layerSession(options).pipe(
    Layer.provide(Session.layer(options)),
    Layer.provide(Transport.layer({ tls: options.tls, lookup }))
  )
  const zk = yield* clientOf(layer)
  const states: ReadonlyArray<string> = yield* gather(Stream.map(zk.session.states, ({ _tag }) => _tag))
  const client: Client = { zk, states }
  return client
})

/** A client of all servers whose session is on this one. */
export const connectTo = Effect.fnUntraced(function* (
  server: ZooKeeperServer,
  options: ZooKeeper.Options
): Effect.fn.Return<Client, ZooKeeper.StartError, Scope.Scope> {
  for (;;) {
    const [client, close] = yield* closable(connect(options))
    if (portOf(client) === server.port) return client
    yield* close
  }
})

/** Makes the session one that all members know, with an ephemeral to show for it. */
export const acquireLock = Effect.fnUntraced(function* (client: Client, name: string) {
  yield* client.zk.create(`/owner-${name}`, { mode: "ephemeral" })
  return client
})

export const stillOwns = Effect.fnUntraced(function* ({ zk }: Client, name: string) {
  yield* zk.sync("/")
  const stat = Option.getOrUndefined(yield* zk.stat(`/owner-${name}`))
  return stat?.ephemeralOwner === zk.session.id
})

/** The session is the one that it was, never expired, and goes on owning. */
export const assertKept = Effect.fnUntraced(function* (client: Client, id: bigint, name: string) {
  assert.strictEqual(client.zk.session.id, id)
  assert.isTrue(yield* stillOwns(client, name))
  assert.notInclude(client.states, "Expired")
})

export const isWritable = ({ zk }: Client): boolean => zk.session.state._tag === "Connected" && !zk.session.readOnly

/** The port of the server that the session is on. */
export const portOf = ({ zk }: Client): number | undefined => Option.getOrUndefined(zk.session.server)?.port

// -----------------------------------------------------------------------------
// znodes
// -----------------------------------------------------------------------------

const BATCH = 500

const paths = (parent: string, from: number, to: number): ReadonlyArray<string> =>
  Array.from({ length: to - from }, (_, n) => `${parent}/${String(from + n).padStart(5, "0")}`)

const batches = (all: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  Array.from({ length: Math.ceil(all.length / BATCH) }, (_, n) => all.slice(n * BATCH, (n + 1) * BATCH))

/** Creates so many znodes below a new parent. */
export const createAll = Effect.fnUntraced(function* ({ zk }: Client, parent: string, count: number) {
  yield* zk.create(parent)
  for (const batch of batches(paths(parent, 0, count))) yield* zk.transaction(batch.map((path) => Op.create(path)))
})

/** Writes to some of them, again if the connection is lost. */
export const changeAll = ({ zk }: Client, parent: string, from: number, to: number) =>
  Effect.forEach(
    batches(paths(parent, from, to)),
    (batch) =>
      Effect.retry(zk.transaction(batch.map((path) => Op.setData(path, "changed"))), {
        while: ({ _tag }) => _tag === "ConnectionLoss",
        schedule: Schedule.spaced("50 millis")
      }),
    { discard: true }
  )

/** Writes growing numbers into a znode all the time, until told to stop. */
export const keepWriting = Effect.fnUntraced(function* ({ zk }: Client, path: string) {
  yield* zk.create(path)
  const state = { isOver: false, acknowledged: 0, unknown: 0, lastKnown: 0 }
  const writing = yield* Effect.forkScoped(
    Effect.gen(function* () {
      for (let n = 1; !state.isOver; n++) {
        const result = yield* outcome(zk.set(path, String(n)))
        assert.include(["success", "ConnectionLoss"], result)
        if (result !== "success") state.unknown++
        else {
          state.acknowledged++
          state.lastKnown = n
        }
        yield* Effect.sleep("2 millis")
      }
    })
  )
  /** Ends it. None of the writes that were told done is lost; gives how many there were, for people. */
  const stop = Effect.gen(function* () {
    state.isOver = true
    yield* Fiber.join(writing)
    yield* zk.sync(path)
    assert.isAtLeast(Number(text(yield* zk.getData(path))), state.lastKnown)
    return `${state.acknowledged} writes acknowledged and none lost, ${state.unknown} unknown`
  })
  return { stop }
})

// -----------------------------------------------------------------------------
// watches
// -----------------------------------------------------------------------------

/** The fate of watches. */
interface Watching {
  readonly count: number
  told: number
  expired: number
}

/** Watches so many znodes once each. */
export const watchAll = Effect.fnUntraced(function* ({ zk }: Client, parent: string, count: number) {
  const watching: Watching = { count, told: 0, expired: 0 }
  const scope = yield* Effect.scope
  yield* eachAtOnce(paths(parent, 0, count), (path) =>
    Effect.flatMap(zk.getAndWatch(path), ({ changed }) =>
      Effect.forkIn(
        Effect.match(changed, {
          onSuccess: () => void watching.told++,
          onFailure: () => void watching.expired++
        }),
        scope,
        now
      )
    )
  )
  return watching
})

/** All watches have fired; gives after how many milliseconds. */
export const awaitAllFired = Effect.fnUntraced(function* (watching: Watching) {
  const took = yield* timed(until(() => watching.told + watching.expired >= watching.count))
  assert.deepStrictEqual({ ...watching }, { count: watching.count, told: watching.count, expired: 0 })
  return took
})

// -----------------------------------------------------------------------------
// time
// -----------------------------------------------------------------------------

/** Milliseconds that something takes. */
export const timed = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<number, E, R> =>
  Effect.map(Effect.timed(effect), ([took]) => Math.round(Duration.toMillis(took)))

/** Waits until something holds; a minute at most. */
export const until = (condition: () => boolean) =>
  Effect.repeat(Effect.sleep("10 millis"), { until: condition }).pipe(
    Effect.timeoutOption("1 minute"),
    Effect.map(Option.isSome)
  )
