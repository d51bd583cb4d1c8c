/**
 * Reads of data that are asked for at the same time go in one request, which takes servers a fraction of the time.
 *
 * How many do is found out as by a slow start: few at first, twice as many after each request, and no more than have the
 * largest data that was seen fit into a reply.
 *
 * The small data of one reply is copied into memory of just its size. A view of the reply would keep all of the reply alive,
 * which is twice as much where data has a hundred bytes.
 */
import type { NoNode } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { RecipeError } from "../../Errors.ts"
import { retryAcrossSessions } from "../shared/retry.ts"

export class JointReads {
  private readonly zk: ZooKeeper.Service
  private readonly scope: Scope.Scope
  private waiting: Array<PendingRead> = []
  private isDue = false
  /** How many are read in a request, if their data is small. */
  private width = FIRST_WIDTH
  /** The most data of a znode that was seen, in bytes. */
  private largest = 0

  constructor(zk: ZooKeeper.Service, scope: Scope.Scope) {
    this.zk = zk
    this.scope = scope
  }

  /** The data as it is after this was called; undefined where there is no znode. */
  get(path: string): Effect.Effect<DataAndStat | undefined, RecipeError> {
    return Effect.suspend(() => {
      // It is among those that wait before any other fiber has its turn.
      const read = new PendingRead(path)
      this.waiting.push(read)
      if (this.isDue) return read.answered
      this.isDue = true
      return Effect.andThen(Effect.forkIn(this.readWaiting, this.scope), read.answered)
    })
  }

  /** Reads all that others ask for before their turn ends, too. */
  private readonly readWaiting: Effect.Effect<void> = Effect.andThen(
    Effect.yieldNow,
    Effect.suspend(() => {
      const reads = this.waiting
      this.waiting = []
      this.isDue = false
      const width = Math.min(this.width, MAX_WIDTH, Math.floor(MAX_SIZE / Math.max(1, this.largest)))
      return Effect.forEach(Arr.chunksOf(reads, width), (some) => this.readTogether(some), {
        concurrency: "unbounded",
        discard: true
      })
    })
  )

  private readTogether(reads: ReadonlyArray<PendingRead>): Effect.Effect<void> {
    const [first] = reads
    if (first !== undefined && reads.length === 1) return this.readAlone(first)
    return retryAcrossSessions(this.zk, this.zk.read(reads.map(({ path }) => Op.get(path)))).pipe(
      Effect.map((results) => {
        this.width *= 2
        for (const [index, result] of packSmallData(results).entries()) {
          if (Result.isSuccess(result)) this.largest = Math.max(this.largest, result.success.stat.dataLength)
          reads[index]?.answer(outcomeOf(result))
        }
      }),
      Effect.catchTag("FrameTooLarge", () => {
        this.largest = MAX_SIZE
        return Effect.forEach(reads, (read) => this.readAlone(read), { concurrency: "unbounded", discard: true })
      }),
      Effect.catchCause((cause) =>
        Effect.sync(() => {
          for (const read of reads) read.answer(Exit.failCause(cause))
        })
      )
    )
  }

  private readAlone(read: PendingRead): Effect.Effect<void> {
    const result = Effect.result(retryAcrossSessions(this.zk, this.zk.get(read.path)))
    return Effect.map(Effect.exit(Effect.flatMap(result, outcomeOf)), (outcome) => read.answer(outcome))
  }
}

// ---- internal

type Outcome = Exit.Exit<DataAndStat | undefined, RecipeError>

/** A read that waits for its answer, in less memory than a Deferred. One effect awaits it, once. */
class PendingRead {
  readonly path: string
  private outcome: Outcome | undefined = undefined
  private resume: ((outcome: Outcome) => void) | undefined = undefined

  constructor(path: string) {
    this.path = path
  }

  get answered(): Effect.Effect<DataAndStat | undefined, RecipeError> {
    return Effect.callback((resume) => {
      if (this.outcome === undefined) this.resume = resume
      else resume(this.outcome)
    })
  }

  answer(outcome: Outcome): void {
    this.outcome = outcome
    this.resume?.(outcome)
  }
}

const noZnode: Outcome = Exit.succeed(undefined)

const outcomeOf = (result: Result.Result<DataAndStat, RecipeError | NoNode>): Outcome => {
  if (Result.isSuccess(result)) return Exit.succeed(result.success)
  const error = result.failure
  return error._tag === "NoNode" ? noZnode : Exit.fail(error)
}

const FIRST_WIDTH = 4

const MAX_WIDTH = 32

/** Up to this size data is copied: that of one reply then has at most 16 KiB, which one znode that stays keeps alive. */
const SMALL = 512

/** How much data a reply may have, in bytes, as far as that is known: a quarter of what a client takes by default. */
const MAX_SIZE = 1_048_576

const isSmall = ({ length }: Uint8Array): boolean => length > 0 && length <= SMALL

const packSmallData = <E>(
  results: ReadonlyArray<Result.Result<DataAndStat, E>>
): ReadonlyArray<Result.Result<DataAndStat, E>> => {
  let size = 0
  for (const result of results) {
    if (Result.isSuccess(result) && isSmall(result.success.data)) size += result.success.data.length
  }
  const packed = new Uint8Array(size)
  let at = 0
  return results.map((result) => {
    if (Result.isFailure(result) || !isSmall(result.success.data)) return result
    const { data, stat } = result.success
    packed.set(data, at)
    const view = new Uint8Array(packed.buffer, at, data.length)
    at += data.length
    return Result.succeed({ data: view, stat })
  })
}
