/** `zk quota set` and `zk quota rm`: the limits of a subtree. */
import * as Acl from "@effect-zookeeper/client/Acl"
import { NoNode } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Quota from "../../Quota.ts"
import * as TreeWalk from "../../TreeWalk.ts"
import { Client } from "../frame/Client.ts"
import { parseSize } from "../frame/durations.ts"
import { Conflict, UsageError } from "../frame/errors.ts"
import { printQuota, readQuota } from "../look/quota.ts"
import { Printer } from "../output/Printer.ts"
import { shown } from "../output/text.ts"
import { printChanges } from "./report.ts"

export interface SetInput {
  readonly path: string
  readonly count: number | undefined
  readonly bytes: string | undefined
  readonly hardCount: number | undefined
  readonly hardBytes: string | undefined
}

export interface RmInput {
  readonly path: string
  readonly count: boolean
  readonly bytes: boolean
  readonly hardCount: boolean
  readonly hardBytes: boolean
}

/** Limits that are not named stay as they are. */
export const quotaSet = Effect.fnUntraced(function* (input: SetInput) {
  const wanted = {
    count: input.count,
    bytes: input.bytes === undefined ? undefined : yield* parseSize("--bytes", input.bytes),
    hardCount: input.hardCount,
    hardBytes: input.hardBytes === undefined ? undefined : yield* parseSize("--hard-bytes", input.hardBytes)
  }
  if (Object.values(wanted).every((limit) => limit === undefined)) {
    return yield* new UsageError({ message: "no limit: give --count, --bytes, --hard-count or --hard-bytes" })
  }
  const { chroot, path, zk } = yield* writerAt("quota set", input.path)
  if (path === "/")
    return yield* new UsageError({ message: "servers apply no quota to the root; name a znode below it" })
  if (Option.isNone(yield* zk.stat(path))) return yield* new NoNode({ path: input.path, operation: "exists" })
  yield* changeLimits(zk, chroot, path, (limits) => ({
    count: wanted.count ?? limits.count,
    bytes: wanted.bytes ?? limits.bytes,
    hardCount: wanted.hardCount ?? limits.hardCount,
    hardBytes: wanted.hardBytes ?? limits.hardBytes
  }))
  const quota = yield* readQuota(zk, chroot, input.path)
  yield* printQuota(quota)
  const { note } = yield* Printer
  if (wanted.hardCount !== undefined || wanted.hardBytes !== undefined) {
    yield* note("servers refuse writes above a hard limit only if they run with enforceQuota=true")
  }
  const { limits, use } = quota
  if (isOver(use.count, limits.count, limits.hardCount) || isOver(use.bytes, limits.bytes, limits.hardBytes)) {
    yield* note(`${shown(input.path)} is above a limit already`)
  }
})

/** Some limits, or the quota as a whole. */
export const quotaRm = Effect.fnUntraced(function* (input: RmInput) {
  const { chroot, path, zk } = yield* writerAt("quota rm", input.path)
  if (input.count || input.bytes || input.hardCount || input.hardBytes) {
    yield* readQuota(zk, chroot, input.path)
    yield* changeLimits(zk, chroot, path, (limits) => ({
      count: input.count ? undefined : limits.count,
      bytes: input.bytes ? undefined : limits.bytes,
      hardCount: input.hardCount ? undefined : limits.hardCount,
      hardBytes: input.hardBytes ? undefined : limits.hardBytes
    }))
    return yield* printQuota(yield* readQuota(zk, chroot, input.path))
  }
  yield* readQuota(zk, chroot, input.path)
  // Both or none: stats without limits would be counted for nothing.
  yield* zk.transaction([Op.delete(Quota.limitsPath(path)), Op.delete(Quota.statsPath(path))])
  yield* trim(zk, path)
  yield* printChanges([{ action: "quotaRemoved", path: input.path }])
})

// ---- internal

const isOver = (value: number, ...limits: ReadonlyArray<number | undefined>): boolean =>
  limits.some((limit) => limit !== undefined && value > limit)

/** Quotas are beside the chroot, not below it. */
const writerAt = Effect.fnUntraced(function* (command: string, below: string) {
  yield* Effect.fromResult(ZnodePath.validate(below))
  const { chroot, zk } = yield* (yield* Client).rootWriter(command)
  return { chroot, zk, path: ZnodePath.toServer(chroot, below) }
})

/** Begins again where another client was faster. */
const changeLimits = Effect.fnUntraced(function* (
  zk: Service,
  chroot: string,
  path: string,
  change: (limits: Quota.Limits) => Quota.Limits
) {
  for (let tries = 0; ; tries++) {
    const writes = yield* writesFor(zk, chroot, path, change)
    const failed = yield* Effect.as(zk.transaction(writes), undefined).pipe(
      Effect.catchTag("TransactionFailed", (error) => Effect.succeed(error))
    )
    if (failed === undefined) return
    const { _tag } = failed.error
    const isRace = _tag === "NodeExists" || _tag === "BadVersion" || _tag === "NoNode"
    if (!isRace || tries >= 5) return yield* failed
  }
})

const writesFor = Effect.fnUntraced(function* (
  zk: Service,
  chroot: string,
  path: string,
  change: (limits: Quota.Limits) => Quota.Limits
) {
  const at = Quota.limitsPath(path)
  const found = yield* Effect.catchTag(Effect.asSome(zk.get(at)), "NoNode", () => Effect.succeedNone)
  if (Option.isSome(found)) {
    const { data, stat } = found.value
    const limits = change(Quota.parse(new TextDecoder().decode(data)))
    return [Op.setData(at, Quota.format(limits), { version: stat.version })]
  }
  yield* checkNested(zk, chroot, path)
  const missing: Array<string> = []
  for (let parent = ZnodePath.parent(at); parent !== undefined; parent = ZnodePath.parent(parent)) {
    if (Option.isSome(yield* zk.stat(parent))) break
    missing.unshift(parent)
  }
  return [
    ...missing.map((path) => createOpen(path)),
    createOpen(at, Quota.format(change(Quota.parse("")))),
    // The server counts the subtree when it sees this one.
    createOpen(Quota.statsPath(path), "count=0,bytes=0")
  ]
})

const createOpen = (path: string, data?: string) => Op.create(path, { data, acl: Acl.open })

/** Servers apply one quota to a znode: that of the nearest ancestor. */
const checkNested = Effect.fnUntraced(function* (zk: Service, chroot: string, path: string) {
  const name = (at: string) => shown(ZnodePath.toClient(chroot, at) ?? at)
  for (const ancestor of ZnodePath.ancestors(path)) {
    if (ancestor !== "/" && Option.isSome(yield* zk.stat(Quota.limitsPath(ancestor)))) {
      return yield* new Conflict({
        message: `${name(ancestor)}, which is above ${name(path)}, has a quota, and servers apply only one of two; nothing was changed`
      })
    }
  }
  const root = ZnodePath.parent(Quota.limitsPath(path)) ?? "/"
  const below = yield* TreeWalk.walk(zk, root).pipe(
    Stream.filter((znode) => znode.depth > 1 && ZnodePath.name(znode.path) === ZnodePath.name(Quota.limitsPath("/"))),
    Stream.runHead,
    Effect.catchTag("NoNode", () => Effect.succeedNone)
  )
  if (Option.isNone(below)) return
  const owner = (ZnodePath.parent(below.value.path) ?? "").slice("/zookeeper/quota".length)
  return yield* new Conflict({
    message: `${name(owner)}, which is below ${name(path)}, has a quota, and servers apply only one of two; nothing was changed`
  })
})

/** Deletes the parents that have nothing below them any more. */
const trim = Effect.fnUntraced(function* (zk: Service, path: string) {
  for (let at = path; at !== "/"; at = ZnodePath.parent(at) ?? "/") {
    const left = yield* Effect.catchTags(Effect.as(zk.delete(`/zookeeper/quota${at}`), false), {
      NotEmpty: () => Effect.succeed(true),
      NoNode: () => Effect.succeed(false)
    })
    if (left) return
  }
})
