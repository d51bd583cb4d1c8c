/** The client of the commands at the prompt of `zk shell`, which share one session. */
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Credentials } from "./authFile.ts"
import type { Client, StartError } from "./Client.ts"
import type { Settings } from "./Settings.ts"

export interface Shared {
  /** Those of the prompt. */
  readonly settings: Settings
  /** The client of one line, with its settings. */
  readonly client: (settings: Settings) => Client["Service"]
  readonly session: ZooKeeper.Service["session"]
  /** Adds identities to the session, and gives the client that has them. */
  readonly withAuth: (
    auth: Credentials["auth"]
  ) => Effect.Effect<Shared, Effect.Error<ReturnType<ZooKeeper.Service["addAuth"]>> | StartError>
}

/** The client that the commands of `zk shell` share. */
export const SharedClient = Context.Reference<Shared | undefined>("@effect-zookeeper/cli/SharedClient", {
  defaultValue: () => undefined
})
