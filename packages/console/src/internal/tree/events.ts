/** The events of a subtree. */
import type { Gap, WatchEvent } from "@effect-zookeeper/client/Models"
import type { Service } from "@effect-zookeeper/client/Service"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { TreeEvent } from "../../SearchModels.ts"
import type { ReadFailure } from "../../ProtocolError.ts"
import { toReadFailure } from "../failures.ts"

/** In groups. A page that is slow gets a gap instead of events without end. */
export const treeEvents = (zk: Service, path: string): Stream.Stream<ReadonlyArray<TreeEvent>, ReadFailure> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const ready = yield* Queue.unbounded<{ readonly type: "Ready" }>()
      const onReady = () => void Queue.offerUnsafe(ready, { type: "Ready" })
      return Stream.merge(Stream.take(Stream.fromQueue(ready), 1), zk.events(path, { recursive: true, onReady }))
    })
  ).pipe(
    Stream.mapEffect((event) => Effect.map(Clock.currentTimeMillis, (time) => describe(path, event, time))),
    Stream.groupedWithin(500, "50 millis"),
    Stream.mapError(toReadFailure)
  )

// ---- internal

const names = {
  NodeCreated: "created",
  NodeDataChanged: "changed",
  NodeDeleted: "deleted",
  NodeChildrenChanged: "changed",
  Gap: "gap",
  Ready: "ready"
} as const

const describe = (root: string, event: WatchEvent | Gap | { readonly type: "Ready" }, time: number): TreeEvent => ({
  time,
  event: names[event.type],
  path: "path" in event ? event.path : root,
  ...("zxid" in event && Option.isSome(event.zxid) ? { zxid: event.zxid.value } : {})
})
