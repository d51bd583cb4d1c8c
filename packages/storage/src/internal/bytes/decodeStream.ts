/** A stream of records from a stream of bytes: everything before a wrong byte is given before the error. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import type { MalformedFile } from "../../StorageError.ts"
import { ByteWindow } from "./ByteWindow.ts"
import { toMalformedFile, type Within } from "./Malformed.ts"

/** Decodes one kind of file. Its methods throw `Malformed`. */
export interface RecordDecoder<A> {
  /** Reads one record; undefined if its bytes have not all arrived, which it has asked the window for. */
  readonly next: (window: ByteWindow) => A | undefined
  /** The file has ended, and `next` has read all that it can: reads a last record, if there is one. */
  readonly end: (window: ByteWindow) => A | undefined
}

/** The longest record by default: 16 MiB, far above ZooKeeper's default of 1 MiB for requests. */
export const MAX_RECORD_SIZE = 16_777_216

export const decodeStream = <A, E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  makeDecoder: () => RecordDecoder<A>,
  options: { readonly file: string; readonly within: Within; readonly maxRecordSize: number }
): Stream.Stream<A, E | MalformedFile, R> =>
  Stream.transformPull(bytes, (pull) =>
    Effect.sync((): Pull.Pull<readonly [A, ...Array<A>], E | MalformedFile, void, R> => {
      const window = new ByteWindow(options.maxRecordSize)
      const decoder = makeDecoder()
      let failure: E | MalformedFile | undefined
      let hasEnded = false

      /** All records of the bytes that have arrived. */
      const decode = (chunks: ReadonlyArray<Uint8Array>, isLast: boolean): Array<A> => {
        const records: Array<A> = []
        try {
          for (const chunk of chunks) {
            if (window.push(chunk)) drain(records)
          }
          if (isLast) {
            window.join()
            drain(records)
            const last = decoder.end(window)
            if (last !== undefined) records.push(last)
          }
        } catch (error) {
          failure = toMalformedFile(error, options.file, options.within)
        }
        return records
      }
      const drain = (records: Array<A>) => {
        for (let record = decoder.next(window); record !== undefined; record = decoder.next(window)) {
          records.push(record)
        }
      }

      /** Decodes the last bytes. If reading has failed, its error comes after the records that have arrived. */
      const finish = (error: E | undefined) => {
        const records = decode([], error === undefined)
        if (error !== undefined) failure ??= error
        hasEnded = true
        return records
      }

      const step: Pull.Pull<readonly [A, ...Array<A>], E | MalformedFile, void, R> = Effect.suspend(() => {
        if (failure !== undefined) return Effect.fail(failure)
        if (hasEnded) return Cause.done()
        return pull.pipe(
          Effect.map((chunks) => decode(chunks, false)),
          Effect.catch((error) => Effect.succeed(finish(Cause.isDone(error) ? undefined : (error as E)))),
          Effect.flatMap((records) => (isNonEmpty(records) ? Effect.succeed(records) : step))
        )
      })
      return step
    })
  )

const isNonEmpty = <A>(records: Array<A>): records is [A, ...Array<A>] => records.length > 0
