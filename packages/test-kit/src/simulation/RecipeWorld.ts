/**
 * A world for a recipe: an ensemble in memory, a network with faults, and several clients that use the recipe again and
 * again while they are harmed, interrupted, stopped and robbed of their sessions. Then all is healed, and each must come to
 * an end, do its work once more, and leave nothing behind.
 *
 * ```ts
 * Simulation.run(RecipeWorld.world(recipes.lock), { seed: 17, record: true })
 * ```
 *
 * What is judged here holds for every recipe, by the numbers of the properties: P8 as far as a scenario tells who may not
 * act together, P9 (nothing of ours is left), P10 (no hang), P11 and no leaked watch. What else a recipe promises, its
 * scenario judges.
 *
 * @since 0.1.0
 */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { ZooKeeper as ZooKeeperService } from "@effect-zookeeper/client/ZooKeeper"
import type { DataTree } from "@effect-zookeeper/server/DataTree"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as SimulatedNetwork from "@effect-zookeeper/server/SimulatedNetwork"
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as Znode from "@effect-zookeeper/server/Znode"
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
import type * as Recorder from "../history/Recorder.ts"
import { judgeLeftovers, Violations } from "./ClientWorld.ts"
import { Record, SLACK } from "./Evidence.ts"
import * as Harms from "./harms.ts"
import * as Subject from "./Subject.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * What a scenario has to work with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stage {
  readonly subjects: ReadonlyArray<Subject.Subject>
  readonly accuse: (violation: string) => void
  /** Virtual milliseconds. */
  readonly now: () => number
  /**
   * Whether what a client believes may be wrong through no fault of its own: it stands still or did a moment ago, its session
   * was ended from outside, or the znode was deleted by another.
   */
  readonly isExcused: (subject: Subject.Subject, session: bigint, path: string) => boolean
  /** Whether all faults are over, and what had begun before has ended. */
  readonly isPeace: () => boolean
  /** What the servers have below `/recipe`, at this moment. */
  readonly truth: Effect.Effect<Truth>
  /** Writes down what a client does, for `history`. To be made once for each. */
  readonly recorder: (subject: Subject.Subject) => Recorder.Recorder
  /** What all clients have done. */
  readonly history: () => ReadonlyArray<History.Operation>
}

/**
 * One recipe at work.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scenario {
  /**
   * Makes a client ready, and gives what it does in one round. It runs in the client's process, and the Scope lasts until the
   * client is done. A round may be interrupted at any time; it may fail with what `expected` names.
   */
  readonly play: (
    subject: Subject.Subject
  ) => Effect.Effect<Effect.Effect<void, unknown, ZooKeeperService>, unknown, ZooKeeperService | Scope.Scope>
  /** Tags of errors that faults explain, beside `LockLost`, `LockTimeout`, `WaitTimeout` and those of a lost session. */
  readonly expected?: ReadonlyArray<string> | undefined
  /** Whether its rounds may go on while its client is closed, as those of what is guarded may. */
  readonly mayBeClosedInside?: boolean
  /** Whether somebody else may delete one of the znodes below `/recipe` in the middle of it. Default true. */
  readonly survivesDeletion?: boolean | undefined
  /** What has to be true in the end; all clients are still connected, and nobody does anything. */
  readonly judge?: ((truth: Truth, zk: ZooKeeper.Service) => Effect.Effect<void, unknown>) | undefined
}

/** The znodes that are left, by their paths. */
export type Truth = ReadonlyMap<string, Znode.Znode>

/**
 * Sets up a recipe for a stage.
 *
 * @category models
 * @since 0.1.0
 */
export type Recipe = (stage: Stage) => Effect.Effect<Scenario>

// -----------------------------------------------------------------------------
// worlds
// -----------------------------------------------------------------------------

const DOORS = 3
const servers = Array.from({ length: DOORS }, (_, index) => `memory-${index + 1}:2181`)

/** How long anything may take once all is healed, in virtual milliseconds: several sessions end one after another. */
const PATIENCE = 90_000

/**
 * Builds the world, lets it be harmed and healed, and judges; fails with what was wrong.
 *
 * @category worlds
 * @since 0.1.0
 */
export const world = (
  recipe: Recipe
): Effect.Effect<{ readonly completed: number }, Violations, Simulation.Simulation> =>
  Effect.scoped(
    Effect.gen(function* () {
      const simulation = yield* Simulation.Simulation
      const record = new Record()
      const ensemble = yield* simulation.node("ensemble")
      const timing = yield* Subject.timing
      const context = yield* ensemble.run(
        Layer.build(
          EmbeddedServer.layerMemoryWith({
            doors: DOORS,
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
      const subjects: Array<Subject.Subject> = []
      const count = yield* Random.nextIntBetween(2, 4)
      for (let i = 1; i <= count; i++) {
        subjects.push(yield* Effect.orDie(Subject.connect(`client-${i}`, network, record)))
      }
      yield* Effect.orDie(subjects[0]!.zk.create("/recipe"))
      const killed = new Set<bigint>()
      const deleted = new Set<string>()
      const over = Latch.makeUnsafe(false)
      const victims: Harms.Victims = { server, subjects, killed, servers, over, hasLags: true, now: simulation.now }
      let isPeace = false
      const stage: Stage = {
        subjects,
        accuse: (violation) => record.accuse(violation),
        now: simulation.now,
        isExcused: ({ evidence, node }, session, path) =>
          node.isPaused() ||
          killed.has(session) ||
          deleted.has(path) ||
          evidence.isExcused(simulation.now() - SLACK, simulation.now()),
        isPeace: () => isPeace,
        truth: Effect.map(server.snapshot, ({ tree }) => truthOf(tree)),
        recorder: ({ name }) => record.recorder(name, simulation.now),
        history: () => History.fromLines(record.lines)
      }
      const scenario = yield* recipe(stage)
      const players = subjects.map((subject) => new Player(subject, scenario, stage))
      for (const player of players) yield* player.start

      // ---- harm
      const isolating = (yield* Random.nextBoolean)
        ? Array.from({ length: 5 }, () => Harms.isolateServer(network, victims))
        : []
      yield* SimulatedNetwork.nemesis(network, {
        clients: subjects.map(({ name }) => name),
        servers,
        duration: yield* Random.nextBetween(isolating.length > 0 ? 4000 : 1000, 9000),
        peace: yield* Random.nextBetween(200, 2500),
        lasting: yield* Random.nextBetween(200, 5000),
        others: [
          ...Harms.all(victims),
          ...isolating,
          Harms.loseOne(server),
          Harms.isolateOne(network, subjects),
          ...(scenario.survivesDeletion === false ? [] : [Harms.deleteOne(server, subjects, "/recipe", deleted)])
        ]
      })

      // ---- peace
      yield* Harms.heal(network, victims)
      yield* all(players, (player) => player.rest)
      isPeace = true
      yield* all(players, (player) => player.finish)
      // What was lost of a client's own by its sessions that ended has gone by now, too.
      yield* Effect.sleep(Subject.SESSION_TIMEOUT + 2 * timing.tickTime + 1200)
      const truth = yield* stage.truth
      for (const [path, { owner }] of truth) {
        if (Znode.kindOf(owner) === "ephemeral") record.accuse(`P9: ${path} is left, of session ${owner.toString(16)}`)
      }
      const judge = scenario.judge
      if (judge !== undefined) {
        yield* Effect.catchCause(subjects[0]!.node.run(judge(truth, subjects[0]!.zk)), (cause) =>
          Effect.sync(() => record.accuse(`the judgement failed: ${Cause.pretty(cause)}`))
        )
      }
      // What the judge has begun ends in its time, too.
      yield* Effect.sleep("1 second")
      yield* judgeLeftovers(memory, record, subjects.length)
      if (scenario.mayBeClosedInside === true) {
        yield* all(players, (player) => player.goOn)
        const oneByOne = Effect.flatMap(Random.nextBetween(200, 400), Effect.sleep)
        yield* all(subjects, ({ close }) => Effect.andThen(oneByOne, close))
        yield* all(players, (player) => player.end)
      } else yield* all(subjects, ({ close }) => close)
      yield* Effect.sleep("500 millis")
      if (record.violations.length > 0) return yield* new Violations({ violations: record.violations })
      return { completed: players.reduce((sum, player) => sum + player.completed, 0) }
    })
  )

const truthOf = (tree: DataTree): Truth =>
  new Map(Harms.pathsBelow(tree, "/recipe").map((path) => [path, tree.get(path)!]))

const all = <A>(items: ReadonlyArray<A>, f: (item: A) => Effect.Effect<void>) =>
  Effect.forEach(items, f, { concurrency: "unbounded", discard: true })

// -----------------------------------------------------------------------------
// players
// -----------------------------------------------------------------------------

/** One client, round after round. */
class Player {
  readonly subject: Subject.Subject
  private readonly scenario: Scenario
  private readonly stage: Stage
  private readonly expected: ReadonlySet<string>
  private readonly scope = Scope.makeUnsafe()
  private readonly workers: Array<Fiber.Fiber<void>> = []
  private round: Effect.Effect<void, unknown> = Effect.void
  private stopped = false
  completed = 0

  constructor(subject: Subject.Subject, scenario: Scenario, stage: Stage) {
    this.subject = subject
    this.scenario = scenario
    this.stage = stage
    this.expected = new Set([...always, ...(scenario.expected ?? [])])
  }

  readonly start = Effect.gen({ self: this }, function* () {
    const { node, zk } = this.subject
    const ready = this.scenario
      .play(this.subject)
      .pipe(Effect.provideService(ZooKeeperService, zk), Effect.provideService(Scope.Scope, this.scope))
    const prepared = yield* Effect.exit(node.run(ready))
    if (Exit.isFailure(prepared)) return this.unexpected(prepared.cause)
    this.round = Effect.provideService(prepared.value, ZooKeeperService, zk)
    const workers = yield* Random.nextIntBetween(1, 2)
    for (let i = 0; i < workers; i++) this.workers.push(yield* Subject.inProcess(node, this.work))
  })

  /** What has begun comes to its end. */
  readonly rest = Effect.gen({ self: this }, function* () {
    this.stopped = true
    yield* this.within(`${this.subject.name}: what it was doing`, Fiber.awaitAll(this.workers))
    for (const worker of this.workers) yield* Subject.interrupt(worker)
  })

  /** A round in peace succeeds, and the client lets go of all that it has. */
  readonly finish = Effect.gen({ self: this }, function* () {
    const { name, node } = this.subject
    const before = this.completed
    const again = Effect.gen({ self: this }, function* () {
      // What a fault left to itself, a session that is replaced for one, may still end a round or two.
      while (this.completed === before) {
        yield* this.play(this.round)
        yield* Effect.sleep("100 millis")
      }
    })
    yield* this.within(`${name}: a round in peace`, node.run(again))
    yield* this.within(`${name}: letting go`, node.run(Scope.close(this.scope, Exit.void)))
  })

  /** Works on, for its client to be closed in the midst of it: what it guards has stopped before another can have it. */
  readonly goOn = Effect.gen({ self: this }, function* () {
    const { node } = this.subject
    for (let worker = 0; worker < 2; worker++) {
      const rounds = Effect.forever(Effect.andThen(this.round, Effect.sleep("5 millis")))
      this.workers.push(yield* Subject.inProcess(node, Effect.asVoid(Effect.exit(rounds))))
    }
  })

  readonly end = Effect.suspend(() =>
    Effect.forEach(this.workers.splice(0), (worker) => Subject.interrupt(worker), { discard: true })
  )

  private within(what: string, effect: Effect.Effect<unknown>): Effect.Effect<void> {
    return Effect.map(Effect.timeoutOption(effect, PATIENCE), (ended) => {
      if (Option.isNone(ended)) this.stage.accuse(`P10: ${what} did not end within ${PATIENCE} ms of peace`)
    })
  }

  private get work(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      while (!this.stopped) {
        yield* Effect.sleep(yield* Random.nextBetween(0, 300))
        const isImpatient = (yield* Random.next) < 0.35
        const patience = yield* Random.nextBetween(0, (yield* Random.nextBoolean) ? 5 : 1500)
        yield* this.play(isImpatient ? Effect.asVoid(Effect.timeoutOption(this.round, patience)) : this.round)
      }
    })
  }

  private play(round: Effect.Effect<void, unknown>): Effect.Effect<void> {
    return Effect.map(Effect.exit(round), (exit) => {
      if (Exit.isSuccess(exit)) this.completed++
      else this.unexpected(exit.cause)
    })
  }

  /** Errors that faults explain are none of ours; the others are. */
  private unexpected(cause: Cause.Cause<unknown>): void {
    const error = Cause.squash(cause)
    const tag = typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : "a defect"
    if (!this.expected.has(tag)) {
      this.stage.accuse(`${this.subject.name}: a round failed with ${tag}: ${Cause.pretty(cause)}`)
    }
  }
}

const always = ["LockLost", "LockTimeout", "WaitTimeout"]
