import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import type { SessionMachine } from "./SessionMachine.ts"

/** Says in log lines which session they are about, and which server if they are about one. */
export const withLogAnnotations = <A, E, R>(
  machine: SessionMachine,
  server: ServerAddress | undefined,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.annotateLogs(self, {
    "zookeeper.session": `0x${BigInt.asUintN(64, machine.credentials.id).toString(16)}`,
    "zookeeper.server": server === undefined ? "none" : format(server)
  })
