/**
 * A world for a recipe: an ensemble in memory, a network with faults, and several clients that use the recipe again and
 * again through faults, interruptions, standstills and ended sessions. Then all faults end, and each client must come to
 * an end, do its work once more, and leave nothing behind.
 *
 * ```ts
 * Simulation.run(RecipeSimulation.simulation(recipes.lock), { seed: 17, record: true })
 * ```
 *
 * The rules that are judged here hold for every recipe, by the numbers of the properties: P8 as far as a scenario says who
 * may not act together, P9 (nothing is left behind), P10 (no hang), P11 and no leaked watch. A scenario judges the other
 * promises of its recipe.
 */
import * as StoredZnode from "@effect-zookeeper/protocol/StoredZnode"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { ZooKeeper as ZooKeeperService } from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as SimulatedNetwork from "@effect-zookeeper/server/SimulatedNetwork"
import * as Simulation from "@effect-zookeeper/server/Simulation"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as History from "../history/History.ts"
import { tagOf } from "../history/outcome.ts"
import type * as Recorder from "../history/Recorder.ts"
import { judgeLeftovers, MEMBERS, servers, Violations } from "./ClientSimulation.ts"
import { RunRecord, SLACK } from "./Observations.ts"
import * as FaultActions from "./faultActions.ts"
import * as SimulatedClient from "./SimulatedClient.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/** The surroundings of a scenario. */
export interface Environment {
  readonly clients: ReadonlyArray<SimulatedClient.SimulatedClient>
  readonly addViolation: (violation: string) => void
  /** Virtual milliseconds. */
  readonly now: () => number
  /**
   * Whether what a client believes may be wrong through no fault of its own: it stands still or did a moment ago, its
   * session was ended from outside, or the znode was deleted by another.
   */
  readonly isExcused: (client: SimulatedClient.SimulatedClient, session: bigint, path: string) => boolean
  /** Whether all faults are over, and what had begun before has ended. */
  readonly isFaultFree: () => boolean
  /** The servers' znodes below `/recipe`, at this moment. */
  readonly znodes: Effect.Effect<ZnodesByPath>
  /** Records the operations of a client, for `history`. To be made once for each. */
  readonly recorder: (client: SimulatedClient.SimulatedClient) => Recorder.Recorder
  /** The operations of all clients. */
  readonly history: () => ReadonlyArray<History.Operation>
}

/** One recipe at work. */
export interface Scenario {
  /**
   * Makes a client ready, and gives what it does in one round. It runs in the client's process, and the Scope lasts
   * until the client is done. A round may be interrupted at any time; it may fail with what `expected` names.
   */
  readonly play: (
    client: SimulatedClient.SimulatedClient
  ) => Effect.Effect<Effect.Effect<void, unknown, ZooKeeperService>, unknown, ZooKeeperService | Scope.Scope>
  /** Tags of errors that faults explain, beside `LockLost`, `LockTimeout`, `WaitTimeout` and those of a lost session. */
  readonly expected?: ReadonlyArray<string> | undefined
  /** Whether its rounds may go on while its client is closed, as those of what is guarded may. */
  readonly mayBeClosedInside?: boolean
  /** Whether another client may delete one of the znodes below `/recipe` in the middle of it. Default true. */
  readonly survivesDeletion?: boolean | undefined
  /** The rules that hold in the end; all clients are still connected, and none does anything. */
  readonly judge?: ((truth: ZnodesByPath, zk: ZooKeeper.Service) => Effect.Effect<void, unknown>) | undefined
}

/** The znodes that are left, by their paths. */
export type ZnodesByPath = ReadonlyMap<string, EmbeddedServer.SnapshotZnode>

/** Sets up a recipe for a stage. */
export type Recipe = (environment: Environment) => Effect.Effect<Scenario>

// -----------------------------------------------------------------------------
// worlds
// -----------------------------------------------------------------------------

/** How long anything may take once all is healed, in virtual milliseconds: several sessions end one after another. */
const COMPLETION_TIMEOUT = 90_000

/** Builds the world, breaks and heals it, and judges; fails with the broken rules. */
export const simulation = (
  recipe: Recipe
): Effect.Effect<{ readonly completed: number }, Violations, Simulation.Simulation> =>
  Effect.scoped(
    Effect.gen(function* () {
      const runtime = yield* Simulation.Simulation
      const record = new RunRecord()
      const ensemble = yield* runtime.node("ensemble")
      const timing = yield* SimulatedClient.timing
      const context = yield* ensemble.run(
        Layer.build(
          EmbeddedServer.layerMemoryWith({
            members: MEMBERS,
            ...timing,
            minSessionTimeout: 1000,
            collectInterval: "1 second"
          })
        )
      )
      const server = Context.get(context, EmbeddedServer.EmbeddedServer)
      const memory = Context.get(context, Transport)
      const network = yield* SimulatedNetwork.make({
        transport: memory,
        latency: { min: 0.1, max: (yield* Random.nextBoolean) ? 3 : 20 }
      })
      const clients: Array<SimulatedClient.SimulatedClient> = []
      const count = yield* Random.nextIntBetween(2, 4)
      for (let i = 1; i <= count; i++) {
        clients.push(yield* Effect.orDie(SimulatedClient.connect(`client-${i}`, network, record)))
      }
      yield* Effect.orDie(clients[0]!.zk.create("/recipe"))
      const killed = new Set<bigint>()
      const deleted = new Set<string>()
      const over = Latch.makeUnsafe(false)
      const targets: FaultActions.FaultTargets = {
        server,
        clients,
        killed,
        servers,
        over,
        hasLags: true,
        now: runtime.now
      }
      let isPeace = false
      const environment: Environment = {
        clients,
        addViolation: (violation) => record.addViolation(violation),
        now: runtime.now,
        isExcused: ({ observations, node }, session, path) =>
          node.isPaused() ||
          killed.has(session) ||
          deleted.has(path) ||
          observations.isExcused(runtime.now() - SLACK, runtime.now()),
        isFaultFree: () => isPeace,
        znodes: Effect.map(server.snapshot, ({ tree }) => truthOf(tree)),
        recorder: ({ name }) => record.recorder(name, runtime.now),
        history: () => History.fromLines(record.lines)
      }
      const scenario = yield* recipe(environment)
      const players = clients.map((client) => new Player(client, scenario, environment))
      for (const player of players) yield* player.start

      // ---- harm
      const isolating = (yield* Random.nextBoolean)
        ? Array.from({ length: 5 }, () => FaultActions.isolateServer(network, targets))
        : []
      yield* SimulatedNetwork.nemesis(network, {
        clients: clients.map(({ name }) => name),
        servers,
        duration: yield* Random.nextBetween(isolating.length > 0 ? 4000 : 1000, 9000),
        peace: yield* Random.nextBetween(200, 2500),
        lasting: yield* Random.nextBetween(200, 5000),
        others: [
          ...FaultActions.commonFaults(targets),
          ...isolating,
          FaultActions.loseRequestOrReply(server),
          FaultActions.isolateClient(network, clients),
          ...(scenario.survivesDeletion === false ? [] : [FaultActions.deleteLeaf(server, clients, "/recipe", deleted)])
        ]
      })

      // ---- peace
      yield* FaultActions.healAll(network, targets)
      yield* all(players, (player) => player.rest)
      isPeace = true
      yield* all(players, (player) => player.finish)
      // The znodes that a client lost with its ended sessions have gone by now, too.
      yield* Effect.sleep(SimulatedClient.SESSION_TIMEOUT + 2 * timing.tickTime + 1200)
      const truth = yield* settled(environment.znodes)
      for (const path of ephemeralsOf(truth)) {
        record.addViolation(`P9: ${path} is left, of session ${truth.get(path)!.owner.toString(16)}`)
      }
      const judge = scenario.judge
      if (judge !== undefined) {
        yield* Effect.catchCause(clients[0]!.node.run(judge(truth, clients[0]!.zk)), (cause) =>
          Effect.sync(() => record.addViolation(`the judgement failed: ${Cause.pretty(cause)}`))
        )
      }
      // The requests of the judge end in their time, too.
      yield* Effect.sleep("1 second")
      yield* judgeLeftovers(memory, record, clients.length)
      if (scenario.mayBeClosedInside === true) {
        yield* all(players, (player) => player.goOn)
        const oneByOne = Effect.flatMap(Random.nextBetween(200, 400), Effect.sleep)
        yield* all(clients, ({ close }) => Effect.andThen(oneByOne, close))
        yield* all(players, (player) => player.end)
      } else yield* all(clients, ({ close }) => close)
      yield* Effect.sleep("500 millis")
      if (record.violations.length > 0) return yield* new Violations({ violations: record.violations })
      return { completed: players.reduce((sum, player) => sum + player.completed, 0) }
    })
  )

/** The znodes when no more ephemeral ones go: a client that has many to delete, with few requests at a time, takes long. */
const settled = Effect.fnUntraced(function* (znodes: Effect.Effect<ZnodesByPath>) {
  let before = yield* znodes
  while (ephemeralsOf(before).length > 0) {
    yield* Effect.sleep("1 second")
    const after = yield* znodes
    if (ephemeralsOf(after).length >= ephemeralsOf(before).length) return after
    before = after
  }
  return before
})

const ephemeralsOf = (znodes: ZnodesByPath): ReadonlyArray<string> =>
  [...znodes].filter(([, { owner }]) => StoredZnode.kindOf(owner) === "ephemeral").map(([path]) => path)

const truthOf = (tree: EmbeddedServer.SnapshotTree): ZnodesByPath =>
  new Map(FaultActions.pathsBelow(tree, "/recipe").map((path) => [path, tree.get(path)!]))

const all = <A>(items: ReadonlyArray<A>, f: (item: A) => Effect.Effect<void>) =>
  Effect.forEach(items, f, { concurrency: "unbounded", discard: true })

// -----------------------------------------------------------------------------
// players
// -----------------------------------------------------------------------------

/** One client, round after round. */
class Player {
  readonly client: SimulatedClient.SimulatedClient
  private readonly scenario: Scenario
  private readonly environment: Environment
  private readonly expected: ReadonlySet<string>
  private readonly scope = Scope.makeUnsafe()
  private readonly workers: Array<Fiber.Fiber<void>> = []
  private round: Effect.Effect<void, unknown> = Effect.void
  private stopped = false
  completed = 0

  constructor(client: SimulatedClient.SimulatedClient, scenario: Scenario, environment: Environment) {
    this.client = client
    this.scenario = scenario
    this.environment = environment
    this.expected = new Set([...always, ...(scenario.expected ?? [])])
  }

  readonly start = Effect.gen({ self: this }, function* () {
    const { node, zk } = this.client
    const ready = this.scenario
      .play(this.client)
      .pipe(Effect.provideService(ZooKeeperService, zk), Effect.provideService(Scope.Scope, this.scope))
    const prepared = yield* Effect.exit(node.run(ready))
    if (Exit.isFailure(prepared)) return this.unexpected(prepared.cause)
    this.round = Effect.provideService(prepared.value, ZooKeeperService, zk)
    const workers = yield* Random.nextIntBetween(1, 2)
    for (let i = 0; i < workers; i++) this.workers.push(yield* SimulatedClient.forkInNode(node, this.work))
  })

  /** Ends the rounds that have begun. */
  readonly rest = Effect.gen({ self: this }, function* () {
    this.stopped = true
    yield* this.within(`${this.client.name}: what it was doing`, Fiber.awaitAll(this.workers))
    for (const worker of this.workers) yield* SimulatedClient.interrupt(worker)
  })

  /** A round without faults succeeds, and the client releases all that it has. */
  readonly finish = Effect.gen({ self: this }, function* () {
    const { name, node } = this.client
    const before = this.completed
    const again = Effect.gen({ self: this }, function* () {
      // A fault whose effects last, such as a session that is replaced, may still end a round or two.
      while (this.completed === before) {
        yield* this.play(this.round)
        yield* Effect.sleep("100 millis")
      }
    })
    yield* this.within(`${name}: a round in peace`, node.run(again))
    yield* this.within(`${name}: letting go`, node.run(Scope.close(this.scope, Exit.void)))
  })

  /**
   * Works on, for its client to be closed in the middle of it: its guarded effects stop before another can own
   * anything.
   */
  readonly goOn = Effect.gen({ self: this }, function* () {
    const { node } = this.client
    for (let worker = 0; worker < 2; worker++) {
      const rounds = Effect.forever(Effect.andThen(this.round, Effect.sleep("5 millis")))
      this.workers.push(yield* SimulatedClient.forkInNode(node, Effect.asVoid(Effect.exit(rounds))))
    }
  })

  readonly end = Effect.suspend(() =>
    Effect.forEach(this.workers.splice(0), (worker) => SimulatedClient.interrupt(worker), { discard: true })
  )

  private within(what: string, effect: Effect.Effect<unknown>): Effect.Effect<void> {
    return Effect.map(Effect.timeoutOption(effect, COMPLETION_TIMEOUT), (ended) => {
      if (Option.isNone(ended))
        this.environment.addViolation(`P10: ${what} did not end within ${COMPLETION_TIMEOUT} ms of peace`)
    })
  }

  private get work(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      while (!this.stopped) {
        yield* Effect.sleep(yield* Random.nextBetween(0, 300))
        const isImpatient = (yield* Random.next) < 0.35
        const timeout = yield* Random.nextBetween(0, (yield* Random.nextBoolean) ? 5 : 1500)
        yield* this.play(isImpatient ? Effect.asVoid(Effect.timeoutOption(this.round, timeout)) : this.round)
      }
    })
  }

  private play(round: Effect.Effect<void, unknown>): Effect.Effect<void> {
    return Effect.map(Effect.exit(round), (exit) => {
      if (Exit.isSuccess(exit)) this.completed++
      else this.unexpected(exit.cause)
    })
  }

  /** Errors that faults explain are expected; all others are violations. */
  private unexpected(cause: Cause.Cause<unknown>): void {
    const tag = tagOf(cause)
    if (!this.expected.has(tag)) {
      this.environment.addViolation(`${this.client.name}: a round failed with ${tag}: ${Cause.pretty(cause)}`)
    }
  }
}

const always = ["LockLost", "LockTimeout", "WaitTimeout"]
