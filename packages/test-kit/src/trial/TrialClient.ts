/**
 * One client of a real ensemble that works and records: registers, watches, streams, ephemerals, and a znode that comes and
 * goes. Each member is behind a proxy of its own, so that this client alone can be cut off from it.
 */
import type { ReadError, SetDataError } from "@effect-zookeeper/client/Errors"
import * as Hex64 from "@effect-zookeeper/client/Hex64"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as FaultProxy from "../FaultProxy.ts"
import type { Line } from "../history/History.ts"
import * as Recorded from "../history/operations.ts"
import { tagOf } from "../history/outcome.ts"
import * as Recorder from "../history/Recorder.ts"
import type { ZooKeeperEnsemble } from "../ZooKeeperEnsemble.ts"
import { clientOf } from "../conformance/Target.ts"

/** The znodes that every client reads and writes. */
export const registers = ["/trial/a", "/trial/b", "/trial/c"] as const
/** The parent of ephemerals. */
export const ephemerals = "/trial/ephemerals"
/** A znode that is written for the sake of writing. */
const scratch = "/trial/scratch"

export interface Options {
  readonly name: string
  readonly ensemble: ZooKeeperEnsemble
  /** Where the history goes. */
  readonly write: (line: Line) => void
  readonly sessionTimeout: Duration.Input
  /** The longest pause of a worker between two requests, in milliseconds; half of it on average. */
  readonly pace: number
}

/** A client that works. */
export interface TrialClient {
  readonly name: string
  readonly zk: ZooKeeper.Service
  readonly recorder: Recorder.Recorder
  /** The ways to the members, in the members' order. */
  readonly proxies: ReadonlyArray<FaultProxy.FaultProxy>
  /** Begins to work. */
  readonly start: Effect.Effect<void>
  /** Lets the workers finish; `false` if they did not within the time. */
  readonly finish: (within: Duration.Input) => Effect.Effect<boolean>
  /** Ends all watches and streams. */
  readonly leave: Effect.Effect<void>
  /** Reads a register so that nothing older can be seen. */
  readonly readNewest: (path: string) => Effect.Effect<unknown, ReadError | SetDataError>
  /** Errors that faults do not explain. */
  readonly surprises: ReadonlyArray<string>
}

/** Connects a client; its session ends with the Scope. */
export const connect = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<TrialClient, ZooKeeper.StartError, Scope.Scope> {
  const { ensemble, name } = options
  const proxies = yield* Effect.forEach(ensemble.servers, (server) => FaultProxy.make(server, { raw: true }))
  const servers = proxies.map(({ connectString }) => connectString).join(",")
  const zk = yield* clientOf(ZooKeeper.layer({ servers, sessionTimeout: options.sessionTimeout }))
  const session = () => sessionName(zk.session.id)
  const recorder = Recorder.make({ client: name, session, write: options.write })
  const worker = new Worker(zk, recorder, options, yield* Effect.scope)
  return {
    name,
    zk,
    recorder,
    proxies,
    start: worker.start,
    finish: (within) => worker.finish(within),
    leave: worker.leave,
    readNewest: (path) => worker.readNewest(path),
    surprises: worker.surprises
  }
})

/** Creates the znodes that the clients work on. */
export const prepare = Effect.fnUntraced(function* ({ recorder, zk }: TrialClient) {
  yield* zk.create("/trial")
  yield* zk.create(ephemerals)
  yield* zk.create(scratch)
  for (const path of registers) yield* Recorded.createRegister(recorder, zk, path)
})

/** How histories name a session. */
export const sessionName = (id: bigint): string => Hex64.digits(id)

// ---- internal

/** Errors that faults explain. */
const expected: ReadonlySet<string> = new Set([
  "ConnectionLoss",
  "SessionExpired",
  "BadVersion",
  "NodeExists",
  "NoNode"
])

/** Milliseconds for which one znode is created and deleted again and again. */
const CHURNED = 5000

/** How many watches one client waits for at once, at most. */
const MAX_WATCHES = 8

class Worker {
  readonly surprises: Array<string> = []
  private readonly zk: ZooKeeper.Service
  private readonly recorder: Recorder.Recorder
  private readonly options: Options
  private readonly scope: Scope.Scope
  private isOver = false
  private readonly workers: Array<Fiber.Fiber<void>> = []
  private readonly watching = new Set<Fiber.Fiber<unknown, unknown>>()
  private readonly versions = new Map<string, number>()
  private count = 0

  constructor(zk: ZooKeeper.Service, recorder: Recorder.Recorder, options: Options, scope: Scope.Scope) {
    this.scope = scope
    this.zk = zk
    this.recorder = recorder
    this.options = options
  }

  // ---- its life

  readonly start = Effect.gen({ self: this }, function* () {
    const { pace } = this.options
    const works = [
      this.work(pace, this.register),
      this.work(pace, this.register),
      this.work(pace * 4, this.churn),
      this.work(pace * 4, this.ephemeral),
      this.work(pace * 2, this.watch)
    ]
    for (const work of works) this.workers.push(yield* Effect.forkIn(work, this.scope))
    for (const path of registers) this.watching.add(yield* Effect.forkIn(this.follow(path), this.scope))
  })

  finish(within: Duration.Input): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      this.isOver = true
      return Effect.map(Effect.timeoutOption(Fiber.awaitAll(this.workers), within), Option.isSome)
    })
  }

  readonly leave = Effect.suspend(() => Fiber.interruptAll([...this.watching]))

  readonly readNewest = (path: string) =>
    // A former leader cannot confirm it.
    this.recorder.record(
      { f: "read", path, synced: true, barrier: true },
      Effect.andThen(this.zk.set(scratch, ""), this.zk.get(path)),
      Recorded.answerWithData
    )

  private work(pace: number, action: Effect.Effect<unknown, unknown>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      while (!this.isOver) {
        yield* Effect.sleep(yield* Random.nextBetween(0, pace))
        const exit = yield* Effect.exit(action)
        if (Exit.isFailure(exit)) this.unexpected(exit.cause)
      }
    })
  }

  private unexpected(cause: Cause.Cause<unknown>): void {
    if (!expected.has(tagOf(cause))) this.surprises.push(`${this.options.name}: ${Cause.pretty(cause)}`)
  }

  // ---- registers

  private get register() {
    return Effect.gen({ self: this }, function* () {
      const path = registers[yield* Random.nextIntBetween(0, registers.length - 1)]!
      const kind = yield* Random.nextIntBetween(0, 6)
      const { recorder, zk } = this
      if (kind <= 1) return yield* Recorded.write(recorder, zk, path)
      if (kind === 2) return yield* Recorded.write(recorder, zk, path, this.versions.get(path))
      if (kind === 3) return yield* this.readNewest(path)
      if (kind === 4) return yield* Recorded.read(recorder, zk, path)
      const found = yield* recorder.record(
        { f: "read", path, synced: true },
        Effect.andThen(zk.sync(path), zk.get(path)),
        Recorded.answerWithData
      )
      this.versions.set(path, found.stat.version)
    })
  }

  /** Without versions: only an order that explains all of it tells whether it is right. */
  private get churn() {
    return Effect.gen({ self: this }, function* () {
      const { recorder, zk } = this
      // One after the other, shared by all clients: the search through what happened to each stays short.
      const path = `/trial/churned-${Math.floor((yield* Clock.currentTimeMillis) / CHURNED)}`
      const kind = yield* Random.nextIntBetween(0, 3)
      const value = recorder.unique()
      if (kind === 0)
        return yield* recorder.record({ f: "create", path, value }, zk.create(path, { data: value }), Recorded.noAnswer)
      if (kind === 1) return yield* recorder.record({ f: "delete", path }, zk.delete(path), Recorded.noAnswer)
      if (kind === 2) return yield* recorder.record({ f: "write", path, value }, zk.set(path, value), Recorded.noAnswer)
      const reading = Effect.andThen(zk.set(scratch, ""), zk.getData(path))
      return yield* recorder.record({ f: "read", path, synced: true, barrier: true }, reading, (data) => ({
        value: new TextDecoder().decode(data)
      }))
    })
  }

  // ---- ephemerals

  private get ephemeral() {
    return Effect.gen({ self: this }, function* () {
      const { recorder, zk } = this
      const path = `${ephemerals}/${this.options.name}-${++this.count}`
      yield* recorder.record(
        { f: "create", path, ephemeral: true },
        zk.create(path, { mode: "ephemeral" }),
        Recorded.noAnswer
      )
      for (let i = 0; i < 3; i++) {
        yield* Effect.sleep(yield* Random.nextBetween(0, this.options.pace))
        yield* recorder.record({ f: "read", path, ephemeral: true }, zk.get(path), ({ stat }) => ({
          owner: sessionName(stat.ephemeralOwner)
        }))
      }
      yield* recorder.record(
        { f: "delete", path, ephemeral: true },
        zk.delete(path, { guaranteed: true }),
        Recorded.noAnswer
      )
    })
  }

  // ---- watches

  private get watch() {
    return Effect.gen({ self: this }, function* () {
      const { recorder, watching, zk } = this
      if (watching.size >= MAX_WATCHES + registers.length) return
      const path = registers[yield* Random.nextIntBetween(0, registers.length - 1)]!
      const id = recorder.unique()
      const { changed } = yield* Recorded.watch(recorder, zk, path, id)
      const told = Effect.match(changed, {
        onSuccess: ({ type }) => recorder.note({ f: "event", path, of: id, value: type }),
        // It ended with its session: that is recorded, too.
        onFailure: ({ _tag }) => recorder.note({ f: "unwatched", path, of: id, value: _tag })
      })
      // At once: in its next turn, which on a busy machine may be long after, it would be late for an event that is here.
      const fiber = yield* Effect.forkIn(told, this.scope, { startImmediately: true })
      watching.add(fiber)
      fiber.addObserver(() => watching.delete(fiber))
    })
  }

  private follow(path: string) {
    return Effect.suspend(() =>
      Recorded.observe(this.recorder, this.zk, path, this.recorder.unique(), () =>
        this.surprises.push(`${this.options.name}: a stream says that ${path} is gone`)
      ).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            if (Exit.isSuccess(exit)) this.surprises.push(`${this.options.name}: the stream of ${path} has ended`)
            else if (!Cause.hasInterrupts(exit.cause)) this.unexpected(exit.cause)
          })
        )
      )
    )
  }
}
