/**
 * The work of the clients of a simulated world: reads, writes, creations, watches, in several fibers each, and
 * interruptions.
 */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type { Stat } from "@effect-zookeeper/protocol/Records"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Recorded from "../history/operations.ts"
import { tagOf } from "../history/outcome.ts"
import type { Recorder } from "../history/Recorder.ts"
import type { RunRecord } from "./Observations.ts"
import { forkInNode, interrupt, type SimulatedClient } from "./SimulatedClient.ts"

/** The znodes that every client reads and writes. */
export const registers = ["/a", "/b"] as const
/** A parent whose children come and go. */
export const parent = "/list"
/** A znode that only authenticated clients may read. */
export const secret = "/secret"

interface WorkloadOptions {
  /** Whether reads with a watch are interrupted, even in the moment in which the watch is handed over. */
  readonly abandonsWatches: boolean
  /** Whether servers may lag behind. */
  readonly hasLags: boolean
}

/** The fibers of one client, and what they remember. */
export class Workload {
  readonly client: SimulatedClient
  private readonly record: RunRecord
  private readonly zk: ZooKeeper.Service
  private stopped = false
  private readonly recorder: Recorder
  private count = 0
  /** Watches whose event has not come. */
  private readonly watches = new Set<Fiber.Fiber<unknown, unknown>>()
  private readonly workers: Array<Fiber.Fiber<void>> = []
  private readonly streams: Array<Fiber.Fiber<unknown, unknown>> = []
  private readonly latest = new Map<string, string>()
  private copy = ""
  completed = 0

  private readonly options: WorkloadOptions

  constructor(client: SimulatedClient, record: RunRecord, options: WorkloadOptions) {
    this.client = client
    this.options = options
    this.record = record
    this.zk = client.zk
    this.recorder = record.recorder(client.name, client.now)
  }

  // ---------------------------------------------------------------------------
  // its life
  // ---------------------------------------------------------------------------

  readonly start = Effect.gen({ self: this }, function* () {
    const { node } = this.client
    for (let i = 0; i < 3; i++) this.workers.push(yield* forkInNode(node, this.worker))
    for (const stream of this.watching) this.streams.push(yield* forkInNode(node, stream))
  })

  /** Lets the workers finish; one that does not end in time hangs. Milliseconds. */
  finish(within: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      this.stopped = true
      const ended = yield* Effect.timeoutOption(Fiber.awaitAll(this.workers), within)
      if (Option.isSome(ended)) return
      this.addViolation(`P1: a request was not completed within ${within} ms after all was healed`)
      for (const worker of this.workers) yield* interrupt(worker)
    })
  }

  /**
   * Without faults a request takes as long as the network, and not until the next heartbeat; not behind another one
   * either.
   */
  readonly measureLatency = Effect.gen({ self: this }, function* () {
    for (let i = 0; i < 12; i++) {
      const behind = yield* Random.nextBetween(0, 0.3)
      yield* Effect.all([this.ask, Effect.andThen(Effect.sleep(behind), this.ask)], { concurrency: 2 })
    }
  })

  private get ask(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const path = yield* this.register
      const { connections, zk } = this
      const began = this.client.now()
      const wasConnected = zk.session.state._tag === "Connected"
      yield* Effect.ignore(this.get(path))
      const took = this.client.now() - began
      if (took > LONGEST && wasConnected && connections === this.connections) {
        this.addViolation(`P1: a request took ${took.toFixed(0)} ms when nothing was in its way`)
      }
    })
  }

  /** Compares the results of watches and streams with the znodes. */
  judge(current: ReadonlyMap<string, { readonly value: string; readonly stat: Stat } | undefined>, children: string) {
    if (this.latest.get(parent) !== children) {
      this.addViolation(`P7: childrenChanges ended with ${this.latest.get(parent)}, where ${children} are there`)
    }
    if (this.copy !== current.get("/b")?.value) {
      this.addViolation(`P7: events left a mirror with ${this.copy}, where ${current.get("/b")?.value} is there`)
    }
  }

  /** Ends all watches. */
  readonly leave = Effect.gen({ self: this }, function* () {
    for (const stream of this.streams) yield* interrupt(stream)
    for (const fiber of this.watches) yield* interrupt(fiber)
  })

  private addViolation(what: string): void {
    this.record.addViolation(`${this.client.name}: ${what}`)
  }

  // ---------------------------------------------------------------------------
  // workers
  // ---------------------------------------------------------------------------

  private get worker(): Effect.Effect<void> {
    const actions = [
      this.write,
      this.write,
      this.compareAndSet,
      this.look,
      this.look,
      this.churn,
      this.ephemeral,
      this.watch,
      this.watch,
      this.pipeline,
      this.impatient,
      this.readSecret
    ]
    return Effect.gen({ self: this }, function* () {
      while (!this.stopped) {
        yield* Effect.sleep(yield* Random.nextBetween(0, 600))
        const action = actions[yield* Random.nextIntBetween(0, actions.length - 1)]!
        const exit = yield* Effect.exit(action)
        if (Exit.isFailure(exit)) this.unexpected(exit.cause)
        if (this.client.zk.session.state._tag === "Closed") return
      }
    })
  }

  /** Errors that faults explain are expected; all others are violations. */
  private unexpected(cause: Cause.Cause<unknown>): void {
    const tag = tagOf(cause)
    if (!expected.has(tag)) this.addViolation(`an operation failed with ${tag}: ${Cause.pretty(cause)}`)
  }

  private get register(): Effect.Effect<string> {
    return Effect.map(Random.nextIntBetween(0, registers.length - 1), (index) => registers[index]!)
  }

  private get write() {
    return Effect.flatMap(this.register, (path) => this.set(path))
  }

  private set(path: string, version?: number): Effect.Effect<Stat, unknown> {
    return Effect.tap(Recorded.write(this.recorder, this.zk, path, version), this.completes)
  }

  private readonly get = (path: string) => Effect.tap(Recorded.read(this.recorder, this.zk, path), this.completes)

  private readonly completes = Effect.sync(() => {
    this.completed++
  })

  private get look() {
    return Effect.flatMap(this.register, this.get)
  }

  private get compareAndSet() {
    return Effect.gen({ self: this }, function* () {
      const path = yield* this.register
      const { stat } = yield* this.get(path)
      const written = yield* this.set(path, stat.version)
      if (written.version !== stat.version + 1) {
        this.addViolation(`P6: ${path} went from version ${stat.version} to ${written.version} in one write`)
      }
    })
  }

  /** P2: the requests of one session are done in order, pipelined too. */
  private get pipeline() {
    return Effect.gen({ self: this }, function* () {
      const path = yield* this.register
      const start = { startImmediately: true } as const
      const writing = yield* Effect.forkChild(Effect.exit(this.set(path)), start)
      // A fiber may give way before it has sent anything: only what surely came later is compared.
      const began = this.client.now()
      yield* Effect.sleep(20)
      if (this.client.observations.isExcused(began, this.client.now())) return
      const reading = yield* Effect.forkChild(Effect.exit(this.get(path)), start)
      const written = yield* Fiber.join(writing)
      const read = yield* Fiber.join(reading)
      if (Exit.isFailure(written) || Exit.isFailure(read)) return
      if (read.value.stat.mzxid < written.value.mzxid) {
        this.addViolation(`P2: a read of ${path} behind the write ${written.value.mzxid} gave ${read.value.stat.mzxid}`)
      }
    })
  }

  private get churn() {
    return Effect.gen({ self: this }, function* () {
      const path = `${parent}/${yield* Random.nextIntBetween(0, 4)}`
      if (yield* Random.nextBoolean) {
        yield* this.zk.create(path, { data: `${path}|${this.client.name}.${++this.count}` })
      } else {
        yield* this.zk.delete(path)
      }
      this.completed++
      yield* this.zk.getChildren(parent)
    })
  }

  private get ephemeral() {
    return Effect.gen({ self: this }, function* () {
      const session = this.zk.session.id
      const data = `${parent}|${this.client.name}.${++this.count}`
      const path = yield* this.zk.create(`${parent}/e-`, { data, mode: "ephemeralSequential" })
      yield* Effect.sleep(yield* Random.nextBetween(0, 800))
      const { data: found, stat } = yield* this.zk.get(path)
      const text = new TextDecoder().decode(found)
      if (text !== data) this.addViolation(`P3: ${path} was created with ${data} and has ${text}`)
      if (stat.ephemeralOwner !== session && this.zk.session.id === session) {
        this.addViolation(`${path} belongs to ${stat.ephemeralOwner}, and was created by ${session}`)
      }
      yield* this.zk.delete(path)
    })
  }

  /** Sends a request, and is interrupted before the answer comes. */
  private get impatient() {
    return Effect.gen({ self: this }, function* () {
      const path = yield* this.register
      const choice = yield* Random.nextIntBetween(0, this.options.abandonsWatches ? 2 : 1)
      const asking: Effect.Effect<unknown, unknown> =
        choice === 0 ? this.get(path) : choice === 1 ? this.set(path) : this.zk.getAndWatch(path)
      yield* Effect.timeoutOption(asking, yield* Random.nextBetween(0.01, 12))
    })
  }

  private get readSecret() {
    return Effect.map(this.zk.get(secret), () => {
      this.completed++
    })
  }

  // ---------------------------------------------------------------------------
  // watches
  // ---------------------------------------------------------------------------

  private get watch() {
    return Effect.gen({ self: this }, function* () {
      const path = yield* this.register
      const { connections, recorder } = this
      const id = recorder.unique()
      const { changed, stat } = yield* Recorded.watch(recorder, this.zk, path, id)
      this.completed++
      const told = Effect.onExit(changed, (exit) =>
        Effect.sync(() => recorder.note({ f: Exit.isSuccess(exit) ? "event" : "unwatched", path, of: id }))
      )
      // The one that is waited for until the end, or the one that is given up soon.
      const fiber = yield* Effect.forkDetach(Effect.exit(told))
      this.watches.add(fiber)
      yield* Effect.sleep(yield* Random.nextBetween(0, 800))
      if (fiber.pollUnsafe() === undefined) {
        // A client that reads something newer has had the event before.
        yield* this.get(path)
        if (yield* Random.nextBoolean) {
          yield* interrupt(fiber)
          this.watches.delete(fiber)
        }
        return
      }
      this.watches.delete(fiber)
      const outcome = yield* Fiber.join(fiber)
      if (Exit.isFailure(outcome)) return
      const now = yield* this.get(path)
      // An event does not say which transaction it tells of: the next server may not have come as far.
      const mayLag = this.options.hasLags && this.connections !== connections
      if (now.stat.mzxid <= stat.mzxid && !mayLag) {
        this.addViolation(`P7: a watch on ${path} fired for ${outcome.value.type}, and ${stat.mzxid} is still there`)
      }
    })
  }

  private get watching(): ReadonlyArray<Effect.Effect<void, unknown>> {
    const data = registers.map((path) => {
      const id = this.recorder.unique()
      return Recorded.observe(this.recorder, this.zk, path, id, () =>
        this.addViolation(`P7: dataChanges says that ${path} is gone`)
      ).pipe(Effect.ensuring(Effect.sync(() => this.recorder.note({ f: "unwatched", path, of: id }))))
    })
    const knownChildren = { zxid: -1n }
    const children = Stream.runForEach(this.zk.childrenChanges(parent), (value) =>
      Effect.sync(() => {
        if (Option.isNone(value)) return this.addViolation(`P7: childrenChanges says that ${parent} is gone`)
        const { pzxid } = value.value.stat
        if (pzxid <= knownChildren.zxid)
          this.addViolation(`P7: a stream of ${parent} went from ${knownChildren.zxid} to ${pzxid}`)
        knownChildren.zxid = pzxid
        this.latest.set(parent, [...value.value.children].toSorted().join(" "))
      })
    )
    // Looks again at each event, and at each Gap.
    const refresh = Effect.retry(this.zk.get("/b"), { times: 1000, while: () => !this.isOver }).pipe(
      Effect.map(({ data }) => {
        this.copy = new TextDecoder().decode(data)
      })
    )
    // There is no word of when the watch is set: until the first event it looks now and then.
    let hasBegun = false
    const begin = Effect.whileLoop({
      while: () => !hasBegun && !this.isOver,
      body: () => Effect.andThen(Effect.sleep("300 millis"), refresh),
      step: () => {}
    })
    const listen = Stream.runForEach(this.zk.events("/b"), () => {
      hasBegun = true
      return refresh
    })
    const events = Effect.andThen(
      Effect.forkChild(begin),
      Effect.retry(listen, { while: ({ _tag }) => _tag === "RequestTimeout" || _tag === "ConnectionLoss" })
    )
    return [...data, children, events].map((stream) =>
      Effect.catchCause(stream, (cause) => Effect.sync(() => this.unexpected(cause)))
    )
  }

  private get connections(): number {
    return this.client.observations.connections.length
  }

  private get isOver(): boolean {
    return this.zk.session.state._tag === "Closed"
  }
}

// ---- internal

/** Twice the longest way of the network, in milliseconds; a heartbeat comes after a third of the session's timeout. */
const LONGEST = 600

const expected: ReadonlySet<string> = new Set([
  "ConnectionLoss",
  "SessionExpired",
  "SessionClosed",
  "RequestTimeout",
  "BadVersion",
  "NodeExists",
  "NoNode"
])
