/** The persistent znodes of a cluster. */
import type { CreateError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type { Layout } from "./layout.ts"

/** Creates those that are missing. They are persistent, because servers delete containers while they are empty. */
export const ensureLayout = (
  zk: ZooKeeper.Service,
  { machines, runners, shards }: Layout
): Effect.Effect<void, Exclude<CreateError, { readonly _tag: "NodeExists" }>> =>
  Effect.forEach(
    [runners, shards, machines],
    (path) =>
      Effect.catchTag(
        Outcome.retryAcrossSessions(zk.session, zk.createWithParents(path)),
        "NodeExists",
        () => Effect.void
      ),
    { discard: true }
  )
