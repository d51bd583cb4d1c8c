/**
 * Keeps a znode with a time to live from expiring.
 */
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { retryTransient } from "../shared/retry.ts"
import type { NodeState } from "./NodeState.ts"

/** The child that is written to keep a znode with a time to live; Curator's name for it. */
export const TOUCH_NAME = "touch"

/**
 * Writes a child of the znode twice in each time to live: a znode with children does not expire, and watches on its own
 * data do not fire.
 */
export const keepTtlAlive = ({ options, zk }: NodeState, path: string): Effect.Effect<void> => {
  const child = ZnodePath.join(path, TOUCH_NAME)
  const ttl = Duration.fromInputUnsafe(options.ttl ?? 0)
  return retryTransient(zk.set(child, "")).pipe(
    Effect.catchTag("NoNode", () =>
      retryTransient(zk.create(child, { mode: "persistentWithTtl", ttl, acl: options.acl }))
    ),
    // Other errors are tried again; the watch on the znode reports that it has gone.
    Effect.catch(({ _tag, message }) =>
      _tag === "NoNode" || _tag === "NodeExists"
        ? Effect.void
        : Effect.logWarning(`${child} is not written: ${message}`)
    ),
    Effect.andThen(Effect.sleep(Duration.times(ttl, 0.5))),
    Effect.forever
  )
}
