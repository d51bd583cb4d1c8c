/** Containers and TTL znodes of a live tree, which servers do not tell, from the files of one of them. */
import { TreeSource } from "@effect-zookeeper/storage"
import * as Effect from "effect/Effect"
import { readAt } from "../files/reading.ts"
import { UsageError } from "../frame/errors.ts"

/** The values of `--data` and `--logs`. */
export interface Files {
  readonly data: string | undefined
  readonly logs: string | undefined
}

/** Undefined where no files are named. */
export const ownersIn = Effect.fnUntraced(function* ({ data, logs }: Files, chroot: string) {
  if (data !== undefined) return TreeSource.ownersOf((yield* readAt({ directory: data, logs }, {})).tree, chroot)
  if (logs === undefined) return undefined
  return yield* new UsageError({ message: "--logs names the logs of the data directory, which is --data" })
})
