/** The clusters of a console: one session for each that somebody looks at, and the state of all. */
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import type { Reads } from "@effect-zookeeper/client/TreeWalk"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as RcMap from "effect/RcMap"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Cluster, Inspector, Problem } from "../../Cluster.ts"
import type { EnsembleConfig } from "../../EnsembleModels.ts"
import type * as Models from "../../Models.ts"
import { NoSuchCluster, type ReadFailure, Unavailable } from "../../ProtocolError.ts"
import * as limits from "../limits.ts"
import { type Directories, makeDirectories } from "../tree/directories.ts"
import { makeReads } from "../tree/lists.ts"
import { makeRowFeeds, type RowFeeds } from "../tree/rows.ts"
import { type Configurations, makeConfigurations } from "../ensemble/config.ts"
import { type Examination, makeExamination } from "../ensemble/examination.ts"
import { type History, makeHistory } from "../ensemble/history.ts"
import { makeSessionFeed, type SessionFeed } from "../ensemble/sessions.ts"

/** A cluster with a session, and what pages share of it. */
export interface Connected {
  readonly cluster: Cluster
  readonly zk: Service
  /** For lists of children and walks. */
  readonly reads: Reads
  readonly directories: Directories
  readonly rows: RowFeeds
  /** The configurations of the ensemble, which are known also after another view was looked at. */
  readonly config: Stream.Stream<EnsembleConfig, ReadFailure>
  /** Undefined without an inspector. */
  readonly examination: Examination<Problem> | undefined
}

/** The questions to the members that need no session. */
export interface Members {
  readonly inspector: Inspector
  readonly sessions: SessionFeed
}

export interface Clusters {
  /** All of them, now and after each change of a state. */
  readonly states: Stream.Stream<ReadonlyArray<Models.Cluster>>
  /** Waits for the session; it is kept until the Scope closes, and for a minute more. */
  readonly use: (name: string) => Effect.Effect<Connected, NoSuchCluster, Scope.Scope>
  /** The same for a request with one answer, which does not wait for long. */
  readonly useSoon: (name: string) => Effect.Effect<Connected, NoSuchCluster | Unavailable, Scope.Scope>
  readonly find: (name: string) => Effect.Effect<Cluster, NoSuchCluster>
  /** Undefined without an inspector. */
  readonly members: (name: string) => Effect.Effect<Members | undefined, NoSuchCluster>
  /** The samples of the members; a sample is taken while somebody looks at the cluster. */
  readonly history: (name: string) => Effect.Effect<History, NoSuchCluster, Scope.Scope>
}

export const makeClusters = Effect.fnUntraced(function* (
  list: ReadonlyArray<Cluster>
): Effect.fn.Return<Clusters, never, Scope.Scope> {
  const byName = new Map(list.map((cluster) => [cluster.name, cluster]))
  const began = yield* Clock.currentTimeMillis
  const states = yield* SubscriptionRef.make<ReadonlyArray<Models.Cluster>>(
    list.map(({ name, readOnly, servers }) => ({
      name,
      servers,
      ...(readOnly === undefined ? {} : { readOnly }),
      state: "idle",
      since: began
    }))
  )
  const setState = (name: string, change: StateChange) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      SubscriptionRef.update(states, (all) =>
        all.map((each) => (each.name === name ? withState(each, change, now) : each))
      )
    )
  const entries = yield* Effect.forEach(list, ({ name }) =>
    Effect.map(makeHistory, (history) => [name, history] as const)
  )
  const histories: ReadonlyMap<string, History> = new Map(entries)
  const feeds = yield* Effect.forEach(list, ({ inspector, name }) =>
    inspector === undefined
      ? Effect.succeed([])
      : Effect.map(makeSessionFeed(inspector), (sessions) => [[name, { inspector, sessions }] as const])
  )
  const members: ReadonlyMap<string, Members> = new Map(feeds.flat())
  const configurations = new Map(list.map(({ name }) => [name, makeConfigurations()]))
  const open: RcMap.RcMap<string, Entry, NoSuchCluster> = yield* RcMap.make({
    idleTimeToLive: "1 minute",
    lookup: (name: string) =>
      Effect.gen(function* () {
        const cluster = byName.get(name)
        const history = histories.get(name)
        const configs = configurations.get(name)
        if (cluster === undefined || history === undefined || configs === undefined)
          return yield* new NoSuchCluster({ cluster: name })
        const connected = yield* Deferred.make<Connected>()
        yield* Effect.addFinalizer(() => setState(name, { state: "idle" }))
        yield* Effect.forkScoped(
          Effect.andThen(
            connect(cluster, configs, connected, (change) => setState(name, change)),
            // The session is over for good: the next request gets another one.
            RcMap.invalidate(open, name)
          )
        )
        const { inspector } = cluster
        if (inspector !== undefined) {
          const sampled = Effect.flatMap(
            Deferred.poll(connected),
            Option.match({
              onNone: () => inspector.members(undefined),
              onSome: (done) => Effect.flatMap(done, ({ zk }) => inspector.members(zk))
            })
          )
          yield* Effect.forkScoped(history.sample(sampled))
        }
        return { cluster, connected, history }
      })
  })
  const find = (name: string) =>
    Effect.suspend(() => {
      const cluster = byName.get(name)
      return cluster === undefined ? Effect.fail(new NoSuchCluster({ cluster: name })) : Effect.succeed(cluster)
    })
  // An unknown name must not be kept.
  const entry = (name: string) => Effect.andThen(find(name), RcMap.get(open, name))
  const use = (name: string) => Effect.flatMap(entry(name), ({ connected }) => Deferred.await(connected))
  return {
    states: Stream.buffer(SubscriptionRef.changes(states), { capacity: 1, strategy: "sliding" }),
    use,
    useSoon: (name) =>
      Effect.timeoutOrElse(use(name), {
        duration: "10 seconds",
        orElse: () =>
          Effect.fail(new Unavailable({ message: `no server of ${name} gives a session`, maybeApplied: false }))
      }),
    find,
    members: (name) => Effect.map(find(name), () => members.get(name)),
    history: (name) => Effect.map(entry(name), ({ history }) => history)
  }
})

// ---- internal

interface Entry {
  readonly cluster: Cluster
  readonly connected: Deferred.Deferred<Connected>
  readonly history: History
}

type StateChange = Pick<Models.Cluster, "state" | "problem" | "server" | "session">

const withState = (
  { name, readOnly, servers, since, state }: Models.Cluster,
  change: StateChange,
  now: number
): Models.Cluster => ({
  name,
  servers,
  ...(readOnly === undefined ? {} : { readOnly }),
  ...change,
  since: state === change.state ? since : now
})

/** Connects until it succeeds, and follows the state of the session then. */
const connect = Effect.fnUntraced(function* (
  cluster: Cluster,
  configs: Configurations,
  connected: Deferred.Deferred<Connected>,
  setState: (change: StateChange) => Effect.Effect<void>
) {
  yield* setState({ state: "connecting" })
  const zk = yield* attempt(cluster.connect).pipe(
    Effect.tapError(({ message }) => setState({ state: "connecting", problem: message })),
    Effect.retry(Schedule.spaced("2 seconds")),
    Effect.orDie
  )
  const reads = makeReads(zk)
  const directories = yield* makeDirectories(zk, reads)
  const rows = yield* makeRowFeeds(zk)
  const config = yield* configs.follow(Outcome.retryAcrossSessions(zk.session, zk.getConfig))
  const { inspector } = cluster
  const examination =
    inspector === undefined ? undefined : yield* makeExamination(inspector.doctor(zk, { znodes: limits.examined }))
  yield* Deferred.succeed(connected, { cluster, zk, reads, directories, rows, config, examination })
  let wasConnected = false
  yield* zk.session.states.pipe(
    Stream.tap((state) => {
      if (state._tag === "Connected") wasConnected = true
      // The next session is being made, which begins at once.
      return setState(state._tag === "Connecting" && wasConnected ? expired : describe(zk, state))
    }),
    Stream.takeUntil(({ _tag }) => _tag === "AuthFailed" || _tag === "Closed"),
    Stream.runDrain
  )
})

/** Everything of a failed attempt is gone before the next one. */
const attempt = <A, E>(make: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope)
    const exit = yield* Effect.exit(Scope.provide(make, scope))
    if (Exit.isFailure(exit)) yield* Scope.close(scope, exit)
    return yield* exit
  })

const expired: StateChange = { state: "expired", problem: "the session has expired; a new one is being made" }

const describe = (zk: Service, state: Service["session"]["state"]): StateChange => {
  const session = zk.session.id === 0n ? {} : { session: zk.session.id }
  switch (state._tag) {
    case "Connecting":
      return { state: "connecting" }
    case "Connected":
      return {
        state: state.readOnly ? "readOnly" : "connected",
        server: `${state.server.host}:${state.server.port}`,
        ...session
      }
    case "Disconnected":
      return { state: "disconnected", problem: "no server answers", ...session }
    case "EnsembleBehind":
      return { state: "disconnected", problem: "the servers have seen less than this session has", ...session }
    case "Expired":
      return expired
    case "AuthFailed":
      return { state: "failed", problem: "the servers refuse the credentials" }
    case "Closed":
      return { state: "failed", problem: "the session is closed" }
  }
}
