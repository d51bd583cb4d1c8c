/** The znodes that a server has from the start, and refuses to delete. */
import * as Effect from "effect/Effect"
import { Client } from "../frame/Client.ts"
import { UsageError } from "../frame/errors.ts"
import { shown } from "../output/text.ts"

/** Refuses to delete a znode of ZooKeeper itself, before what is below it is deleted. */
export const refuseOwn = Effect.fnUntraced(function* (path: string) {
  const { chroot } = (yield* Client).settings
  const whole = chroot + path
  if (!own.has(whole)) return
  const quotas = whole === "/zookeeper/config" ? "" : "; `zk quota rm` deletes a quota"
  return yield* new UsageError({
    message: `${shown(path)} is ZooKeeper's own, as /zookeeper, /zookeeper/quota and /zookeeper/config are, and cannot be deleted${quotas}`
  })
})

// ---- internal

const own: ReadonlySet<string> = new Set(["/zookeeper", "/zookeeper/quota", "/zookeeper/config"])
