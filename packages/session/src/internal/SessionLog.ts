import * as Hex64 from "@effect-zookeeper/protocol/Hex64"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { SessionIdentity } from "./SessionIdentity.ts"

/** The log of a session: every line names the session, and the server if it is about one. */
export class SessionLog {
  private readonly identity: SessionIdentity
  private readonly context: Context.Context<never>

  /** Lines that are not written by an effect of the caller's are written in `context`. */
  constructor(identity: SessionIdentity, context: Context.Context<never>) {
    this.identity = identity
    this.context = context
  }

  /** Names the session and the server in all lines of an effect. */
  annotate<A, E, R>(server: ServerAddress | undefined, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return Effect.annotateLogs(self, {
      "zookeeper.session": Hex64.format(this.identity.id),
      "zookeeper.server": server === undefined ? "none" : format(server)
    })
  }

  /** Writes a line at once, from code that is no effect. */
  write(server: ServerAddress | undefined, line: Effect.Effect<void>): void {
    Effect.runForkWith(this.context)(this.annotate(server, line))
  }
}
