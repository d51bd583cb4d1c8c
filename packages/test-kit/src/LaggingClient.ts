/** A client whose server lags behind: it shows an older state of one znode, until a sync or a transaction. */
import type { DataAndStat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { ConnectionLoss } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** The writes are those of the client. */
export const make = (client: ZooKeeper.Service, path: string) => {
  let behind: DataAndStat | undefined
  let afterDelete: Effect.Effect<unknown, unknown> | undefined
  const catchUp = Effect.sync(() => void (behind = undefined))
  const zk: ZooKeeper.Service = {
    ...client,
    get: (asked) => (behind === undefined || asked !== path ? client.get(asked) : Effect.succeed(behind)),
    stat: (asked) =>
      behind === undefined || asked !== path ? client.stat(asked) : Effect.succeed(Option.some(behind.stat)),
    sync: (asked) => Effect.ensuring(client.sync(asked), catchUp),
    // The reply to a write shows that the server has everything before it.
    transaction: (ops) => Effect.ensuring(client.transaction(ops), catchUp),
    delete: (asked, options) =>
      Effect.suspend(() => {
        const then = afterDelete
        if (then === undefined || asked !== path) return client.delete(asked, options)
        afterDelete = undefined
        return stay.pipe(
          Effect.andThen(client.delete(asked, options)),
          Effect.andThen(Effect.orDie(then)),
          Effect.andThen(new ConnectionLoss({ operation: "delete", path, maybeApplied: true }))
        )
      })
  }
  /** From now on reads show the znode that is there now, whatever happens to it. */
  const stay = Effect.map(client.get(path), (seen) => void (behind = seen))
  return {
    zk,
    stay,
    /** The next delete is applied, and then something happens; its reply is lost, and the server falls behind. */
    loseDelete: (then: Effect.Effect<unknown, unknown>) => {
      afterDelete = then
    }
  }
}
