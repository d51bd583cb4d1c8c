/**
 * Events after which a refused znode is tried again: a new connection, a parent that is created, and time.
 */
import { watchScoped } from "@effect-zookeeper/client/Detached"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { retryTransient } from "../shared/retry.ts"
import type { PersistentNodeError } from "./model.ts"
import type { NodeState } from "./NodeState.ts"

/** Waits for something that may have ended the refusal. */
export const awaitRetryTrigger = (self: NodeState, error: PersistentNodeError): Effect.Effect<void> => {
  const triggers = [self.wake.await, Effect.flatMap(Outcome.longPause, Effect.sleep)]
  // A request that loses every connection is not tried again for the sake of the next one.
  if (error._tag !== "ConnectionLoss") triggers.push(nextConnection(self.zk))
  if (error._tag === "NoNode") triggers.push(parentCreated(self))
  return Effect.raceAllFirst(triggers)
}

const nextConnection = ({ session }: ZooKeeper.Service): Effect.Effect<void> =>
  session.states.pipe(
    Stream.dropWhile(({ _tag }) => _tag === "Connected"),
    Stream.filter(({ _tag }) => _tag === "Connected"),
    Stream.runHead,
    Effect.asVoid
  )

const parentCreated = ({ path, zk }: NodeState): Effect.Effect<void> =>
  retryTransient(watchScoped(zk.existsAndWatch(ZnodePath.parent(path) ?? "/"))).pipe(
    Effect.flatMap(({ nextChange, stat }) =>
      Option.isSome(stat) ? Effect.void : Effect.asVoid(Fiber.join(nextChange))
    ),
    Effect.scoped,
    // Without the right to read, the other triggers remain.
    Effect.catch(() => Effect.never)
  )
