/** A chroot that is not there: to its client it is the root, which cannot be missing. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import type { Client } from "./Client.ts"
import { NoChroot } from "./errors.ts"

/** Names the chroot where a command has failed because it does not exist. */
export const namingChroot = <A, E, R>(
  client: Client["Service"],
  command: Effect.Effect<A, E, R>
): Effect.Effect<A, E | NoChroot, R> => {
  const { chroot } = client.settings
  if (chroot === "") return command
  return Effect.catch(command, (error): Effect.Effect<never, E | NoChroot> =>
    isOfRoot(error)
      ? Effect.flatMap(isMissing(client), (missing) => Effect.fail(missing ? new NoChroot({ chroot }) : error))
      : Effect.fail(error)
  )
}

// ---- internal

/** Whether the root was not found, or a znode could not be created below it. */
const isOfRoot = (error: unknown): boolean => {
  if (typeof error !== "object" || error === null || !("_tag" in error)) return false
  if (error._tag === "TransactionFailed" && "error" in error) return isOfRoot(error.error)
  if (error._tag !== "NoNode" || !("path" in error) || typeof error.path !== "string") return false
  return (
    error.path === "/" ||
    ("operation" in error && String(error.operation).startsWith("create") && error.path.lastIndexOf("/") === 0)
  )
}

/** Another tree of the command may be the one that has no root. Without an answer the error stays as it is. */
const isMissing = ({ rootReader }: Client["Service"]): Effect.Effect<boolean> =>
  Effect.scoped(
    Effect.flatMap(rootReader, ({ chroot, zk }): Effect.Effect<boolean, ReadError> =>
      Effect.map(zk.exists(chroot), (exists) => !exists)
    )
  ).pipe(
    Effect.timeout("2 seconds"),
    Effect.orElseSucceed(() => false)
  )
