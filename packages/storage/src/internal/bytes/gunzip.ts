/** The contents of a gzip file as a stream: what can be decompressed before a wrong byte is given before the error. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Zlib from "node:zlib"
import type { MalformedFile } from "../../StorageError.ts"
import { Malformed, toMalformedFile } from "./Malformed.ts"

/** Bytes that are lost before a wrong one, at most. */
const PIECE = 4_096

/** Decompressed bytes after which they are given on. One piece more may follow, which is a thousand times longer at most. */
const BATCH = 262_144

export const gunzip = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  file: string
): Stream.Stream<Uint8Array, E | MalformedFile, R> =>
  Stream.transformPull(bytes, (pull, scope) =>
    Effect.gen(function* () {
      const inflater = new Inflater()
      yield* Scope.addFinalizer(
        scope,
        Effect.sync(() => inflater.destroy())
      )
      let failure: E | MalformedFile | undefined
      let hasEnded = false
      const fail = (error: unknown) => {
        failure = toMalformedFile(error, file, "file")
      }
      /** Bytes that are read and not decompressed yet: a small file can have contents of any size. */
      let waiting: ReadonlyArray<Uint8Array> = []
      const decompress = async () => {
        try {
          while (waiting.length > 0 && inflater.pending < BATCH) {
            const [piece, ...others] = waiting
            waiting = others
            // oxlint-disable-next-line no-await-in-loop -- the bytes are in an order
            await inflater.write(piece!)
          }
        } catch (error) {
          fail(error)
        }
      }
      const step: Pull.Pull<readonly [Uint8Array, ...Array<Uint8Array>], E | MalformedFile, void, R> = Effect.suspend(
        () => {
          if (failure !== undefined) return Effect.fail(failure)
          if (hasEnded) return Cause.done()
          const next =
            waiting.length > 0
              ? Effect.promise(decompress)
              : Effect.flatMap(pull, (chunks) => {
                  waiting = chunks.flatMap(piecesOf)
                  return Effect.promise(decompress)
                })
          return next.pipe(
            Effect.catch((error) =>
              Effect.promise(async () => {
                hasEnded = true
                if (!Cause.isDone(error)) {
                  failure = error as E
                  return
                }
                try {
                  await inflater.end()
                } catch (wrong) {
                  fail(wrong)
                }
              })
            ),
            Effect.flatMap(() => {
              const output = inflater.take()
              return isNonEmpty(output) ? Effect.succeed(output) : step
            })
          )
        }
      )
      return step
    })
  )

/** Node's decompressor, of which each call waits until its bytes are decompressed. */
class Inflater {
  private readonly stream = Zlib.createGunzip({ chunkSize: 65_536 })
  private output: Array<Uint8Array> = []
  /** How many decompressed bytes wait to be taken. */
  pending = 0
  private offset = 0
  private error: Error | undefined
  private onError: ((error: Error) => void) | undefined

  constructor() {
    this.stream.on("data", (bytes: Uint8Array) => {
      this.output.push(bytes)
      this.pending += bytes.length
    })
    this.stream.on("error", (error) => {
      this.error = error
      this.onError?.(error)
    })
  }

  write(piece: Uint8Array): Promise<void> {
    return this.run((done) => this.stream.write(piece, done)).then(() => {
      this.offset += piece.length
    })
  }

  /** No more bytes come. */
  end(): Promise<void> {
    return this.run((done) => {
      this.stream.once("end", () => done())
      this.stream.end()
    })
  }

  /** The decompressed bytes since the last call. */
  take(): ReadonlyArray<Uint8Array> {
    const { output } = this
    this.output = []
    this.pending = 0
    return output
  }

  destroy(): void {
    this.stream.destroy()
  }

  private run(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(this.malformed(error))
      this.onError = fail
      if (this.error === undefined) start((error) => (error ? fail(error) : resolve()))
      else fail(this.error)
    })
  }

  private malformed(error: Error): Malformed {
    const isCut = "code" in error && error.code === "Z_BUF_ERROR"
    return isCut
      ? new Malformed("Truncated", this.offset, "the rest of the gzip data", "the end of the file")
      : new Malformed("Corrupt", this.offset, "gzip data in the next 4096 bytes", error.message)
  }
}

const piecesOf = (chunk: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(chunk.length / PIECE) }, (_, at) => chunk.subarray(at * PIECE, (at + 1) * PIECE))

const isNonEmpty = (output: ReadonlyArray<Uint8Array>): output is readonly [Uint8Array, ...Array<Uint8Array>] =>
  output.length > 0
