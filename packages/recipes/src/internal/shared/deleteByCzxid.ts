/** Deletes a znode that is named by its birth; see `ExactDelete` of the client. */
import type { BadVersion } from "@effect-zookeeper/client/Errors"
import * as ExactDelete from "@effect-zookeeper/client/ExactDelete"
import type { Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Effect from "effect/Effect"

/** `before` runs once the znode was found to be the right one. */
export const deleteByCzxid = (
  zk: ZooKeeper.Service,
  path: string,
  isMeant: (stat: Stat) => boolean,
  before?: Effect.Effect<void, ExactDelete.ExactDeleteError | BadVersion>
): Effect.Effect<void, ExactDelete.ExactDeleteError> => ExactDelete.deleteByCzxid(zk, path, isMeant, { before })
