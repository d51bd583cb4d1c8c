/**
 * Reads of data that are asked for at the same time go in one request, which takes servers a fraction of the time.
 *
 * How many do is found out as by a slow start: few at first, twice as many after each request, and no more than have the
 * largest data that was seen fit into a reply.
 */
import type { NoNode } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { RecipeError } from "../../Errors.ts"
import { retryAcrossSessions } from "../shared/retry.ts"

export class JointReads {
  private readonly zk: ZooKeeper.Service
  private readonly scope: Scope.Scope
  private waiting: Array<Waiting> = []
  private isDue = false
  /** How many are read in a request, if their data is small. */
  private width = FIRST_WIDTH
  /** The most data of a znode that was seen, in bytes. */
  private largest = 0

  constructor(zk: ZooKeeper.Service, scope: Scope.Scope) {
    this.zk = zk
    this.scope = scope
  }

  /** The data as it is after this was called. */
  get(path: string): Effect.Effect<DataAndStat, RecipeError | NoNode> {
    return Effect.suspend(() => {
      const read: Waiting = { path, result: Deferred.makeUnsafe() }
      this.waiting.push(read)
      if (this.isDue) return Deferred.await(read.result)
      this.isDue = true
      return Effect.andThen(Effect.forkIn(this.readWaiting, this.scope), Deferred.await(read.result))
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

  private readTogether(reads: ReadonlyArray<Waiting>): Effect.Effect<void> {
    const [first] = reads
    if (first !== undefined && reads.length === 1) return this.readAlone(first)
    return retryAcrossSessions(this.zk, this.zk.read(reads.map(({ path }) => Op.get(path)))).pipe(
      Effect.map((results) => {
        this.width *= 2
        for (const [index, result] of results.entries()) {
          if (Result.isSuccess(result)) this.largest = Math.max(this.largest, result.success.stat.dataLength)
          const read = reads[index]
          if (read !== undefined) Deferred.doneUnsafe(read.result, Effect.fromResult(result))
        }
      }),
      Effect.catchTag("FrameTooLarge", () => {
        this.largest = MAX_SIZE
        return Effect.forEach(reads, (read) => this.readAlone(read), { concurrency: "unbounded", discard: true })
      }),
      Effect.catchCause((cause) =>
        Effect.sync(() => {
          for (const { result } of reads) Deferred.doneUnsafe(result, Effect.failCause(cause))
        })
      )
    )
  }

  private readAlone({ path, result }: Waiting): Effect.Effect<void> {
    return Effect.asVoid(Deferred.completeWith(result, retryAcrossSessions(this.zk, this.zk.get(path))))
  }
}

// ---- internal

interface Waiting {
  readonly path: string
  readonly result: Deferred.Deferred<DataAndStat, RecipeError | NoNode>
}

const FIRST_WIDTH = 4

const MAX_WIDTH = 32

/** How much data a reply may have, in bytes, as far as that is known: a quarter of what a client takes by default. */
const MAX_SIZE = 1_048_576
